"""Finds documents that are due for upkeep, by their key `wakeAt`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from resolvers.request.context import RequestContext
from resolvers.store import indexes
from resolvers.store.database import MAX_TIME_MS, Collection

Waking = TypeVar("Waking", bound=Mapping[str, Any])
"""A kind of document that the system looks at when its time has come."""


async def find_due(context: RequestContext, collection: Collection[Waking], limit: int) -> list[Waking]:
    """Return documents whose `wakeAt` has passed, oldest first."""
    found = collection.find({"wakeAt": {"$lte": context.now}}, limit=limit, max_time_ms=MAX_TIME_MS)
    return await found.sort([("wakeAt", 1), ("_id", 1)]).hint(indexes.WAKE).to_list(limit)


async def postpone(collection: Collection[Waking], document: Waking, until: datetime) -> None:
    """Postpone a document whose step failed, so that it does not block the queue. A document that has changed stays."""
    unchanged = {"_id": document["_id"], "revision": document["revision"]}
    await collection.update_one(unchanged, {"$set": {"wakeAt": until}})
