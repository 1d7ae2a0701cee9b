"""The words by which a search finds a complaint. A mark on each word says who may find the complaint by it.

    lubang    in the redacted text of a published complaint: everybody who may know of the complaint
    ?lubang   in the redacted text of a complaint that is not published: only those in custody
    !wayan    in the unredacted text only: only those in custody

The public's search reads only unmarked words in the index. So its time does not depend on complaints that are not
published, and cannot reveal them.
"""

from collections.abc import Iterable, Sequence
from typing import Final

UNPUBLISHED: Final = "?"
UNREDACTED: Final = "!"


def mark_words(full: Iterable[str], redacted: Iterable[str], *, published: bool) -> list[str]:
    """Return the marked words of a complaint, from the stems of its full and its redacted text."""
    shown = dict.fromkeys(redacted)
    private = [f"{UNREDACTED}{stem}" for stem in dict.fromkeys(full) if stem not in shown]
    return renew_marks([*shown, *private], published=published)


def renew_marks(words: Sequence[str], *, published: bool) -> list[str]:
    """Return the same words with the marks of a complaint that is now published, or no longer."""
    mark = "" if published else UNPUBLISHED
    return [word if word.startswith(UNREDACTED) else mark + word.removeprefix(UNPUBLISHED) for word in words]


def list_spellings(stem: str) -> list[str]:
    """Return the stem under each mark: those in custody find a complaint by any of them."""
    return [stem, UNPUBLISHED + stem, UNREDACTED + stem]
