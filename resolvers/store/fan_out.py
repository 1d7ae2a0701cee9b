"""Fans the change stream of complaints out to this process's subscribers, by complaint and by agency.

However many subscribe, a complaint that changes is read once. What changes while a read is under way is merged and
read together next:

    change stream ─► ChangeWindow ─► pending changes, merged by complaint ─► one read ─► each subscriber's queue
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bson import Timestamp

from resolvers.documents import ComplaintDoc, Filter
from resolvers.errors import FellBehind, StateLost
from resolvers.store import complaint_stream
from resolvers.store.change_stream import ResumeToken, follow_stream
from resolvers.store.change_window import ChangeWindow, ComplaintChange, Mark, Position
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document, PyMongoError, Store

MAX_QUEUED_EVENTS: Final = 1_000
"""Events that may wait for one subscriber (subscribers share their documents); a slower one is ended."""
STREAM_BATCH_SIZE: Final = 500
"""Events in one answer of the database. After a restart there are many, and requests wait while one is read."""
UNHEARD_SECONDS: Final = 0.2
"""Pause between two answers while nobody subscribes: many changes then come in one answer."""
SAVE_SECONDS: Final = 5.0
"""How often the mark for the next process is stored."""
RETRY_SECONDS: Final = 0.2
MAX_STALE_READS: Final = 50
"""After a fail-over the new primary may for a moment not show a change that the old one reported: 10 s of retries."""

_KEYS: Final = frozenset({"_id", "revision", "holder", "holders"})


class ComplaintEvent(NamedTuple):
    """A complaint after one or more changes. Subscribers share the document and must not change it."""

    complaint_id: str
    document: ComplaintDoc | None
    """None if the complaint was deleted."""
    position: Position


@dataclass(slots=True, eq=False)
class Subscriber:
    """The queue of one subscription: events in order, then the error that ended it."""

    number: int
    """Subscribers are numbered in the order in which they subscribed."""
    _events: deque[ComplaintEvent] = field(default_factory=deque)
    _has_news: asyncio.Event = field(default_factory=asyncio.Event)
    _end: Exception | None = None

    def put(self, event: ComplaintEvent) -> None:
        if len(self._events) >= MAX_QUEUED_EVENTS:
            self.end(FellBehind())
        if self._end is None:
            self._events.append(event)
            self._has_news.set()

    def end(self, reason: Exception) -> None:
        if self._end is None:
            self._end = reason
            self._events.clear()
            self._has_news.set()

    async def next(self) -> ComplaintEvent:
        """Waits for the next event. Raises FellBehind and StateLost."""
        while not self._events:
            if self._end is not None:
                raise self._end
            self._has_news.clear()
            await self._has_news.wait()
        return self._events.popleft()


class _PendingChange(NamedTuple):
    """The changes of one complaint since its last event, merged into one."""

    position: Position
    """Of the last change."""
    revision: int
    holder: str | None
    """The last holder that the changes set; None if none of them set it."""
    moves: int
    """How many of the changes set the holder."""
    is_gone: bool


class _ComplaintsRead(NamedTuple):
    documents: dict[str, ComplaintDoc]
    number: int
    """Of the last subscriber whose keys and ids the read includes."""


class FanOut:
    """The subscribers of a process; follows the one change stream that feeds them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._window: ChangeWindow | None = None
        """None until the stream begins, and after events were lost."""
        self._may_resume = True
        """Whether to begin at the stored mark: not again after events from there on were lost."""
        self._present: Position = ""
        """The time at which the stream began: changes up to it happened before this process followed."""
        self._begun = asyncio.Event()
        self._by_complaint: dict[str, set[Subscriber]] = {}
        self._by_agency: dict[str, set[Subscriber]] = {}
        self._keys: Counter[str] = Counter()
        """The document's keys that subscribers read, with the number of subscribers that do."""
        self._last_number = 0
        self._pending: dict[str, _PendingChange] = {}
        """By complaint, in the order of their last changes."""
        self._has_pending = asyncio.Event()
        self._current_at = time.monotonic()

    @contextmanager
    def subscribe(
        self, keys: frozenset[str], *, complaint: str | None = None, agency: str | None = None
    ) -> Iterator[Subscriber]:
        """Subscribes to one complaint, or to all that an agency holds; events' documents have at least `keys`."""
        self._last_number += 1
        subscriber = Subscriber(self._last_number)
        index, key = (self._by_complaint, complaint) if complaint is not None else (self._by_agency, agency or "")
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
        return sum(len(each) for index in (self._by_complaint, self._by_agency) for each in index.values())

    def lag_seconds(self) -> float:
        """Seconds since every known change had been handed to its subscribers."""
        return time.monotonic() - self._current_at

    async def run(self) -> None:
        """Follows the stream until it is cancelled."""
        self._may_resume = True
        open_stream = complaint_stream.open_stream(self.store, STREAM_BATCH_SIZE)
        async with asyncio.TaskGroup() as group:
            group.create_task(follow_stream(self.store, open_stream, self))
            group.create_task(self._publish())
            group.create_task(self._save_marks())

    async def wait_until_begun(self) -> None:
        """Waits until subscribers get every change from now on."""
        await self._begun.wait()

    def position(self) -> Position | None:
        """Returns the position of the last change that was seen; None before the stream begins."""
        return None if self._window is None else self._window.end

    def changes_since(self, position: Position) -> list[ComplaintChange] | None:
        """Returns the changes after a position, oldest first; None if some of them may be unknown."""
        return None if self._window is None else self._window.changes_since(position)

    async def begin(self, now: Timestamp) -> ResumeToken | None:
        """Begins at the mark of the process before, if there is one, so that its clients can resume here."""
        mark = await complaint_stream.load_mark(self.store) if self._may_resume else None
        self._present = complaint_stream.to_position(now)
        since = self._present if mark is None else mark.position
        self._window = ChangeWindow(since)
        if since >= self._present:
            self._begun.set()
        return None if mark is None else mark.token

    async def take(self, events: Sequence[Document], token: ResumeToken) -> None:
        assert self._window is not None  # noqa: S101 - `begin` comes before `take`
        for event in events:
            self._note(self._window, complaint_stream.read_change(event))
        self._window.mark(token)
        if not events:
            self._begun.set()
        if not self._pending:
            self._current_at = time.monotonic()
        if len(events) < STREAM_BATCH_SIZE and not self.has_subscribers():
            await asyncio.sleep(UNHEARD_SECONDS)

    def _note(self, window: ChangeWindow, change: ComplaintChange) -> None:
        window.add(change)
        if change.position > self._present:
            self._begun.set()
        # Changes from before the present are only for clients that resume: subscribers have read newer state.
        if self._begun.is_set() and self.has_subscribers():
            earlier = self._pending.pop(change.document_id, None)
            self._pending[change.document_id] = _merge_change(earlier, change)
            self._has_pending.set()

    def has_subscribers(self) -> bool:
        return bool(self._by_complaint or self._by_agency)

    def lose(self) -> None:
        """Ends all subscribers: they must read the state anew."""
        self._may_resume = False
        self._begun.clear()
        self._window = None
        self._pending.clear()
        for index in (self._by_complaint, self._by_agency):
            for each in index.values():
                for subscriber in each:
                    subscriber.end(StateLost())

    async def _save_marks(self) -> None:
        saved: Mark | None = None
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            mark = None if self._window is None else self._window.oldest_mark()
            if mark is not None and mark != saved:
                try:
                    await complaint_stream.save_mark(self.store, mark)
                    saved = mark
                except PyMongoError:
                    continue

    async def _publish(self) -> None:
        while True:
            await self._has_pending.wait()
            self._has_pending.clear()
            # Changes that arrive during this read are merged and read next.
            pending, self._pending = self._pending, {}
            await self._deliver(pending, await self._read(pending))

    async def _read(self, pending: dict[str, _PendingChange]) -> _ComplaintsRead:
        """Reads the complaints that somebody subscribed for; retries as long as the database is away."""
        reads = 0
        while True:
            try:
                number = self._last_number
                read = _ComplaintsRead(await self._find_documents(pending), number)
            except PyMongoError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            reads += 1
            if reads >= MAX_STALE_READS or self._is_fresh(pending, read.documents):
                return read
            await asyncio.sleep(RETRY_SECONDS)

    async def _find_documents(self, pending: dict[str, _PendingChange]) -> dict[str, ComplaintDoc]:
        """Reads by id, in one command, only complaints that somebody subscribed for."""
        conditions: list[Filter] = []
        if named := [complaint_id for complaint_id in pending if complaint_id in self._by_complaint]:
            conditions.append({"_id": {"$in": named}})
        if self._by_agency:
            moved = [complaint_id for complaint_id, change in pending.items() if change.moves]
            conditions.append({"_id": {"$in": moved}, "holders": {"$in": list(self._by_agency)}})
            conditions.append({"_id": {"$in": list(pending)}, "holder": {"$in": list(self._by_agency)}})
        if not conditions:
            return {}
        projection = dict.fromkeys((*+self._keys, *_KEYS), True)
        found = self.store.complaints.find(
            {"$or": conditions}, projection, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS
        )
        return {row["_id"]: row for row in await found.to_list(None)}

    def _is_fresh(self, pending: dict[str, _PendingChange], documents: dict[str, ComplaintDoc]) -> bool:
        """Whether each document shows the change that was reported of it."""
        for complaint_id, change in pending.items():
            document, later = documents.get(complaint_id), self._pending.get(complaint_id)
            if document is None and not change.is_gone and not (later and later.is_gone):
                if complaint_id in self._by_complaint or change.holder in self._by_agency:
                    return False
            elif document is not None and document["revision"] < change.revision:
                return False
        return True

    async def _deliver(self, pending: dict[str, _PendingChange], read: _ComplaintsRead) -> None:
        for complaint_id, change in sorted(pending.items(), key=lambda item: item[1].position):
            document = read.documents.get(complaint_id)
            if document is None and not change.is_gone:
                continue
            event = ComplaintEvent(complaint_id, document, change.position)
            for subscriber in self._find_subscribers(complaint_id, document, change.moves):
                # A later subscriber reads this state itself, and may need keys that this document lacks.
                if subscriber.number <= read.number:
                    subscriber.put(event)
            # With many events, this lets the subscribers' tasks run in between.
            await asyncio.sleep(0)

    def _find_subscribers(self, complaint_id: str, document: ComplaintDoc | None, moves: int) -> set[Subscriber]:
        subscribers = set(self._by_complaint.get(complaint_id, ()))
        if document is not None:
            # `holders` lists everyone who has held it, the present holder last. After two moves A → B → C, A and B
            # are told as well as C: the complaint has left their inboxes.
            left = document["holders"][-1 - moves :] if moves else ()
            for agency in {document["holder"], *left}:
                subscribers |= self._by_agency.get(agency, set())
        return subscribers


def _merge_change(earlier: _PendingChange | None, change: ComplaintChange) -> _PendingChange:
    revision, holder = change.revision, change.holder
    moves = 0 if holder is None else 1
    if earlier is not None:
        revision, moves = max(earlier.revision, revision), earlier.moves + moves
        holder = holder or earlier.holder
    return _PendingChange(change.position, revision, holder, moves, change.is_gone)
