"""Checks and trims text that people write: length and control characters."""

import re
from typing import Final

from resolvers.errors import InvalidInput

MAX_TITLE = 200
MAX_NAME = 200
MAX_TEXT = 10_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters except tab, line feed and carriage return, and lone surrogates."""


def clean_required(text: str, *field: str, at_least: int = 1, at_most: int = MAX_TEXT) -> str:
    """Return the text without surrounding space; `field` is its path in the input.

    Raises InvalidInput when the text is too short, too long, or has control characters. The message never repeats it.
    """
    cleaned = text.strip()
    path = ("input", *field)
    if len(cleaned) < at_least:
        what = "is empty" if not cleaned else f"has {len(cleaned)} characters"
        raise InvalidInput(f"{field[-1]} {what}; at least {at_least} are needed.", field=path)
    if len(cleaned) > at_most:
        raise InvalidInput(f"{field[-1]} has {len(cleaned)} characters; at most {at_most} are taken.", field=path)
    if _CONTROL.search(cleaned):
        raise InvalidInput(f"{field[-1]} holds control characters: send plain text.", field=path)
    return cleaned


def clean_optional(text: str | None, *field: str, at_most: int = MAX_TEXT) -> str | None:
    """Return the trimmed text, or None when there is none. Raises InvalidInput as `clean_required` does."""
    return None if text is None or not text.strip() else clean_required(text, *field, at_most=at_most)
