"""The scan: how much it finds, how often it errs, and that no text is too hostile for it."""

import re
import time
from pathlib import Path

import pytest
from support.labelled import Labelled, texts

from resolvers.domain.redaction import Span, mask_spans
from resolvers.domain.vocabulary import PersonalDataKind as Kind
from resolvers.personal_data.personal_data import scan_text

PRIVACY = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")
COUNT = 1000


@pytest.fixture(scope="module")
def scanned() -> list[tuple[Labelled, list[Span]]]:
    return [(labelled, scan_text(labelled.text)) for labelled in texts(COUNT)]


def is_masked(text: str, start: int, end: int, found: list[Span]) -> bool:
    return all(text[at] in " ." or any(span.start <= at < span.end for span in found) for at in range(start, end))


def test_recall_and_precision_are_those_of_the_documentation(scanned: list[tuple[Labelled, list[Span]]]) -> None:
    """Recall: the share of labelled data that nothing of is left readable; precision: of findings, those labelled."""
    rows: dict[str, str] = {}
    for kind in Kind:
        labels = [(row.text, start, end, found) for row, found in scanned for start, end, of in row.spans if of is kind]
        if labels:
            rows[kind] = f"{sum(is_masked(*label) for label in labels) / len(labels):.2f} of {len(labels)}"
    everything = [(row, span) for row, found in scanned for span in found]
    right = sum(any(start < span.end and span.start < end for start, end, _ in row.spans) for row, span in everything)
    measured = {**rows, "precision": f"{right / len(everything):.2f} of {len(everything)}"}
    printed = dict(re.findall(r"^\| ([A-Za-z_]+) \| (\d\.\d\d of \d+) \|$", PRIVACY, re.MULTILINE))
    assert printed == measured


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hubungi saya di 0812-3456-7890.", "Hubungi saya di [telepon]."),
        ("NIK saya 5103010101010001", "NIK saya [NIK]"),
        ("Kirim ke wayan.s@gmail.com ya", "Kirim ke [surel] ya"),
        ("Motor pelat DK 1234 AB parkir", "Motor pelat [pelat] parkir"),
        ("Petugas bernama Budi Hartanto, marah", "Petugas bernama [nama], marah"),
        ("RSUD Dr. Soetomo di Jalan Sudirman", "RSUD Dr. Soetomo di Jalan Sudirman"),
        ("Kepala Dinas Kesehatan Kabupaten Badung", "Kepala Dinas Kesehatan Kabupaten Badung"),
        ("Kami diminta Rp1.500.000 pada 12-11-2026", "Kami diminta Rp1.500.000 pada 12-11-2026"),
        ("", ""),
    ],
)
def test_persons_are_masked_and_places_are_not(text: str, shown: str) -> None:
    assert mask_spans(text, scan_text(text)) == shown


@pytest.mark.parametrize("at", [700, 790, 1400])
def test_what_lies_across_windows_is_found_whole(at: int) -> None:
    text = ("jalan rusak " * 200)[:at] + " Hubungi 0812-3456-7890 segera"
    assert "7890" not in mask_spans(text, scan_text(text))


def test_a_number_is_masked_wherever_the_edge_of_a_window_cuts_it() -> None:
    for at in range(770, 810):
        text = ("jalan rusak " * 200)[:at] + " Hubungi 0812-3456-7890 segera"
        assert not any(character.isdigit() for character in mask_spans(text, scan_text(text))), at


@pytest.mark.parametrize("piece", ["a", " a", " ", "Bapak ", "0812-", "1 ", "Guru ", "a@", "Jl. ", "\U0001f600", "\n"])
def test_no_text_is_too_hostile(piece: str) -> None:
    started = time.process_time()
    scan_text((piece * 10_000)[:10_000])
    assert time.process_time() - started < 5
