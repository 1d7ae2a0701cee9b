"""Follows one collection's changes without their documents, from a stored place on: through failures and restarts."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from bson import Timestamp
from pymongo.errors import OperationFailure

from resolvers.store.database import MAX_TIME_MS, Collection, Document, PyMongoError, Store
from resolvers.store.window import Mark, Position, Touched

WAIT_MS: Final = 500
"""How long the database holds a question open for which there is no answer yet."""
RETRY_SECONDS: Final = 0.5
AT_ONCE: Final = 500
"""Changes in one answer: after a restart there are many, and requests wait while an answer is read."""
UNHEARD_SECONDS: Final = 0.2
"""Between two questions while nobody listens: many changes come in one answer."""

_WRITES: Final = ("insert", "update", "replace", "delete")
_WATCHED: Final = ("revision", "holder")
_HISTORY_LOST: Final = 286


class Sink(Protocol):
    """Who is told."""

    def begin(self, position: Position, until: Position) -> None:
        """What comes is all that has changed since `position`; what came before `until` is past."""

    def touched(self, change: Touched) -> None: ...

    def current(self, token: dict[str, Any], is_idle: bool) -> None:
        """Everything before the token has been told; where `is_idle`, there is no more yet."""

    def is_heard(self) -> bool:
        """Whether somebody listens."""

    def lost(self) -> None:
        """Changes are missing: the database does not know any more where this process stopped."""


class _Lost(Exception):
    """The stream cannot go on from where it stopped."""


async def follow(store: Store, name: str, sink: Sink) -> None:
    """Runs until it is cancelled. A change is told where it sets the revision; its documents are not read.

    After a failure it goes on where it stopped, after a start where the processes before it kept a place to go on.
    """
    mark, pipeline = await _kept(store, name), _pipeline()
    start: Document = {} if mark is None else {"resume_after": mark.token}
    now: Timestamp | None = None
    while True:
        try:
            if now is None:
                now = (await store.database.command("ping"))["operationTime"]
                since = _position(now) if mark is None or not start else mark.position
                start = start or {"start_at_operation_time": now}
                sink.begin(since, _position(now))
            asked = {"max_await_time_ms": WAIT_MS, "batch_size": AT_ONCE, **start}
            async with store.database[name].watch(pipeline, **asked) as stream:
                while bool(stream.alive):
                    told = await _next(stream, sink)
                    start = {"resume_after": stream.resume_token}
                    if told < AT_ONCE and not sink.is_heard():
                        await asyncio.sleep(UNHEARD_SECONDS)
            raise _Lost
        except _Lost:
            start, now = {}, None
            sink.lost()
        except OperationFailure as failure:
            if start and _is_over(failure):
                start, now = {}, None
                sink.lost()
            await asyncio.sleep(RETRY_SECONDS)
        except PyMongoError:
            await asyncio.sleep(RETRY_SECONDS)


async def _next(stream: Any, sink: Sink) -> int:
    """How many changes were told: those of one answer."""
    event = await stream.try_next()
    told = 0
    while event is not None:
        if event["operationType"] not in _WRITES:
            raise _Lost
        sink.touched(_touched(event))
        told += 1
        # What came with it is at hand; Motor would go to a thread and back for each.
        event = stream.delegate.try_next() if stream.delegate._cursor._data else None
    sink.current(stream.resume_token, is_idle=told == 0)
    return told


def _is_over(failure: OperationFailure) -> bool:
    return failure.code == _HISTORY_LOST or failure.has_error_label("NonResumableChangeStreamError")


def _pipeline() -> list[Document]:
    """Events of what is written to readers' eyes, stripped of every word in it before they leave the database."""
    updated = {"updateDescription.updatedFields.revision": {"$exists": True}}
    shown = {f"{part}.{key}": True for part in ("updateDescription.updatedFields", "fullDocument") for key in _WATCHED}
    return [
        {"$match": {"$or": [{"operationType": {"$ne": "update"}}, updated]}},
        {"$project": {"operationType": True, "clusterTime": True, "documentKey": True, **shown}},
    ]


def _touched(event: Document) -> Touched:
    updated = event.get("updateDescription", {}).get("updatedFields")
    changed = event.get("fullDocument", {}) if updated is None else updated
    return Touched(
        event["documentKey"]["_id"],
        _position(event["clusterTime"]),
        changed.get("revision", 0),
        changed.get("holder"),
        is_gone=event["operationType"] == "delete",
    )


def _position(instant: Timestamp) -> Position:
    return f"{instant.time:08x}{instant.inc:08x}"


def _places(store: Store) -> Collection:
    return store.database["change_tokens"]


async def keep(store: Store, name: str, mark: Mark) -> None:
    """Keeps the place where the next process may begin: a position and the database's own token of it."""
    kept = {"position": mark.position, "token": mark.token, "at": datetime.now(UTC)}
    await _places(store).update_one({"_id": name}, {"$set": kept}, upsert=True)


async def _kept(store: Store, name: str) -> Mark | None:
    while True:
        try:
            found = await _places(store).find_one({"_id": name}, max_time_ms=MAX_TIME_MS)
        except PyMongoError:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        return None if found is None else Mark(found["position"], found["token"])
