"""Ordered, idempotent migrations: a database of an earlier version gets today's shape."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import UpdateOne

from resolvers.store import register
from resolvers.store.database import Store


async def _policies(store: Store) -> None:
    writes = [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in register.policies()]
    await store.policies.bulk_write(writes, ordered=False)


async def _whole_life(store: Store) -> None:
    """What holds, proposals, merging, reopening and versioned policies added to a complaint."""
    added: Mapping[str, Any] = {
        "holds": {"$cond": [{"$eq": ["$hold", None]}, [], [{"start": "$updatedAt", "end": None}]]},
        "proposal": None,
        "followers": [],
        "followerSubjects": [],
        "reopenings": 0,
        "privacyChanges": [],
    }
    for policy in register.policies():
        received: dict[str, Any] = {"$gte": _midnight(policy["validFrom"])}
        # The first version stands for whatever was received before it, too.
        if policy is register.policies()[0]:
            received = {"$lt": _midnight(register.policies()[1]["validFrom"])}
        old = {"policyVersion": {"$exists": False}, "receivedAt": received}
        set_ = {**added, "policyVersion": {"$literal": policy["_id"]}}
        await store.complaints.update_many(old, [{"$set": set_}])


def _midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


MIGRATIONS: Final[Mapping[str, Callable[[Store], Awaitable[None]]]] = {
    "001 service policies": _policies,
    "002 the whole life of a complaint": _whole_life,
}


async def run(store: Store) -> None:
    """Runs what has not run to its end; safe to run again, and by several at once."""
    done = store.database["migrations"]
    for name in await missing(store):
        await MIGRATIONS[name](store)
        await done.update_one({"_id": name}, {"$set": {"at": datetime.now(UTC)}}, upsert=True)


async def missing(store: Store) -> list[str]:
    """The migrations that this database still needs, in their order."""
    found = {row["_id"] async for row in store.database["migrations"].find({})}
    return [name for name in MIGRATIONS if name not in found]
