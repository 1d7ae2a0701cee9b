"""What people write: required, bounded, and free of control characters."""

import re
from typing import Final

from resolvers.errors import InvalidInput

MAX_TITLE = 200
MAX_NAME = 200
MAX_TEXT = 10_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but for tabs and ends of lines, and lone halves of surrogate pairs."""


def clean_required(text: str, *field: str, at_least: int = 1, at_most: int = MAX_TEXT) -> str:
    """The text without surrounding space.

    Raises InvalidInput, which never repeats the text, where it is too short, too long, or holds control characters.
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
    return None if text is None or not text.strip() else clean_required(text, *field, at_most=at_most)
