"""Masks personal data in text: from spans to the text that others may read.

`Bapak Budi, 0812-3456-7890` becomes `Bapak [nama], [telepon]`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from resolvers.domain.vocabulary import PersonalDataKind

MASKS: Final = {
    PersonalDataKind.NAME: "[nama]",
    PersonalDataKind.NIK: "[NIK]",
    PersonalDataKind.PHONE: "[telepon]",
    PersonalDataKind.EMAIL: "[surel]",
    PersonalDataKind.PLATE: "[pelat]",
    PersonalDataKind.DOCUMENT: "[nomor]",
    PersonalDataKind.ACCOUNT: "[rekening]",
    PersonalDataKind.BIRTH_DATE: "[tanggal lahir]",
    PersonalDataKind.ADDRESS: "[alamat]",
}

_WORD: Final = re.compile(r"[^\W_]+")

_RANKS: Final = {kind: rank for rank, kind in enumerate(PersonalDataKind)}

_PLACES: Final = frozenset({PersonalDataKind.ADDRESS})
"""Kinds that name a place and no person: a complaint about a street is not about a person."""


class Span(NamedTuple):
    """Personal data at `text[start:end]`."""

    start: int
    end: int
    kind: PersonalDataKind


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """Sort the spans and join those that overlap.

    A joined span has the kind of its longest part; between parts of the same length, the kind that PersonalDataKind
    lists first.
    """
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start < found[-1].end:
            last = found.pop()
            longest = max(last, span, key=lambda part: (part.end - part.start, -_RANKS[part.kind]))
            span = Span(last.start, max(last.end, span.end), longest.kind)
        found.append(span)
    return found


def mask_spans(text: str, spans: Iterable[Span]) -> str:
    """Return the text with each span replaced by the mask of its kind, such as `[nama]`."""
    parts, at = [], 0
    for span in join_spans(spans):
        parts += [text[at : span.start], MASKS[span.kind]]
        at = span.end
    return "".join([*parts, text[at:]])


def is_of_a_person(kind: PersonalDataKind) -> bool:
    return kind not in _PLACES


def names_a_person(spans: Sequence[Span]) -> bool:
    return any(is_of_a_person(span.kind) for span in spans)


def find_repeated_kinds(text: str, personal: Iterable[tuple[str, PersonalDataKind]]) -> list[PersonalDataKind]:
    """Return the kinds of those personal data that `text` repeats.

    Compares letters and digits alone, so that "0812 3456" repeats "0812-3456". Only whole words count. A telephone
    number is found with the country code and without.
    """
    # All words in one string, with the offsets at which words start and end: "budi santoso" is found in "Budi, Santoso"
    # but not in "budi santosos".
    joined, starts, ends = "", set(), set()
    for word in _WORD.findall(text.casefold()):
        starts.add(len(joined))
        joined += word
        ends.add(len(joined))

    def has_word(wanted: str) -> bool:
        at = joined.find(wanted)
        while at >= 0 and not (at in starts and at + len(wanted) in ends):
            at = joined.find(wanted, at + 1)
        return bool(wanted) and at >= 0

    return list(dict.fromkeys(kind for said, kind in personal if any(map(has_word, _list_spellings(said, kind)))))


def _list_spellings(said: str, kind: PersonalDataKind) -> Sequence[str]:
    joined = "".join(_WORD.findall(said.casefold()))
    if kind is not PersonalDataKind.PHONE:
        return (joined,)
    # +62 812 3456 and 0812 3456 are the same number.
    national = joined.removeprefix("62").removeprefix("0")
    return (joined, f"0{national}", f"62{national}")
