"""The last changes of a collection, and the place from which on none of them is missing."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

WINDOW_SECONDS: Final = 600.0
MAX_CHANGES: Final = 50_000
MARK_SECONDS: Final = 1.0

Position = str
"""An instant of the database's history as 16 hexadecimal digits, which sort as the instants do."""


class Touched(NamedTuple):
    """That a document was changed, not what was written."""

    document_id: str
    position: Position
    revision: int = 0
    """Of the document since then; 0 where it is gone."""
    holder: str | None = None
    """The new one where the change set it."""
    is_gone: bool = False


class Mark(NamedTuple):
    """Where to go on: nothing after `position` comes before `token`."""

    position: Position
    token: dict[str, Any]


@dataclass(slots=True)
class Window:
    """Older changes leave it, by age and by number; what is resumed from before `begin` cannot be made up for."""

    begin: Position
    seconds: float = WINDOW_SECONDS
    limit: int = MAX_CHANGES
    _rows: deque[tuple[float, Touched]] = field(default_factory=deque)
    _marks: deque[Mark] = field(default_factory=deque)
    _marked_at: float = float("-inf")

    @property
    def end(self) -> Position:
        """Of the last change that was seen."""
        return self._rows[-1][1].position if self._rows else self.begin

    def add(self, change: Touched) -> None:
        self._rows.append((time.monotonic(), change))
        if len(self._rows) > self.limit:
            self._trim()

    def mark(self, token: dict[str, Any]) -> None:
        """Says that everything before the token has been seen."""
        now = time.monotonic()
        if now - self._marked_at >= MARK_SECONDS:
            self._marked_at = now
            self._marks.append(Mark(self.end, token))
            self._trim()

    def since(self, position: Position) -> list[Touched] | None:
        """The changes after a place, oldest first; None where some of them may have left the window."""
        if position < self.begin:
            return None
        beside = [change for _, change in self._rows if change.position == position]
        after = [change for _, change in self._rows if change.position > position]
        # A transaction's changes share an instant: who heard of one may have missed the others.
        return [*beside, *after] if len(beside) > 1 or (beside and position == self.begin) else after

    def tail(self) -> Mark | None:
        """From where another process has all that is here."""
        return self._marks[0] if self._marks else None

    def _trim(self) -> None:
        oldest = time.monotonic() - self.seconds
        while self._rows and (self._rows[0][0] < oldest or len(self._rows) > self.limit):
            self.begin = self._rows.popleft()[1].position
        while len(self._marks) > 1 and self._marks[1].position <= self.begin:
            self._marks.popleft()
