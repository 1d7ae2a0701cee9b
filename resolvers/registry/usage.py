"""What clients asked for, by day: how often each field and each operation was used, never with which values."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from pymongo import UpdateOne

from resolvers.store.database import MAX_TIME_MS, Collection, Store

KEPT_DAYS: Final = 30
HOTTEST: Final = 20


async def add_counts(
    store: Store, now: datetime, fields: Mapping[str, int], operations: Mapping[str, int], texts: Mapping[str, str]
) -> None:
    """Adds counts to those of the day."""
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
    """Uses by coordinate since a day."""
    return await _sum_counts(store.field_usage, since)


async def find_hottest_operations(store: Store, since: date) -> dict[str, int]:
    """The operations that were asked for most since a day, by their text without values."""
    return await _sum_counts(store.operation_usage, since, key="$text", limit=HOTTEST)


async def _sum_counts(
    collection: Collection, since: date, *, key: str = "$name", limit: int = 100_000
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
