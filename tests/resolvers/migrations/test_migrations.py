"""An earlier release's documents, brought to this one: by `satugraf migrate`, any number of times."""

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from support.examples import a_complaint
from support.portal import CITIZEN

from resolvers.key_ring import DERIVED, ring, sealed
from resolvers.migrations import migrations
from resolvers.request.context import RequestContext
from resolvers.store.database import Store
from resolvers.vault import vault

SECRET = b"the secret key of the tests"
LATER = ("redactedTitle", "redactedBody", "words", "auditHead", "auditPending")
AT = datetime(2026, 11, 1, tzinfo=UTC)


async def test_complaints_gain_redacted_texts_and_words(store: Store) -> None:
    body = "Petugas bernama Budi Hartanto, hubungi 0812-3456-7890"
    kept = [a_complaint(body=body), a_complaint(body=body, confidential=True)]
    await store.complaints.insert_many([{key: row[key] for key in row if key not in LATER} for row in kept])
    done = dict(await migrations.run(store, lambda: ring(SECRET)))
    assert done["redacted_texts"] == 2
    found = {row["_id"]: row async for row in store.complaints.find({})}
    assert [found[row["_id"]] for row in kept] == kept
    assert dict(await migrations.run(store, lambda: ring(SECRET))) == dict.fromkeys(done, 0)


async def test_reporters_gain_keys_of_their_own(store: Store, context_of: Callable[..., RequestContext]) -> None:
    given = {"name": "Wayan", "nik": "5103010101010001", "sex": "MALE"}
    old = sealed(ring(SECRET).keys[DERIVED], orjson.dumps(given), "RP-1")
    await store.reporters.insert_one({"_id": "RP-1", "complaint": "LP-1", "sealed": old, "sealedAt": AT})
    strange = {
        "_id": "RP-2",
        "complaint": "LP-2",
        "sealed": b"under another secret: not read",
        "sealedAt": AT,
    }
    await store.reporters.insert_one(strange)
    done = dict(await migrations.run(store, lambda: ring(SECRET)))
    assert done["own_keys"] == 1
    assert await vault.fields(context_of(CITIZEN), "RP-1") == given
    stored = await store.reporters.find_one({"_id": "RP-1"})
    assert stored is not None
    assert stored.keys() == {"_id", "complaint", "fields", "inclusion", "consentAt", "sealedAt", "erasedAt"}
    assert await store.reporters.find_one({"_id": "RP-2"}) == strange
