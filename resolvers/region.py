"""Regions: read."""

from typing import Any

from resolvers.context import RequestContext
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document


async def by_code(context: RequestContext, code: str) -> Document | None:
    return await context.loaders.region.load(code)


async def listing(context: RequestContext, *, level: str | None, parent: str | None) -> list[Document]:
    """All that match, by code: 34 provinces, 514 regencies and cities."""
    wanted: dict[str, Any] = {"level": level, "parent": parent}
    query = {key: value for key, value in wanted.items() if value is not None}
    found = context.store.regions.find(query, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
    return await found.sort("_id").to_list(None)
