"""The last changes of complaints that this process has seen, for clients that reconnect with a position.

evicted │ begin ──── change ── change ── change ── end │ not seen yet
        └ a client that resumes from here or later misses no change
"""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

WINDOW_SECONDS: Final = 600.0
MAX_CHANGES: Final = 50_000
MARK_SECONDS: Final = 1.0
"""Least time between two marks: each holds a resume token."""

Position = str
"""A cluster time (seconds, then counter) as 16 hexadecimal digits, so that text order is time order."""


class ComplaintChange(NamedTuple):
    """One event of the stream: which complaint was written and when, without its texts."""

    document_id: str
    position: Position
    revision: int = 0
    """The complaint's revision after the change; 0 for a deletion."""
    holder: str | None = None
    """The new holder; None if the change did not set it."""
    is_gone: bool = False


class Mark(NamedTuple):
    """A place from which a stream can resume: every change after `position` comes after `token`."""

    position: Position
    token: dict[str, Any]


@dataclass(slots=True)
class ChangeWindow:
    """Keeps changes for `seconds`, at most `limit` of them, and marks to resume the stream from."""

    begin: Position
    """Changes after this position are all known."""
    seconds: float = WINDOW_SECONDS
    limit: int = MAX_CHANGES
    _rows: deque[tuple[float, ComplaintChange]] = field(default_factory=deque)
    """Changes with the monotonic time at which they were added, oldest first."""
    _marks: deque[Mark] = field(default_factory=deque)
    _marked_at: float = float("-inf")

    @property
    def end(self) -> Position:
        """The position of the last change that was seen."""
        return self._rows[-1][1].position if self._rows else self.begin

    def add(self, change: ComplaintChange) -> None:
        self._rows.append((time.monotonic(), change))
        if len(self._rows) > self.limit:
            self._evict()

    def mark(self, token: dict[str, Any]) -> None:
        """Notes that every change before the token has been added."""
        now = time.monotonic()
        if now - self._marked_at >= MARK_SECONDS:
            self._marked_at = now
            self._marks.append(Mark(self.end, token))
            self._evict()

    def changes_since(self, position: Position) -> list[ComplaintChange] | None:
        """Returns the changes after a position, oldest first; None if some of them may have been evicted."""
        if position < self.begin:
            return None
        same = [change for _, change in self._rows if change.position == position]
        after = [change for _, change in self._rows if change.position > position]
        # The changes of one transaction share a position. A client that names it may have received only some of
        # them, so all are repeated. A single change at the position was received, unless it is at `begin`, where
        # others of its transaction may have been evicted.
        return [*same, *after] if len(same) > 1 or (same and position == self.begin) else after

    def oldest_mark(self) -> Mark | None:
        """Returns the mark from which another process gets every change that is in this window."""
        return self._marks[0] if self._marks else None

    def _evict(self) -> None:
        oldest = time.monotonic() - self.seconds
        while self._rows and (self._rows[0][0] < oldest or len(self._rows) > self.limit):
            self.begin = self._rows.popleft()[1].position
        # A mark is no longer needed once the next one also precedes every change that is left.
        while len(self._marks) > 1 and self._marks[1].position <= self.begin:
            self._marks.popleft()
