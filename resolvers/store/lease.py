"""A lease in the database: of many processes one holds it, and loses it soon after it stops renewing.

Time is the database's own, so that clocks of machines that differ do not matter.
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
    """One process's claim on the lease of a name."""

    store: Store
    name: str
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def claim(self) -> bool:
        """Takes it where it is free or has run out, renews it where it is held already; whether it is held now."""
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LIFETIME_SECONDS}}
        # A lease that was never there has no `until`, which is less than any time.
        claimed = {"$or": [{"$eq": ["$holder", self.holder]}, {"$lt": ["$until", "$$NOW"]}]}
        change = {
            "holder": {"$cond": [claimed, self.holder, "$holder"]},
            "until": {"$cond": [claimed, until, "$until"]},
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
            return False
        return bool(lease["holder"] == self.holder)

    async def release(self) -> None:
        """Lets the next one have it at once."""
        await self.store.database["leases"].delete_one({"_id": self.name, "holder": self.holder})


async def find_holder(store: Store, name: str) -> str | None:
    """The process that holds the lease now, or None."""
    held = {"_id": name, "$expr": {"$gt": ["$until", "$$NOW"]}}
    lease = await store.database["leases"].find_one(held, max_time_ms=MAX_TIME_MS)
    return None if lease is None else str(lease["holder"])
