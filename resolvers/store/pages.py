"""Keyset paging: a filter and an order to a page of a collection."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from typing import Any, Final, NamedTuple

from resolvers.errors import TookTooLong
from resolvers.paging.keys import Keys
from resolvers.paging.listing import Arguments, Cursors, Listing, Page
from resolvers.store.database import MAX_TIME_MS, Collection, Document, ExecutionTimeout, found

COUNT_TIME_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Order:
    key: str
    descending: bool = False


class Part(NamedTuple):
    """What one command looks up: a filter, and the index that bounds it."""

    filter: Document
    hint: str | None


def listing(
    collection: Collection,
    parts: Sequence[Part],
    order: Order,
    arguments: Arguments,
    cursors: Cursors,
    *,
    keys: frozenset[str] | None = None,
    instants: frozenset[str] | None = None,
) -> Listing:
    """A list over a collection, of documents that are in one of the parts, which have none in common.

    `keys` are the document's keys that are read, all where None; `instants` all that hold instants, where known.
    """
    size = arguments.size()
    given = arguments.after if arguments.after is not None else arguments.before
    position = None if given is None else cursors.read(given)
    read = None if keys is None else (*keys, order.key)
    descending = order.descending != arguments.backwards
    # Only the answer has to say that what is printed alone is of UTC.
    is_zoned = instants is None or not isinstance(keys, Keys) or not keys.read.isdisjoint(instants)

    async def of(part: Part) -> list[Document]:
        wanted = part.filter
        if position is not None:
            wanted = {"$and": [part.filter, _beyond(order.key, position, descending)]}
        direction = -1 if descending else 1
        sort = [(order.key, direction), ("_id", direction)]
        try:
            return await found(collection, wanted, read, limit=size + 1, sort=sort, hint=part.hint, is_zoned=is_zoned)
        except ExecutionTimeout:
            raise TookTooLong(
                f"No answer within {MAX_TIME_MS} ms: narrow the list by holder, region, category, status or dates."
            ) from None

    async def fetch() -> Page:
        if len(parts) == 1:
            rows = await of(parts[0])
        else:
            each = await asyncio.gather(*map(of, parts))
            rows = list(merge(*each, key=_ordered(order.key), reverse=descending))
        return _page(rows, size, arguments, is_first=position is None)

    async def total() -> int | None:
        try:
            return sum(await asyncio.gather(*(_count(collection, part) for part in parts)))
        except ExecutionTimeout:
            return None

    return Listing(fetch, total, lambda row: _position(row, order.key), cursors, is_zoned=is_zoned)


def in_memory(rows: Iterable[Document], order: Order, arguments: Arguments, cursors: Cursors) -> Listing:
    """The same over documents that the process holds: all that match, in any order."""
    size = arguments.size()
    given = arguments.after if arguments.after is not None else arguments.before
    position = None if given is None else tuple(cursors.read(given))
    descending = order.descending != arguments.backwards
    place = _ordered(order.key)
    ordered = sorted(rows, key=place, reverse=descending)
    matching = len(ordered)
    if position is not None:
        ordered = [row for row in ordered if (place(row) < position if descending else place(row) > position)]
    page = _page(ordered, size, arguments, is_first=position is None)

    async def fetch() -> Page:
        return page

    async def total() -> int:
        return matching

    return Listing(fetch, total, lambda row: _position(row, order.key), cursors, page)


def _page(rows: list[Document], size: int, arguments: Arguments, *, is_first: bool) -> Page:
    """Of the rows as they were looked up; one more than `size` says that there are more."""
    more, rows = len(rows) > size, rows[:size]
    if arguments.backwards:
        return Page(rows[::-1], has_next=not is_first, has_previous=more)
    return Page(rows, has_next=more, has_previous=not is_first)


async def _count(collection: Collection, part: Part) -> int:
    options: Document = {"maxTimeMS": COUNT_TIME_MS} | ({} if part.hint is None else {"hint": part.hint})
    return int(await collection.count_documents(part.filter, **options))


def _ordered(key: str) -> Callable[[Document], tuple[Any, str]]:
    return lambda row: (row[key], row["_id"])


def _position(row: Document, key: str) -> tuple[Any, str]:
    value = row[key]
    if value is None:
        # An index that holds all that is asked for tells what a document lacks as null.
        raise KeyError(key)
    if isinstance(value, datetime):
        zoned = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return (round(zoned.timestamp() * 1000), row["_id"])
    return (value, row["_id"])


def _beyond(key: str, position: Sequence[Any], descending: bool) -> Document:
    value, row_id = position
    if isinstance(value, int):
        value = datetime.fromtimestamp(value / 1000, UTC)
    at_or_beyond, beyond = ("$lte", "$lt") if descending else ("$gte", "$gt")
    return {key: {at_or_beyond: value}, "$or": [{key: {beyond: value}}, {"_id": {beyond: row_id}}]}
