"""One stream of changes a process to all who subscribed: found by complaint and by agency, each document read once."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from resolvers.errors import FellBehind, StateLost
from resolvers.store import tail
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document, PyMongoError, Store
from resolvers.store.window import Position, Touched, Window

QUEUED_EVENTS: Final = 1_000
"""So many may wait for a subscriber, of documents that all share: who is slower is let go."""
KEEP_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.2
FRESH_TRIES: Final = 50
"""After a fail-over the new primary may for a moment not say yet what the old one had said."""

_COMPLAINTS: Final = "complaints"
_KEYS: Final = frozenset({"_id", "revision", "holder", "holders"})


class Event(NamedTuple):
    """A complaint as it is after one or more changes; None where it is gone. Shared: nobody changes it in place."""

    complaint_id: str
    document: Document | None
    position: Position


@dataclass(slots=True, eq=False)
class Subscriber:
    """One subscription's events, in order, until they end."""

    number: int
    """Rises with each that subscribes."""
    _events: deque[Event] = field(default_factory=deque)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _end: Exception | None = None

    def put(self, event: Event) -> None:
        if len(self._events) >= QUEUED_EVENTS:
            self.end(FellBehind())
        if self._end is None:
            self._events.append(event)
            self._came.set()

    def end(self, reason: Exception) -> None:
        if self._end is None:
            self._end = reason
            self._events.clear()
            self._came.set()

    async def next(self) -> Event:
        """Raises FellBehind and StateLost."""
        while not self._events:
            if self._end is not None:
                raise self._end
            self._came.clear()
            await self._came.wait()
        return self._events.popleft()


class _Due(NamedTuple):
    """What has to be told of a complaint: its changes since it was told last, as one."""

    position: Position
    revision: int
    holder: str | None
    """The last that the changes set; None where none of them did."""
    moves: int
    is_gone: bool


