"""Migrations that need the rules, after those of the store: texts redacted, audits begun, reporters under own keys."""

from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from pymongo import UpdateOne

from resolvers import policy
from resolvers.key_ring import DERIVED, KeyRing, Unreadable, new_data_key, opened, sealed
from resolvers.personal_data import publication
from resolvers.store.database import Document, Store
from resolvers.vault import vault

BATCH: Final = 500

Keys = Callable[[], KeyRing]
"""The key ring, asked for where something is sealed: an operator without a secret key has nothing sealed."""

Migrate = Callable[[Store, Keys], Awaitable[int]]


async def redacted_texts(store: Store, keys: Keys) -> int:
    """Complaints without redacted title and body, and the words that they are found by."""
    lacking = store.complaints.find({"words": {"$exists": False}}, ("title", "body", "readers"), batch_size=BATCH)
    done, writes = 0, []
    async for row in lacking:
        texts = publication.read(row["title"], row["body"]).keys(published=policy.is_public(row["readers"]))
        # What was changed meanwhile has the keys already.
        writes.append(UpdateOne({"_id": row["_id"], "words": {"$exists": False}}, {"$set": texts}))
        if len(writes) == BATCH:
            done += await _written(store, writes)
    return done + await _written(store, writes)


async def _written(store: Store, writes: list[UpdateOne]) -> int:
    if not writes:
        return 0
    result = await store.complaints.bulk_write(writes, ordered=False)
    writes.clear()
    return int(result.modified_count)


async def audit_heads(store: Store, keys: Keys) -> int:
    """Complaints from before there was an audit: it begins with their next change."""
    nothing: Document = {"auditHead": None, "auditPending": []}
    result = await store.complaints.update_many({"auditHead": {"$exists": False}}, {"$set": nothing})
    return int(result.modified_count)


async def own_keys(store: Store, keys: Keys) -> int:
    """Reporters sealed under the server's one key: each under a key of its own instead."""
    done = 0
    async for row in store.reporters.find({"sealed": {"$exists": True}}, batch_size=BATCH):
        key_ring, reporter_id, data_key = keys(), row["_id"], new_data_key()
        try:
            kept = orjson.loads(opened(key_ring.keys[DERIVED], row["sealed"], reporter_id))
        except Unreadable:
            continue
        fields = {key: kept[key] for key in vault.LIMITS if key in kept}
        inclusion = {key: kept[key] for key in vault.INCLUSION if key in kept}
        wrapped: Document = key_ring.wrap(data_key, reporter_id)
        await store.reporter_keys.replace_one({"_id": reporter_id}, wrapped, upsert=True)
        changes: Document = {
            "fields": vault.encrypted(data_key, reporter_id, fields),
            "inclusion": sealed(data_key, orjson.dumps(inclusion), f"{reporter_id}/inclusion") if inclusion else None,
            "consentAt": row["sealedAt"] if inclusion else None,
            "erasedAt": None,
        }
        await store.reporters.update_one({"_id": reporter_id}, {"$set": changes, "$unset": {"sealed": ""}})
        done += 1
    return done


MIGRATIONS: Final[tuple[Migrate, ...]] = (redacted_texts, audit_heads, own_keys)


async def run(store: Store, keys: Keys) -> list[tuple[str, int]]:
    """Each migration: its name, and how many documents it changed."""
    return [(migrate.__name__, await migrate(store, keys)) for migrate in MIGRATIONS]
