"""The change stream of complaints: what its events contain, and the mark from which the next process resumes."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bson import Timestamp

from resolvers.store.change_stream import OpenStream
from resolvers.store.change_window import ComplaintChange, Mark, Position
from resolvers.store.database import MAX_TIME_MS, Collection, Document, Store

_NAME: Final = "complaints"
_WATCHED_KEYS: Final = ("revision", "holder")


def open_stream(store: Store, batch_size: int) -> OpenStream:
    """The stream of complaints, at most `batch_size` events an answer; `read_change` reads its events."""
    return partial(store.complaints.watch, _build_pipeline(), batch_size=batch_size)


def _build_pipeline() -> list[Document]:
    """Keeps events that change what readers see, and removes all words of the complaint inside the database.

    Every change that readers can see raises `revision`. An update that does not (an entry moved to the audit,
    `wakeAt`) is filtered out.
    """
    is_visible = {"updateDescription.updatedFields.revision": {"$exists": True}}
    # An update's event has the new values in `updatedFields`, an insert's or a replacement's in `fullDocument`.
    places = ("updateDescription.updatedFields", "fullDocument")
    shown = {f"{place}.{key}": True for place in places for key in _WATCHED_KEYS}
    return [
        {"$match": {"$or": [{"operationType": {"$ne": "update"}}, is_visible]}},
        {"$project": {"operationType": True, "clusterTime": True, "documentKey": True, **shown}},
    ]


def read_change(event: Document) -> ComplaintChange:
    updated = event.get("updateDescription", {}).get("updatedFields")
    values = event.get("fullDocument", {}) if updated is None else updated
    return ComplaintChange(
        event["documentKey"]["_id"],
        to_position(event["clusterTime"]),
        values.get("revision", 0),
        values.get("holder"),
        is_gone=event["operationType"] == "delete",
    )


def to_position(instant: Timestamp) -> Position:
    return f"{instant.time:08x}{instant.inc:08x}"


async def save_mark(store: Store, mark: Mark) -> None:
    """Stores the mark from which the next process resumes."""
    values = {"position": mark.position, "token": mark.token, "at": datetime.now(UTC)}
    await _marks(store).update_one({"_id": _NAME}, {"$set": values}, upsert=True)


async def load_mark(store: Store) -> Mark | None:
    stored = await _marks(store).find_one({"_id": _NAME}, max_time_ms=MAX_TIME_MS)
    return None if stored is None else Mark(stored["position"], stored["token"])


def _marks(store: Store) -> Collection[Any]:
    return store.database["change_tokens"]
