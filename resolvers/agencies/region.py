"""Reads regions."""

from operator import attrgetter
from typing import Any, Final

from resolvers.agencies.reference import Register
from resolvers.documents import RegionDoc
from resolvers.request.context import RequestContext
from resolvers.store.database import find_documents

by_code: Final[Register[RegionDoc]] = Register(attrgetter("loaders.region"))


async def list_regions(context: RequestContext, *, level: str | None, parent: str | None) -> list[RegionDoc]:
    """Return the regions that match, by code: at most 34 provinces and 514 regencies and cities."""
    wanted: dict[str, Any] = {"level": level, "parent": parent}
    query = {key: value for key, value in wanted.items() if value is not None}
    return await find_documents(context.store.regions, query, sort=[("_id", 1)])
