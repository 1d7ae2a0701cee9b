"""Reference data and synthetic complaints into the database; safe to run again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from pymongo import InsertOne, UpdateOne
from pymongo.write_concern import WriteConcern

from resolvers.store import register
from resolvers.store.database import Collection, Document, Store

BATCH: Final = 1000

Progress = Callable[[int, int], None]
"""Complaints written so far, and wanted."""


async def reference_data(store: Store) -> None:
    """Agencies, regions, categories, teams, plans, policies; what an operator has changed since stays."""
    tables: tuple[tuple[Collection, Sequence[Mapping[str, Any]]], ...] = (
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
    """Whether a seeding of at least so many complaints has run to its end."""
    done = await store.database["seeds"].find_one({"_id": "complaints"})
    return done is not None and done["seed"] == seed and done["count"] >= count


async def complaints(
    store: Store, rows: Iterable[Document], count: int, seed: int, progress: Progress = lambda done, total: None
) -> None:
    """Writes the rows, after those of a seeding that did not come to its end are removed."""
    await store.complaints.delete_many({"synthetic": True})
    quick = store.complaints.with_options(write_concern=WriteConcern(w=1, j=False))
    done = 0
    for batch in _batches(iter(rows)):
        await quick.bulk_write([InsertOne(row) for row in batch], ordered=False)
        done += len(batch)
        progress(done, count)
    marker = {"count": count, "seed": seed, "at": datetime.now(UTC)}
    # Written with majority and journal: with it, everything before it is durable too.
    await store.database["seeds"].update_one({"_id": "complaints"}, {"$set": marker}, upsert=True)


def _batches(rows: Iterator[Document]) -> Iterator[list[Document]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
