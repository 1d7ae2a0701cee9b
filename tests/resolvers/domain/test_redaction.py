"""Personal data that another text says again."""

import pytest

from resolvers.domain.redaction import says_again


@pytest.mark.parametrize(
    ("text", "personal", "expected"),
    [
        ("Hubungi +62 812-3456-7890.", "0812 3456 7890", False),
        ("Hubungi 0812-3456-7890.", "081234567890", True),
        ("Nomor 10812345678901 bukan itu.", "0812 3456 7890", False),
        ("menemui WAYAN  SUDARTA di rumah", "Wayan Sudarta", True),
        ("jadi kami kembali", "Adi", False),
        ("kepada (Adi).", "Adi", True),
        ("a.b@c.id", "a.b@c.id", True),
        ("apa saja", "...", False),
        ("", "Adi", False),
    ],
)
def test_the_same_letters_and_digits_are_the_same_whatever_stands_between(
    text: str, personal: str, expected: bool
) -> None:
    assert says_again(text, personal) is expected
