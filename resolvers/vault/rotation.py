"""The ring's rotation: reporters' keys wrapped anew; what they encrypt stays as it is."""

from typing import Final

from pymongo import UpdateOne

from resolvers.key_ring import KeyRing, Unreadable
from resolvers.store.database import Store

BATCH: Final = 500


async def rotate(store: Store, key_ring: KeyRing) -> tuple[int, int]:
    """How many keys are wrapped anew with the active key, and how many could not be unwrapped."""
    rotated, unreadable, writes = 0, 0, []
    async for row in store.reporter_keys.find({"ring": {"$ne": key_ring.active}}, batch_size=BATCH):
        try:
            data_key = key_ring.unwrap(row, row["_id"])
        except Unreadable:
            unreadable += 1
            continue
        # An erasure that came meanwhile stays one: no upsert.
        rewrapped = {"$set": key_ring.wrap(data_key, row["_id"])}
        writes.append(UpdateOne({"_id": row["_id"], "ring": row["ring"]}, rewrapped))
        if len(writes) == BATCH:
            rotated += (await store.reporter_keys.bulk_write(writes, ordered=False)).modified_count
            writes = []
    if writes:
        rotated += (await store.reporter_keys.bulk_write(writes, ordered=False)).modified_count
    return rotated, unreadable
