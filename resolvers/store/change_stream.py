"""Follows MongoDB change streams: opens them, resumes after a failure, and reports when events were lost.

Every change stream of the process goes through `follow_stream`; users differ only in what they do with the events.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from bson import Timestamp
from pymongo.errors import OperationFailure

from resolvers.store.database import Document, PyMongoError, Store

WAIT_MS: Final = 500
"""How long the database holds a request for events open while there are none."""
RETRY_SECONDS: Final = 0.5

_WRITES: Final = frozenset({"insert", "update", "replace", "delete"})
_HISTORY_LOST: Final = 286
"""Server error ChangeStreamHistoryLost: the oplog no longer reaches back to the resume token."""

ResumeToken = Document
"""The database's own name of a place in a stream; opaque."""

OpenStream = Callable[..., Any]
"""The `watch` method of a database or a collection, with its pipeline and options."""


class StreamFollower(Protocol):
    """What is done with the events of a stream: `begin`, then `take` again and again; after `lose`, `begin` again."""

    async def begin(self, now: Timestamp) -> ResumeToken | None:
        """Prepares for the stream, which then starts after the returned token, or at `now` without one.

        Documents that are read here are not older than `now`: together with the events they leave no gap.
        A PyMongoError is retried.
        """
        ...

    async def take(self, events: Sequence[Document], token: ResumeToken) -> None:
        """Takes the events of one answer, oldest first; `token` is the place after them.

        No events: there were none to wait for, so everything written before has been taken.
        """
        ...

    def lose(self) -> None:
        """Learns that events are missing, so that earlier state cannot be brought up to date by later events."""
        ...


class _EventsLost(Exception):
    """The stream cannot continue from its last resume token."""


async def follow_stream(store: Store, open_stream: OpenStream, follower: StreamFollower) -> None:
    """Hands the events of a stream to the follower, each once and in order, until it is cancelled.

    begin → open → take, take, …   a failure: open again after the last token
      ↑               │
      └──── lose ─────┘            no history from that token on, or a collection was dropped or renamed
    """
    start: Document | None = None
    while True:
        try:
            if start is None:
                # The time is read before `begin` reads documents: a write between the two comes as an event, too.
                now = (await store.database.command("ping"))["operationTime"]
                token = await follower.begin(now)
                start = {"start_at_operation_time": now} if token is None else {"resume_after": token}
            async with open_stream(max_await_time_ms=WAIT_MS, **start) as stream:
                while bool(stream.alive):
                    events = await _read_batch(stream)
                    start = {"resume_after": stream.resume_token}
                    await follower.take(events, stream.resume_token)
            raise _EventsLost
        except _EventsLost:
            start = None
            follower.lose()
        except OperationFailure as failure:
            if start is not None and _is_history_lost(failure):
                start = None
                follower.lose()
            await asyncio.sleep(RETRY_SECONDS)
        except PyMongoError:
            await asyncio.sleep(RETRY_SECONDS)


def watch_collections(store: Store, names: Sequence[str]) -> OpenStream:
    """One stream for several collections; an update's event has the whole document as it is when it is read."""
    pipeline = [{"$match": {"ns.coll": {"$in": list(names)}}}]
    return partial(store.database.watch, pipeline, full_document="updateLookup")


async def notify_of_changes(store: Store, collection: str, notify: Callable[[], None]) -> None:
    """Calls `notify` at the start and whenever documents of the collection may have changed, until it is cancelled."""
    pipeline = [{"$project": {"operationType": True}}]
    await follow_stream(store, partial(store.database[collection].watch, pipeline), _Notifier(notify))


class _Notifier:
    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify

    async def begin(self, now: Timestamp) -> None:
        self._notify()

    async def take(self, events: Sequence[Document], token: ResumeToken) -> None:
        if events:
            self._notify()

    def lose(self) -> None:
        """Needs nothing here: `begin` follows and notifies."""


async def _read_batch(stream: Any) -> list[Document]:
    """Returns the events of one answer. Raises _EventsLost for an event that is no write of a document."""
    events: list[Document] = []
    event = await stream.try_next()
    while event is not None:
        if event["operationType"] not in _WRITES:
            raise _EventsLost  # drop, rename, dropDatabase, invalidate
        events.append(event)
        # The driver already holds the rest of the answer: Motor's `try_next` would use a thread for each event.
        event = stream.delegate.try_next() if stream.delegate._cursor._data else None
    return events


def _is_history_lost(failure: OperationFailure) -> bool:
    return failure.code == _HISTORY_LOST or failure.has_error_label("NonResumableChangeStreamError")
