"""Change streams with resume tokens: what changed in some collections, from a moment on and without a gap."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from pymongo.errors import OperationFailure

from resolvers.store.database import Document, PyMongoError, Store

WAIT_MS: Final = 500
"""How long the database holds a question open for which there is no answer yet."""
RETRY_SECONDS: Final = 0.5

_WRITES: Final = ("insert", "update", "replace", "delete")


class Change(NamedTuple):
    """`document` is the document as it is now; None where it is gone."""

    collection: str
    document_id: Any
    document: Document | None


class Follower(NamedTuple):
    """`reload` reads everything anew, `changed` takes one change, `current` hears that none is missing."""

    reload: Callable[[], Awaitable[None]]
    changed: Callable[[Change], None]
    current: Callable[[], None]


async def follow(store: Store, collections: Sequence[str], follower: Follower) -> None:
    """Runs until it is cancelled; one stream for all the collections.

    After a failure it goes on where it stopped; where the database no longer knows that place, or a collection was
    dropped or renamed, everything is read anew.
    """
    token: Any = None
    while True:
        try:
            if token is None:
                # Read after the moment that the stream starts from: nothing falls between the two.
                started = (await store.database.command("ping"))["operationTime"]
                await follower.reload()
                follower.current()
                token = await _stream(store, collections, follower, {"start_at_operation_time": started})
            else:
                token = await _stream(store, collections, follower, {"resume_after": token})
        except _Lost:
            token = None
        except _Broken as broken:
            token = broken.token
            await asyncio.sleep(RETRY_SECONDS)
        except PyMongoError:
            await asyncio.sleep(RETRY_SECONDS)


class _Lost(Exception):
    """The stream cannot go on from where it stopped."""


class _Broken(Exception):
    """The stream ended; it may go on from `token`."""

    def __init__(self, token: Any) -> None:
        super().__init__()
        self.token = token


async def _stream(store: Store, collections: Sequence[str], follower: Follower, start: dict[str, Any]) -> Any:
    token = start.get("resume_after")
    pipeline = [{"$match": {"ns.coll": {"$in": list(collections)}}}]
    try:
        async with store.database.watch(
            pipeline, full_document="updateLookup", max_await_time_ms=WAIT_MS, **start
        ) as stream:
            while bool(stream.alive):
                event = await stream.try_next()
                if event is None:
                    follower.current()
                elif event["operationType"] in _WRITES:
                    follower.changed(_change(event))
                else:
                    raise _Lost
                token = stream.resume_token
    except OperationFailure as failure:
        if token is None or failure.has_error_label("NonResumableChangeStreamError"):
            raise _Lost from failure
        raise _Broken(token) from failure
    except PyMongoError as failure:
        raise _Broken(token) from failure
    raise _Lost


def _change(event: Document) -> Change:
    return Change(event["ns"]["coll"], event["documentKey"]["_id"], event.get("fullDocument"))
