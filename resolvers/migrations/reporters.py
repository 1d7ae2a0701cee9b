"""Migrations of the vault's reporters."""

from typing import Any, Final

import orjson
from pymongo import ReturnDocument

from resolvers.key_ring import DERIVED, KeyRing, Unreadable, create_data_key, decrypt, encrypt
from resolvers.migrations.migration import MigrationContext
from resolvers.store.database import Document, Store
from resolvers.vault import vault

BATCH: Final = 500
OTHER_KEY: Final = (
    "sealed under another key: set the SATUGRAF_SECRET_KEY that sealed them and run `satugraf migrate` again"
)


async def add_own_keys(context: MigrationContext) -> None:
    """Encrypts each reporter under a key of its own; before, one key of the server sealed all of them."""
    reporters = context.store.reporters
    lacking: Document = {"sealed": {"$exists": True}}
    async for reporter in reporters.find(lacking, batch_size=BATCH):
        reporter_id, key_ring = reporter["_id"], context.key_ring()
        try:
            personal = orjson.loads(decrypt(key_ring.keys[DERIVED], reporter["sealed"], reporter_id))
            data_key = await _store_key(context.store, key_ring, reporter_id)
        except Unreadable:
            context.skip(OTHER_KEY)
            continue
        changes = _encrypt_reporter(data_key, reporter, personal)
        update = {"$set": changes, "$unset": {"sealed": ""}}
        result = await reporters.update_one({"_id": reporter_id, **lacking}, update)
        context.count(result.modified_count)


async def _store_key(store: Store, key_ring: KeyRing, reporter_id: str) -> bytes:
    """Stores a new key and returns it. A key that an interrupted run has stored stays, and is returned instead.

    If it was replaced, a process that has lost its lease could still write fields that the replaced key encrypted.
    """
    stored = await store.reporter_keys.find_one_and_update(
        {"_id": reporter_id},
        {"$setOnInsert": key_ring.wrap(create_data_key(), reporter_id)},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return key_ring.unwrap(stored, reporter_id)


def _encrypt_reporter(data_key: bytes, reporter: Document, personal: dict[str, Any]) -> Document:
    reporter_id = reporter["_id"]
    fields = {key: personal[key] for key in vault.LIMITS if key in personal}
    inclusion = {key: personal[key] for key in vault.INCLUSION if key in personal}
    return {
        "fields": vault.encrypt_fields(data_key, reporter_id, fields),
        "inclusion": encrypt(data_key, orjson.dumps(inclusion), f"{reporter_id}/inclusion") if inclusion else None,
        "consentAt": reporter["sealedAt"] if inclusion else None,
        "erasedAt": None,
    }
