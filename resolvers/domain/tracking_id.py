"""Tracking ids: make, check digit, parse.

Thirteen letters after the prefix, `LP-7K2M-QX4T-9DHF-3`: twelve random, then one check letter, so that a slip of one
letter or of two neighbours is noticed before anything is looked up. The alphabet leaves out 0, 1, I, L, O and U.
"""

import re
from operator import mul
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty letters. The check is taken modulo 31, the next prime: bodies whose check would be the 31st are not made."""

_BODY_LENGTH: Final = 12
_MODULUS: Final = 31
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_AS_VALUES: Final = bytes.maketrans(ALPHABET.encode(), bytes(range(len(ALPHABET))))
_WEIGHTS: Final = tuple(range(2, _BODY_LENGTH + 2))
_STORED: Final = re.compile(rf"[A-Z]+((?:-[{ALPHABET}]{{4}}){{3}})-([{ALPHABET}])")


def make_id(prefix: str, entropy: bytes) -> str:
    """An id from at least 9 random bytes; the same bytes give the same id."""
    number = int.from_bytes(entropy)
    while True:
        body, rest = "", number
        for _ in range(_BODY_LENGTH):
            rest, value = divmod(rest, len(ALPHABET))
            body += ALPHABET[value]
        check = _compute_check(body)
        if check < len(ALPHABET):
            return _format_id(prefix, body + ALPHABET[check])
        number += 1


def parse_id(text: str) -> str | None:
    """The id as it is stored, from what people write: any case, spaces or hyphens anywhere; None where it is none."""
    stored = _STORED.fullmatch(text)
    if stored is not None:
        return text if _compute_check(stored[1]) == _VALUES[stored[2]] else None
    letters = "".join(character for character in text.upper() if character.isalnum())
    prefix, body = letters[: -_BODY_LENGTH - 1], letters[-_BODY_LENGTH - 1 :]
    if len(body) != _BODY_LENGTH + 1 or not prefix.isalpha() or not set(body) <= _VALUES.keys():
        return None
    return _format_id(prefix, body) if _compute_check(body[:-1]) == _VALUES[body[-1]] else None


def _compute_check(body: str) -> int:
    """Of letters of the alphabet; hyphens do not count."""
    weighed: int = sum(map(mul, _WEIGHTS, body.encode().translate(_AS_VALUES, b"-")))
    return weighed % _MODULUS


def _format_id(prefix: str, letters: str) -> str:
    return "-".join([prefix, *(letters[start : start + 4] for start in range(0, len(letters), 4))])
