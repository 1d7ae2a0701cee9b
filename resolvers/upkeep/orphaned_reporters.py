"""Removes reporters whose complaint was never stored, because a server ended between the two writes."""

from datetime import datetime

from resolvers.documents import ReporterDoc
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, Store
from resolvers.upkeep import schedule
from resolvers.vault import vault


async def find_due(context: RequestContext, limit: int) -> list[ReporterDoc]:
    """Return reporters whose complaint is not yet known to be stored, when it is time to check."""
    return await schedule.find_due(context, context.store.reporters, limit)


async def settle_reporter(context: RequestContext, reporter: ReporterDoc) -> str | None:
    """Keep a reporter whose complaint is stored, or who was erased; discard any other."""
    reporter_id = reporter["_id"]
    claiming = {"_id": reporter["complaint"], "reporter": reporter_id}
    claim = await context.store.complaints.find_one(claiming, {"_id": True}, max_time_ms=MAX_TIME_MS)
    if claim is None and reporter["erasedAt"] is None:
        await vault.discard(context, reporter_id)
        return "UNCLAIMED_REPORTER"
    await context.store.reporters.update_one({"_id": reporter_id}, {"$unset": {"wakeAt": True}})
    return None


async def postpone(store: Store, reporter: ReporterDoc, until: datetime) -> None:
    await store.reporters.update_one({"_id": reporter["_id"]}, {"$set": {"wakeAt": until}})
