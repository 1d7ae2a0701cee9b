"""Keyset paging: turns a filter and an order into a page of a collection.

A page after a cursor continues from the sort key and id of the cursor's document, so its cost does not depend on how
many pages came before, and inserted documents shift nothing:

    newest first, after (2026-11-24, LP-7) → receivedAt ≤ 2026-11-24 and (receivedAt < 2026-11-24 or _id < LP-7)
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from typing import Any, Final, NamedTuple

from resolvers.documents import Filter
from resolvers.errors import TookTooLong
from resolvers.paging.keys import ProjectionKeys
from resolvers.paging.listing import Arguments, Cursors, Listing, Page
from resolvers.store.database import MAX_TIME_MS, Collection, Document, ExecutionTimeout, find_documents

COUNT_TIME_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Order:
    key: str
    descending: bool = False


class Part(NamedTuple):
    """What one command reads: a filter, and the name of the index that serves it."""

    filter: Filter
    hint: str | None


def build_listing(
    collection: Collection[Any],
    parts: Sequence[Part],
    order: Order,
    arguments: Arguments,
    cursors: Cursors,
    *,
    keys: frozenset[str] | None = None,
    instants: frozenset[str] | None = None,
) -> Listing:
    """Returns a list over a collection. No document may match more than one part.

    `keys` are the document's keys that are read, all if None. `instants` are the keys that may hold instants, if known:
    where only the answer reads them, they are read without a zone, which is faster.
    """
    size = arguments.parse_size()
    cursor = arguments.after if arguments.after is not None else arguments.before
    position = None if cursor is None else cursors.read(cursor)
    read_keys = None if keys is None else (*keys, order.key)
    descending = order.descending != arguments.backwards
    # `keys.read` are the keys that resolvers compute with; DateTime prints the others, and takes naive ones as UTC.
    is_zoned = instants is None or not isinstance(keys, ProjectionKeys) or not keys.read.isdisjoint(instants)

    async def read_part(part: Part) -> list[Any]:
        query = part.filter
        if position is not None:
            query = {"$and": [part.filter, _filter_beyond(order.key, position, descending)]}
        direction = -1 if descending else 1
        sort = [(order.key, direction), ("_id", direction)]
        try:
            return await find_documents(
                collection, query, read_keys, limit=size + 1, sort=sort, hint=part.hint, is_zoned=is_zoned
            )
        except ExecutionTimeout:
            raise TookTooLong(
                f"No answer within {MAX_TIME_MS} ms: narrow the list by holder, region, category, status or dates."
            ) from None

    async def fetch() -> Page:
        if len(parts) == 1:
            rows = await read_part(parts[0])
        else:
            each = await asyncio.gather(*map(read_part, parts))
            rows = list(merge(*each, key=_make_sort_key(order.key), reverse=descending))
        return _cut_page(rows, size, arguments, is_first=position is None)

    async def count() -> int | None:
        try:
            return sum(await asyncio.gather(*(_count(collection, part) for part in parts)))
        except ExecutionTimeout:
            return None

    return Listing(fetch, count, lambda row: _read_position(row, order.key), cursors, is_zoned=is_zoned)


def build_listing_in_memory(
    rows: Iterable[Mapping[str, Any]], order: Order, arguments: Arguments, cursors: Cursors
) -> Listing:
    """Returns the same list over documents in memory: all that match, in any order."""
    size = arguments.parse_size()
    cursor = arguments.after if arguments.after is not None else arguments.before
    position = None if cursor is None else tuple(cursors.read(cursor))
    descending = order.descending != arguments.backwards
    sort_key = _make_sort_key(order.key)
    ordered = sorted(rows, key=sort_key, reverse=descending)
    total = len(ordered)
    if position is not None:
        ordered = [row for row in ordered if (sort_key(row) < position if descending else sort_key(row) > position)]
    page = _cut_page(ordered, size, arguments, is_first=position is None)

    async def fetch() -> Page:
        return page

    async def count() -> int:
        return total

    return Listing(fetch, count, lambda row: _read_position(row, order.key), cursors, page)


def _cut_page(rows: list[Any], size: int, arguments: Arguments, *, is_first: bool) -> Page:
    """Cuts a page from rows in the order in which they were read; a row beyond `size` means that there are more."""
    has_more, rows = len(rows) > size, rows[:size]
    if arguments.backwards:
        return Page(rows[::-1], has_next=not is_first, has_previous=has_more)
    return Page(rows, has_next=has_more, has_previous=not is_first)


async def _count(collection: Collection[Any], part: Part) -> int:
    options: Document = {"maxTimeMS": COUNT_TIME_MS} | ({} if part.hint is None else {"hint": part.hint})
    return int(await collection.count_documents(part.filter, **options))


def _make_sort_key(key: str) -> Callable[[Mapping[str, Any]], tuple[Any, str]]:
    return lambda row: (row[key], row["_id"])


def _read_position(row: Mapping[str, Any], key: str) -> tuple[Any, str]:
    """Returns a cursor's content: the sort key, instants as milliseconds since 1970, and the id."""
    value = row[key]
    if value is None:
        # An index that holds every key that was asked for yields null for a key that the document lacks.
        raise KeyError(key)
    if isinstance(value, datetime):
        zoned = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return (round(zoned.timestamp() * 1000), row["_id"])
    return (value, row["_id"])


def _filter_beyond(key: str, position: Sequence[Any], descending: bool) -> Document:
    value, row_id = position
    if isinstance(value, int):
        value = datetime.fromtimestamp(value / 1000, UTC)
    at_or_beyond, beyond = ("$lte", "$lt") if descending else ("$gte", "$gt")
    # The first condition repeats the others' bound alone: MongoDB bounds the index by it, but not by an $or.
    return {key: {at_or_beyond: value}, "$or": [{key: {beyond: value}}, {"_id": {beyond: row_id}}]}
