"""Lists that have grown at their end, as most of a complaint's do: only what is new need be written."""

from typing import Any


def has_grown(old: Any, new: Any) -> bool:
    """Whether the new list is the old one, the very same rows, and one more behind them."""
    return (
        isinstance(old, list)
        and isinstance(new, list)
        and len(new) == len(old) + 1
        and all(row is known for row, known in zip(old, new, strict=False))
    )
