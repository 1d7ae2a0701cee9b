"""Categories: read."""

from resolvers.context import RequestContext
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document


async def by_code(context: RequestContext, code: str) -> Document | None:
    return await context.loaders.category.load(code)


async def listing(context: RequestContext) -> list[Document]:
    """The whole tree, by code: parents before what lies in them."""
    return await context.store.categories.find(batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS).sort("_id").to_list(None)