class FanOut:
    """The subscribers of a process, and the one stream that feeds them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._window: Window | None = None
        self._until: Position = ""
        self._begun = asyncio.Event()
        self._of_complaint: dict[str, set[Subscriber]] = {}
        self._of_agency: dict[str, set[Subscriber]] = {}
        self._keys: Counter[str] = Counter()
        self._number = 0
        self._due: dict[str, _Due] = {}
        self._came = asyncio.Event()
        self._current_at = time.monotonic()

    @contextmanager
    def subscribed(
        self, keys: frozenset[str], *, complaint: str | None = None, agency: str | None = None
    ) -> Iterator[Subscriber]:
        """Told of every change from now on, of the complaint or of what the agency holds; `keys` are read of it."""
        self._number += 1
        subscriber = Subscriber(self._number)
        index, key = (self._of_complaint, complaint) if complaint is not None else (self._of_agency, agency or "")
        index.setdefault(key, set()).add(subscriber)
        self._keys.update(keys)
        try:
            yield subscriber
        finally:
            self._keys.subtract(keys)
            index[key].discard(subscriber)
            if not index[key]:
                del index[key]

    def count(self) -> int:
        return sum(len(found) for index in (self._of_complaint, self._of_agency) for found in index.values())

    def lag_seconds(self) -> float:
        """How long ago everything that had changed was known to be told."""
        return time.monotonic() - self._current_at

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(tail.follow(self.store, _COMPLAINTS, self))
            group.create_task(self._tell())
            group.create_task(self._keep())

    async def begun(self) -> None:
        """Waits until every change from now on is told of."""
        await self._begun.wait()

    def position(self) -> Position | None:
        """Of the last change that was seen."""
        return None if self._window is None else self._window.end

    def since(self, position: Position) -> list[Touched] | None:
        """The changes after a place, oldest first; None where not all of them are known."""
        return None if self._window is None else self._window.since(position)

    def begin(self, position: Position, until: Position) -> None:
        self._window, self._until = Window(position), until
        if position >= until:
            self._begun.set()

    def touched(self, change: Touched) -> None:
        assert self._window is not None  # noqa: S101 - a stream begins before it tells
        self._window.add(change)
        if change.position > self._until:
            self._begun.set()
        # What is past is for those who come back.
        if self._begun.is_set() and self.is_heard():
            self._due[change.document_id] = _together(self._due.pop(change.document_id, None), change)
            self._came.set()

    def current(self, token: dict[str, Any], is_idle: bool) -> None:
        assert self._window is not None  # noqa: S101 - likewise
        self._window.mark(token)
        if is_idle:
            self._begun.set()
        if not self._due:
            self._current_at = time.monotonic()

    def is_heard(self) -> bool:
        return bool(self._of_complaint or self._of_agency)

    def lost(self) -> None:
        self._begun.clear()
        self._window = None
        self._due.clear()
        for index in (self._of_complaint, self._of_agency):
            for found in index.values():
                for subscriber in found:
                    subscriber.end(StateLost())

    async def _keep(self) -> None:
        kept = None
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            mark = None if self._window is None else self._window.tail()
            if mark is not None and mark != kept:
                try:
                    await tail.keep(self.store, _COMPLAINTS, mark)
                    kept = mark
                except PyMongoError:
                    continue

    async def _tell(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            # What comes while these are read is told together, after them.
            due, self._due = self._due, {}
            await self._put(due, await self._read(due))

    async def _read(self, due: dict[str, _Due]) -> "_Read":
        """What somebody subscribed for, however long the database is away."""
        stale = 0
        while True:
            try:
                number = self._number
                read = _Read(await self._documents(due), number)
            except PyMongoError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            stale += 1
            if stale >= FRESH_TRIES or self._is_fresh(due, read.documents):
                return read
            await asyncio.sleep(RETRY_SECONDS)

    async def _documents(self, due: dict[str, _Due]) -> dict[str, Document]:
        """In one command, those alone that somebody subscribed for."""
        asked: list[Document] = []
        if named := [complaint_id for complaint_id in due if complaint_id in self._of_complaint]:
            asked.append({"_id": {"$in": named}})
        if self._of_agency:
            moved = [complaint_id for complaint_id, row in due.items() if row.moves]
            asked.append({"_id": {"$in": moved}, "holders": {"$in": list(self._of_agency)}})
            asked.append({"_id": {"$in": list(due)}, "holder": {"$in": list(self._of_agency)}})
        if not asked:
            return {}
        projection = dict.fromkeys((*+self._keys, *_KEYS), True)
        found = self.store.complaints.find({"$or": asked}, projection, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
        return {row["_id"]: row for row in await found.to_list(None)}

    def _is_fresh(self, due: dict[str, _Due], found: dict[str, Document]) -> bool:
        """Whether no document is older than what was told of it."""
        for complaint_id, row in due.items():
            document, later = found.get(complaint_id), self._due.get(complaint_id)
            if document is None and not row.is_gone and not (later and later.is_gone):
                if complaint_id in self._of_complaint or row.holder in self._of_agency:
                    return False
            elif document is not None and document["revision"] < row.revision:
                return False
        return True

    async def _put(self, due: dict[str, _Due], read: "_Read") -> None:
        for complaint_id, row in sorted(due.items(), key=lambda pair: pair[1].position):
            document = read.documents.get(complaint_id)
            if document is None and not row.is_gone:
                continue
            event = Event(complaint_id, document, row.position)
            for subscriber in self._concerned(complaint_id, document, row.moves):
                # Whoever subscribed since then reads what was there already, and may need other keys.
                if subscriber.number <= read.number:
                    subscriber.put(event)
            # When many change at once, whoever is told takes turns with who tells.
            await asyncio.sleep(0)

    def _concerned(self, complaint_id: str, document: Document | None, moves: int) -> set[Subscriber]:
        found = set(self._of_complaint.get(complaint_id, ()))
        if document is not None:
            # Those that it has left are told too.
            left = document["holders"][-1 - moves :] if moves else ()
            for agency in {document["holder"], *left}:
                found |= self._of_agency.get(agency, set())
        return found


class _Read(NamedTuple):
    documents: dict[str, Document]
    number: int
    """Of the last subscriber that they were read for."""


def _together(before: _Due | None, change: Touched) -> _Due:
    revision, holder = change.revision, change.holder
    moves = 0 if holder is None else 1
    if before is not None:
        revision, moves, holder = max(before.revision, revision), before.moves + moves, holder or before.holder
    return _Due(change.position, revision, holder, moves, change.is_gone)
