"""Answers that are the same for everybody, kept beside the reference data that they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_MADE_BYTES: Final = 4_000_000
_ENTRY_BYTES: Final = 250
"""Of an answer, beside its own bytes."""


@dataclass(slots=True)
class Made:
    """Answers made of a collection's documents, by their maker's number and the document's id.

    A change to one of the documents begins it anew, and so does one answer more than there is room for: whoever sends
    ever new operations makes it no larger.
    """

    by_id: Mapping[Any, Any]
    """The documents."""
    answers: dict[int, dict[Any, Any]] = field(default_factory=dict)
    size_bytes: int = 0

    def of(self, maker: int) -> dict[Any, Any]:
        return self.answers.setdefault(maker, {})

    def keep(self, maker: int, made: Mapping[Any, Any], size_bytes: int) -> None:
        added = size_bytes + _ENTRY_BYTES * len(made)
        self.size_bytes += added
        if self.size_bytes > MAX_MADE_BYTES:
            self.answers, self.size_bytes = {}, added
        self.of(maker).update(made)
