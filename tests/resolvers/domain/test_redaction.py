"""Finds personal data that another text repeats."""

import time

import pytest

from resolvers.domain.redaction import find_repeated_kinds
from resolvers.domain.vocabulary import PersonalDataKind

NAME, PHONE, NIK, EMAIL = (
    PersonalDataKind.NAME,
    PersonalDataKind.PHONE,
    PersonalDataKind.NIK,
    PersonalDataKind.EMAIL,
)


@pytest.mark.parametrize(
    ("text", "personal", "kind"),
    [
        ("Hubungi 0812-3456-7890.", "081234567890", PHONE),
        ("Hubungi +62 812-3456-7890.", "0812 3456 7890", PHONE),
        ("Hubungi 0812 3456 7890.", "+62 812-3456-7890", PHONE),
        ("menemui WAYAN  SUDARTA di rumah", "Wayan Sudarta", NAME),
        ("kepada (Adi).", "Adi", NAME),
        ("jadi bukan, tetapi Adi", "Adi", NAME),
        ("kepada_adi", "Adi", NAME),
        ("tulis ke a.b@c.id", "A.B@c.id", EMAIL),
    ],
)
def test_the_same_letters_and_digits_are_the_same_whatever_stands_between(
    text: str, personal: str, kind: PersonalDataKind
) -> None:
    assert find_repeated_kinds(text, [(personal, kind)]) == [kind]


@pytest.mark.parametrize(
    ("text", "personal", "kind"),
    [
        ("Nomor 10812345678901 bukan itu.", "0812 3456 7890", PHONE),
        ("jadi kami kembali", "Adi", NAME),
        ("nomor 62123", "0123", NIK),
        ("apa saja", "...", NAME),
        ("", "Adi", NAME),
    ],
)
def test_other_words_and_parts_of_words_are_not_the_same(text: str, personal: str, kind: PersonalDataKind) -> None:
    assert find_repeated_kinds(text, [(personal, kind)]) == []


def test_each_kind_is_told_once() -> None:
    personal = [("Wayan", NAME), ("0812 345678", PHONE), ("Made", NAME)]
    assert find_repeated_kinds("Wayan dan Made: 0812345678", personal) == [NAME, PHONE]


def test_a_complaint_full_of_numbers_holds_nobody_up() -> None:
    personal = [(f"0812{number:08d}", PHONE) for number in range(750)]
    started = time.process_time()
    assert find_repeated_kinds("Dinas 0812 " * 900, personal) == []
    assert time.process_time() - started < 0.2
