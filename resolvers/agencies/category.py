"""Reads categories."""

from operator import attrgetter
from typing import Final

from resolvers.agencies.reference import Register
from resolvers.documents import CategoryDoc
from resolvers.request.context import RequestContext
from resolvers.store.database import find_documents

by_code: Final[Register[CategoryDoc]] = Register(attrgetter("loaders.category"))


async def list_categories(context: RequestContext) -> list[CategoryDoc]:
    """Return the whole tree by code, so that a parent comes before its children."""
    return await find_documents(context.store.categories, {}, sort=[("_id", 1)])
