"""Answers that are the same for everybody, kept beside the reference data that they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_MADE: Final = 20_000


@dataclass(slots=True)
class Made:
    """Answers made of a collection's documents, by their maker's number and the document's id.

    A change to one of the documents begins it anew, and so does one answer more than 20 000.
    """

    by_id: Mapping[Any, Any]
    """The documents."""
    answers: dict[int, dict[Any, Any]] = field(default_factory=dict)
    count: int = 0

    def of(self, maker: int) -> dict[Any, Any]:
        return self.answers.setdefault(maker, {})

    def keep(self, maker: int, made: Mapping[Any, Any]) -> None:
        self.count += len(made)
        if self.count > MAX_MADE:
            self.answers, self.count = {}, len(made)
        self.of(maker).update(made)
