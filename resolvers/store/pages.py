"""Keyset paging: a filter and an order to a page of a collection."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from typing import Any, Final, NamedTuple

from resolvers.errors import TookTooLong
from resolvers.listing import Arguments, Cursors, Listing, Page
from resolvers.store.database import MAX_TIME_MS, Collection, Document, ExecutionTimeout

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
) -> Listing:
    """A list over a collection, of documents that are in one of the parts, which have none in common.

    `keys` are the document's keys that are read, all where None.
    """
    size = arguments.size()
    given = arguments.after if arguments.after is not None else arguments.before
    position = None if given is None else cursors.read(given)
    projection = None if keys is None else dict.fromkeys((*keys, order.key), True)
    descending = order.descending != arguments.backwards

    async def of(part: Part) -> list[Document]:
        wanted = part.filter
        if position is not None:
            wanted = {"$and": [part.filter, _beyond(order.key, position, descending)]}
        direction = -1 if descending else 1
        find = collection.find(wanted, projection, limit=size + 1, max_time_ms=MAX_TIME_MS)
        find = find.sort([(order.key, direction), ("_id", direction)])
        return await _answered(find.hint(part.hint) if part.hint else find, size + 1)

    async def fetch() -> Page:
        found = await asyncio.gather(*map(of, parts))
        rows = found[0] if len(found) == 1 else list(merge(*found, key=_ordered(order.key), reverse=descending))
        more, rows = len(rows) > size, rows[:size]
        if arguments.backwards:
            return Page(rows[::-1], has_next=position is not None, has_previous=more)
        return Page(rows, has_next=more, has_previous=position is not None)

    async def total() -> int | None:
        try:
            return sum(await asyncio.gather(*(_count(collection, part) for part in parts)))
        except ExecutionTimeout:
            return None

    return Listing(fetch, total, lambda row: _position(row, order.key), cursors)


async def _count(collection: Collection, part: Part) -> int:
    options: Document = {"maxTimeMS": COUNT_TIME_MS} | ({} if part.hint is None else {"hint": part.hint})
    return int(await collection.count_documents(part.filter, **options))


def _ordered(key: str) -> Callable[[Document], tuple[Any, str]]:
    return lambda row: (row[key], row["_id"])


async def _answered(find: Any, length: int) -> list[Document]:
    try:
        rows: list[Document] = await find.to_list(length)
    except ExecutionTimeout:
        raise TookTooLong(
            f"No answer within {MAX_TIME_MS} ms: narrow the list by holder, region, category, status or dates."
        ) from None
    return rows


def _position(row: Document, key: str) -> tuple[Any, str]:
    value = row[key]
    if value is None:
        # An index that holds all that is asked for tells what a document lacks as null.
        raise KeyError(key)
    return (round(value.timestamp() * 1000) if isinstance(value, datetime) else value, row["_id"])


def _beyond(key: str, position: Sequence[Any], descending: bool) -> Document:
    value, row_id = position
    if isinstance(value, int):
        value = datetime.fromtimestamp(value / 1000, UTC)
    at_or_beyond, beyond = ("$lte", "$lt") if descending else ("$gte", "$gt")
    return {key: {at_or_beyond: value}, "$or": [{key: {beyond: value}}, {"_id": {beyond: row_id}}]}
