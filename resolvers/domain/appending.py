"""Detects lists that have grown at their end, so that an update writes only the new row.

Most lists of a complaint change in this way: follow-ups, hand-overs, clocks.
"""

from typing import Any


def has_grown(old: Any, new: Any) -> bool:
    """Whether `new` holds the same row objects as `old`, in the same order, and one more at the end."""
    return (
        isinstance(old, list)
        and isinstance(new, list)
        and len(new) == len(old) + 1
        and all(row is known for row, known in zip(old, new, strict=False))
    )
