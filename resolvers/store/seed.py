"""Writes reference data and synthetic complaints to the database; safe to run again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from pymongo import InsertOne, UpdateOne
from pymongo.write_concern import WriteConcern

from resolvers.documents import ComplaintDoc
from resolvers.store import register
from resolvers.store.database import Collection, Store

BATCH: Final = 1000

Progress = Callable[[int, int], None]
"""Called with the number of complaints written so far, and the total."""


async def write_reference_data(store: Store) -> None:
    """Writes the agencies, regions, categories, teams, plans and policies that are missing; existing ones stay."""
    tables: tuple[tuple[Collection[Any], Sequence[Mapping[str, Any]]], ...] = (
        (store.regions, register.regions()),
        (store.categories, register.categories()),
        (store.agencies, register.agencies()),
        (store.teams, register.teams()),
        (store.action_plans, register.action_plans()),
        (store.policies, register.policies()),
    )
    for collection, rows in tables:
        writes = [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows]
        await collection.bulk_write(writes, ordered=False)


async def is_complete(store: Store, count: int, seed: int) -> bool:
    """Whether a seeding of at least `count` complaints has finished."""
    finished = await store.database["seeds"].find_one({"_id": "complaints"})
    return finished is not None and finished["seed"] == seed and finished["count"] >= count


async def write_complaints(
    store: Store, rows: Iterable[ComplaintDoc], count: int, seed: int, progress: Progress = lambda done, total: None
) -> None:
    """Removes all synthetic complaints, which an interrupted seeding may have left, and writes the rows."""
    await store.complaints.delete_many({"synthetic": True})
    quick = store.complaints.with_options(write_concern=WriteConcern(w=1, j=False))
    done = 0
    for batch in _split(iter(rows)):
        await quick.bulk_write([InsertOne(row) for row in batch], ordered=False)
        done += len(batch)
        progress(done, count)
    marker = {"count": count, "seed": seed, "at": datetime.now(UTC)}
    # Majority and journal: once this write is durable, so are the quick ones before it.
    await store.database["seeds"].update_one({"_id": "complaints"}, {"$set": marker}, upsert=True)


def _split(rows: Iterator[ComplaintDoc]) -> Iterator[list[ComplaintDoc]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
