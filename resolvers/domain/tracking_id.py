"""Tracking IDs, such as `LP-7K2M-QX4T-9DHF-3`: made, checked and parsed.

Twelve random letters and one check letter follow the prefix. A wrong letter, or two neighbours in the wrong order, is
found without a look-up. The alphabet leaves out 0, 1, I, L, O and U, which people confuse.
"""

import re
from operator import mul
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty letters. The check is computed modulo 31, the next prime; a body whose check would be 30 is not used."""

_BODY_LENGTH: Final = 12
_MODULUS: Final = 31
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_AS_VALUES: Final = bytes.maketrans(ALPHABET.encode(), bytes(range(len(ALPHABET))))
_WEIGHTS: Final = tuple(range(2, _BODY_LENGTH + 2))
_STORED: Final = re.compile(rf"[A-Z]+((?:-[{ALPHABET}]{{4}}){{3}})-([{ALPHABET}])")


def make_id(prefix: str, entropy: bytes) -> str:
    """Make an ID from at least 9 random bytes; the same bytes give the same ID."""
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
    """Return the stored form of an ID that a person wrote, in any case, with spaces or hyphens anywhere.

    None when it is not a tracking ID.
    """
    stored = _STORED.fullmatch(text)
    if stored is not None:
        return text if _compute_check(stored[1]) == _VALUES[stored[2]] else None
    letters = "".join(character for character in text.upper() if character.isalnum())
    prefix, body = letters[: -_BODY_LENGTH - 1], letters[-_BODY_LENGTH - 1 :]
    if len(body) != _BODY_LENGTH + 1 or not prefix.isalpha() or not set(body) <= _VALUES.keys():
        return None
    return _format_id(prefix, body) if _compute_check(body[:-1]) == _VALUES[body[-1]] else None


def _compute_check(body: str) -> int:
    """Return the weighted sum of the letters modulo 31; hyphens do not count."""
    # `translate` deletes the hyphens and turns each letter into its value, faster than a loop over the letters.
    weighed: int = sum(map(mul, _WEIGHTS, body.encode().translate(_AS_VALUES, b"-")))
    return weighed % _MODULUS


def _format_id(prefix: str, letters: str) -> str:
    return "-".join([prefix, *(letters[start : start + 4] for start in range(0, len(letters), 4))])
