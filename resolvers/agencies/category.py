"""Reads categories."""

from operator import attrgetter
from typing import Final

from resolvers.agencies.reference import Register
from resolvers.request.context import RequestContext
from resolvers.store.database import Document, find_documents

by_code: Final = Register(attrgetter("loaders.category"))


async def list_categories(context: RequestContext) -> list[Document]:
    """Return the whole tree by code, so that a parent comes before its children."""
    return await find_documents(context.store.categories, {}, sort=[("_id", 1)])
