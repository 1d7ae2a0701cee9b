"""Documents that the system has to look at: found by the instant at which they asked for it."""

from datetime import datetime

from resolvers.request.context import RequestContext
from resolvers.store import indexes
from resolvers.store.database import MAX_TIME_MS, Collection, Document


async def find_due(context: RequestContext, collection: Collection, limit: int) -> list[Document]:
    """Those whose instant has come, the longest due first."""
    found = collection.find({"wakeAt": {"$lte": context.now}}, limit=limit, max_time_ms=MAX_TIME_MS)
    return await found.sort([("wakeAt", 1), ("_id", 1)]).hint(indexes.WAKE).to_list(limit)


async def postpone(collection: Collection, document: Document, until: datetime) -> None:
    """Puts off one on which a step failed, so that it does not stand before the others; not one changed meanwhile."""
    unchanged = {"_id": document["_id"], "revision": document["revision"]}
    await collection.update_one(unchanged, {"$set": {"wakeAt": until}})
