"""A cache of encoded answers that do not depend on the viewer; cleared when their reference data change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_CACHED_BYTES: Final = 4_000_000
_ENTRY_BYTES: Final = 250
"""Estimated size of an entry in addition to the bytes of its answer."""


@dataclass(slots=True)
class AnswerCache:
    """Answers made of the documents of one collection, by program and document id.

    A program is the compiled function that made the answer, known by its number. The process drops the whole cache when
    a document of the collection changes. Above MAX_CACHED_BYTES the cache empties itself and starts again: clients that
    send ever new operations cannot make it grow.
    """

    by_id: Mapping[Any, Any]
    """The documents that the answers were made of."""
    answers: dict[int, dict[Any, Any]] = field(default_factory=dict)
    size_bytes: int = 0

    def of(self, maker: int) -> dict[Any, Any]:
        """Return the answers of one program, by document id."""
        return self.answers.setdefault(maker, {})

    def keep(self, maker: int, answers: Mapping[Any, Any], size_bytes: int) -> None:
        """Add answers of one program, which are `size_bytes` long together."""
        added = size_bytes + _ENTRY_BYTES * len(answers)
        self.size_bytes += added
        if self.size_bytes > MAX_CACHED_BYTES:
            self.answers, self.size_bytes = {}, added
        self.of(maker).update(answers)
