"""Counts how often clients use each field and each operation, by day; values of arguments are never stored."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from pymongo import UpdateOne

from resolvers.store.database import MAX_TIME_MS, Collection, Store
from resolvers.system_documents import UsageDoc

KEPT_DAYS: Final = 30
HOTTEST: Final = 20


async def add_counts(
    store: Store, now: datetime, fields: Mapping[str, int], operations: Mapping[str, int], texts: Mapping[str, str]
) -> None:
    """Add counts to those of the day; `texts` has the text of each operation by its name."""
    day, until = now.date().isoformat(), now + timedelta(days=KEPT_DAYS)
    for collection, counts in ((store.field_usage, fields), (store.operation_usage, operations)):
        writes = [
            UpdateOne(
                {"_id": f"{day}|{name}"},
                {
                    "$inc": {"count": count},
                    "$setOnInsert": {"day": day, "name": name, "until": until, "text": texts.get(name)},
                },
                upsert=True,
            )
            for name, count in counts.items()
        ]
        if writes:
            await collection.bulk_write(writes, ordered=False)


async def count_fields(store: Store, since: date) -> dict[str, int]:
    """Return the number of uses of each field since a day, by schema coordinate."""
    return await _sum_counts(store.field_usage, since)


async def find_hottest_operations(store: Store, since: date) -> dict[str, int]:
    """Return the 20 most used operations since a day: their text without values, and the number of uses."""
    return await _sum_counts(store.operation_usage, since, key="$text", limit=HOTTEST)


async def _sum_counts(
    collection: Collection[UsageDoc], since: date, *, key: str = "$name", limit: int = 100_000
) -> dict[str, int]:
    found = collection.aggregate(
        [
            {"$match": {"day": {"$gte": since.isoformat()}}},
            {"$group": {"_id": key, "count": {"$sum": "$count"}}},
            {"$sort": {"count": -1, "_id": 1}},
            {"$limit": limit},
        ],
        maxTimeMS=MAX_TIME_MS,
    )
    return {row["_id"]: row["count"] for row in await found.to_list(None)}
