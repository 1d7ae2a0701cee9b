"""Reads agencies and their units."""

import re
from collections.abc import Awaitable, Mapping
from operator import attrgetter
from typing import Any, Final

from resolvers.agencies.reference import Register
from resolvers.documents import AgencyDoc, Filter, OrgUnitDoc
from resolvers.domain.vocabulary import AgencyKind
from resolvers.errors import InvalidArgument
from resolvers.paging.listing import Arguments, Cursors, Listing, encode_scope
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Ready
from resolvers.store import indexes, pages
from resolvers.store.database import MAX_TIME_MS, Store

MAX_SEARCH_LENGTH = 100

by_id: Final[Register[AgencyDoc]] = Register(attrgetter("loaders.agency"))


async def find_unit(context: RequestContext, unit_id: str) -> OrgUnitDoc | None:
    """Find a unit by its id, which begins with the id of its agency: `kab-badung/pupr`."""
    agency = await by_id(context, unit_id.partition("/")[0])
    return next((unit for unit in agency["units"] if unit["id"] == unit_id), None) if agency else None


async def list_ids(store: Store) -> list[str]:
    """Return the ids of all agencies."""
    return await store.agencies.distinct("_id", maxTimeMS=MAX_TIME_MS)


def list_regencies(context: RequestContext, agency: AgencyDoc) -> Awaitable[list[AgencyDoc]]:
    """Return the regencies and cities of a province, by name; an empty list for any other agency."""
    return context.loaders.regencies.load(agency["_id"]) if agency["kind"] == AgencyKind.PROVINCE else Ready([])


def list_agencies(
    context: RequestContext, filter: Mapping[str, Any], arguments: Arguments, *, keys: frozenset[str] | None = None
) -> Listing:
    """List agencies by name; `filter` has the keys of AgencyFilter, and `keys` are the keys to read.

    Raises InvalidArgument for a search text of more than 100 characters.
    """
    order, cursors = pages.Order("name"), Cursors(context.secret_key, encode_scope("agencies", filter))
    kinds = list(map(str, filter.get("kinds", AgencyKind)))
    equal = {key: filter[key] for key in ("province", "connected", "pilot") if key in filter}
    held = context.loaders.agency.find_rows()
    if held is not None and "search" not in filter:
        matching = [agency for agency in held.values() if agency.get("kind") in kinds]
        matching = [agency for agency in matching if equal.items() <= agency.items()] if equal else matching
        if all(isinstance(agency.get("name"), str) for agency in matching):
            return pages.build_listing_in_memory(matching, order, arguments, cursors)
    query: Filter = {"kind": {"$in": kinds}} | equal
    if "search" in filter:
        query |= _make_search(filter["search"])
    hint = indexes.choose(indexes.AGENCY_LISTS, set(query) - {"$or"}, "name")
    return pages.build_listing(context.store.agencies, [pages.Part(query, hint)], order, arguments, cursors, keys=keys)


def _make_search(text: str) -> Filter:
    if len(text) > MAX_SEARCH_LENGTH:
        raise InvalidArgument(f"search has {len(text)} characters; at most {MAX_SEARCH_LENGTH} are taken.")
    part = {"$regex": re.escape(text), "$options": "i"}
    return {"$or": [{"name": part}, {"shortName": part}]}
