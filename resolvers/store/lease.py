"""A lease in the database: one of many processes holds it, and loses it soon after it stops renewing.

Times are the database's own, so differing clocks of machines do not matter.
"""

import uuid
from dataclasses import dataclass, field
from typing import Final

from pymongo import ReturnDocument

from resolvers.store.database import MAX_TIME_MS, DuplicateKeyError, Store

LIFETIME_SECONDS: Final = 9
RENEWAL_SECONDS: Final = 2.0


@dataclass(slots=True)
class Lease:
    """One process's claim to the named lease."""

    store: Store
    name: str
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def claim(self) -> bool:
        """Takes the lease if it is free or has run out, or renews it; returns whether this process holds it now."""
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LIFETIME_SECONDS}}
        # A new lease has no `until`, which MongoDB sorts before any time.
        can_claim = {"$or": [{"$eq": ["$holder", self.holder]}, {"$lt": ["$until", "$$NOW"]}]}
        change = {
            "holder": {"$cond": [can_claim, self.holder, "$holder"]},
            "until": {"$cond": [can_claim, until, "$until"]},
        }
        try:
            lease = await self.store.database["leases"].find_one_and_update(
                {"_id": self.name},
                [{"$set": change}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
                maxTimeMS=MAX_TIME_MS,
            )
        except DuplicateKeyError:
            # Two processes inserted the new lease at once; the other one was first.
            return False
        return bool(lease["holder"] == self.holder)

    async def release(self) -> None:
        """Frees the lease, so that another process need not wait until it runs out."""
        await self.store.database["leases"].delete_one({"_id": self.name, "holder": self.holder})


async def find_holder(store: Store, name: str) -> str | None:
    """Returns the process that holds the lease now, or None."""
    held = {"_id": name, "$expr": {"$gt": ["$until", "$$NOW"]}}
    lease = await store.database["leases"].find_one(held, max_time_ms=MAX_TIME_MS)
    return None if lease is None else str(lease["holder"])
