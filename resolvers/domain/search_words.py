"""The words that a complaint is found by, each marked with who may find it by it.

    lubang    in the redacted text of a published complaint: whoever may know of it
    ?lubang   in the redacted text of one that is not published: custody
    !wayan    in the unredacted text alone: custody

The public's search reads the index of unmarked words alone, and so does the same work whatever is not published.
"""

from collections.abc import Iterable, Sequence
from typing import Final

UNPUBLISHED: Final = "?"
UNREDACTED: Final = "!"


def mark_words(full: Iterable[str], redacted: Iterable[str], *, published: bool) -> list[str]:
    """The words of a complaint, from the stems of its texts."""
    shown = dict.fromkeys(redacted)
    private = [f"{UNREDACTED}{stem}" for stem in dict.fromkeys(full) if stem not in shown]
    return renew_marks([*shown, *private], published=published)


def renew_marks(words: Sequence[str], *, published: bool) -> list[str]:
    """The same words after the complaint has become public, or ceased to be."""
    mark = "" if published else UNPUBLISHED
    return [word if word.startswith(UNREDACTED) else mark + word.removeprefix(UNPUBLISHED) for word in words]


def list_spellings(stem: str) -> list[str]:
    """The stem under each mark: what custody finds a complaint by."""
    return [stem, UNPUBLISHED + stem, UNREDACTED + stem]
