"""What people write: required, bounded, and free of control characters."""

import unicodedata

from resolvers.errors import InvalidInput

MAX_TITLE = 200
MAX_NAME = 200
MAX_TEXT = 10_000


def required(text: str, *field: str, at_least: int = 1, at_most: int = MAX_TEXT) -> str:
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
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t" for character in cleaned):
        raise InvalidInput(f"{field[-1]} holds control characters: send plain text.", field=path)
    return cleaned


def optional(text: str | None, *field: str, at_most: int = MAX_TEXT) -> str | None:
    return None if text is None or not text.strip() else required(text, *field, at_most=at_most)
