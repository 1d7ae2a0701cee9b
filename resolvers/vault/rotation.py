"""Rotates the key ring: wraps the reporters' data keys with the active key. Encrypted fields do not change."""

from typing import Final

from pymongo import UpdateOne

from resolvers.key_ring import KeyRing, Unreadable
from resolvers.store.database import Store

BATCH: Final = 500


async def rotate(store: Store, key_ring: KeyRing) -> tuple[int, int]:
    """Wrap every key with the active key; return the number of keys wrapped, and of those that cannot be unwrapped."""
    rotated, unreadable, writes = 0, 0, []
    async for row in store.reporter_keys.find({"ring": {"$ne": key_ring.active}}, batch_size=BATCH):
        try:
            data_key = key_ring.unwrap(row, row["_id"])
        except Unreadable:
            unreadable += 1
            continue
        # No upsert: a key that an erasure has deleted meanwhile must not come back.
        rewrapped = {"$set": key_ring.wrap(data_key, row["_id"])}
        writes.append(UpdateOne({"_id": row["_id"], "ring": row["ring"]}, rewrapped))
        if len(writes) == BATCH:
            rotated += (await store.reporter_keys.bulk_write(writes, ordered=False)).modified_count
            writes = []
    if writes:
        rotated += (await store.reporter_keys.bulk_write(writes, ordered=False)).modified_count
    return rotated, unreadable
