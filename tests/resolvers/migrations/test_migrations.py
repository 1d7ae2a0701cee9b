"""The chain of migrations: an earlier release's database comes through it once, whoever else migrates or dies."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from support.examples import a_complaint
from support.portal import CITIZEN

from resolvers.documents import ComplaintDoc
from resolvers.key_ring import DERIVED, KeyRing, encrypt, parse_ring
from resolvers.migrations import chain, runner
from resolvers.migrations.chain import CHAIN, UnreadableDatabase, read_state
from resolvers.migrations.migration import Migration, MigrationContext
from resolvers.request.context import RequestContext
from resolvers.store.database import Document, Store
from resolvers.store.lease import Lease, find_holder
from resolvers.vault import vault

SECRET = b"the secret key of the tests"
AT = datetime(2026, 11, 1, tzinfo=UTC)
BODY = "Petugas bernama Budi Hartanto, hubungi 0812-3456-7890"
PERSONAL = {"name": "Wayan", "nik": "5103010101010001", "sex": "MALE"}
FIRST_RELEASE = (
    *("holds", "proposal", "followers", "followerSubjects", "reopenings", "privacyChanges", "policyVersion"),
    *("rulesAsked", "ombudsmanOfferedAt", "custodian", "wakeAt"),
    *("redactedTitle", "redactedBody", "words", "auditHead", "auditPending"),
)
"""The keys that the first release's complaints lack."""
RESHAPED = ("redactedTitle", "redactedBody", "words", "auditHead", "auditPending")
"""The keys that the three migrations add which earlier releases did not record."""


def key_ring() -> KeyRing:
    return parse_ring(SECRET)


def without(rows: list[ComplaintDoc], keys: tuple[str, ...]) -> Any:
    """The complaints as an earlier release stored them."""
    return [{key: value for key, value in row.items() if key not in keys} for row in rows]


def an_old_reporter(number: int = 1) -> Any:
    """A reporter sealed under the server's one key."""
    reporter_id = f"RP-{number}"
    sealed_fields = encrypt(key_ring().keys[DERIVED], orjson.dumps(PERSONAL), reporter_id)
    return {"_id": reporter_id, "complaint": f"LP-{number}", "sealed": sealed_fields, "sealedAt": AT}


async def read_all(store: Store) -> dict[str, list[Document]]:
    names = sorted(await store.database.list_collection_names())
    return {name: await store.database[name].find({}).sort("_id").to_list() for name in names}


async def test_an_old_database_comes_through_the_whole_chain(store: Store) -> None:
    kept = [a_complaint(body=BODY), a_complaint(body=BODY, confidential=True)]
    await store.complaints.insert_many(without(kept, FIRST_RELEASE))
    await store.database["agencies"].insert_one({"_id": "kab-badung"})
    await store.database["teams"].insert_one({"_id": "TM-1"})
    await store.reporters.insert_one(an_old_reporter())
    applied = await runner.run(store, key_ring)
    assert [(row.id, row.changed, row.skipped) for row in applied] == [
        ("001 service policies", 2, 0),
        ("002 the whole life of a complaint", 2, 0),
        ("003 upkeep", 4, 0),
        ("004 redacted texts", 2, 0),
        ("005 audit heads", 2, 0),
        ("006 reporters' own keys", 1, 0),
    ]
    found = {row["_id"]: row async for row in store.complaints.find({})}
    assert [found[row["_id"]] | {"wakeAt": None} for row in kept] == [row | {"wakeAt": None} for row in kept]
    assert {found[row["_id"]]["wakeAt"] for row in kept} == {row["receivedAt"] for row in kept}
    state = await read_state(store)
    state.check_readable()
    assert (state.version, state.missing, state.holder) == (CHAIN[-1].version, [], None)


async def test_a_second_run_changes_nothing(store: Store) -> None:
    await store.complaints.insert_many(without([a_complaint(body=BODY)], FIRST_RELEASE))
    await store.reporters.insert_one(an_old_reporter())
    await runner.run(store, key_ring)
    before = await read_all(store)
    assert await runner.run(store, key_ring) == []
    assert await read_all(store) == before
    # Each migration by itself changes only what lacks the change: one that failed in its middle runs again.
    await store.database["migrations"].delete_many({})
    assert [row.changed for row in await runner.run(store, key_ring)] == [0] * len(CHAIN)
    assert await read_all(store) | {"migrations": None} == before | {"migrations": None}


async def test_what_earlier_releases_recorded_is_not_applied_again(store: Store) -> None:
    """Migrations 004 to 006 ran unrecorded before: they may have changed some documents, all, or none."""
    done, lacking = a_complaint(body=BODY), a_complaint(body=BODY, confidential=True)
    await store.complaints.insert_many([done, *without([lacking], RESHAPED)])
    await store.database["migrations"].insert_many([{"_id": row.id, "at": AT} for row in CHAIN[:3]])
    with pytest.raises(UnreadableDatabase, match=r"at migration 003; .* from migration 006 on: run `satugraf migrate`"):
        (await read_state(store)).check_readable()
    applied = await runner.run(store, key_ring)
    assert [(row.id[:3], row.changed) for row in applied] == [("004", 1), ("005", 1), ("006", 0)]
    found = {row["_id"]: row async for row in store.complaints.find({})}
    assert [found[row["_id"]] for row in (done, lacking)] == [done, lacking]
    assert await store.policies.count_documents({}) == 0


async def test_reporters_gain_keys_of_their_own(store: Store, context_of: Callable[..., RequestContext]) -> None:
    await store.reporters.insert_one(an_old_reporter())
    await runner.run(store, key_ring)
    assert await vault.read_fields(context_of(CITIZEN), "RP-1") == PERSONAL
    stored = await store.reporters.find_one({"_id": "RP-1"})
    assert stored is not None
    assert stored.keys() == {"_id", "complaint", "fields", "inclusion", "consentAt", "sealedAt", "erasedAt"}


async def test_a_reporter_under_another_key_is_skipped_and_tried_again(store: Store) -> None:
    await store.reporters.insert_one(an_old_reporter())
    strange = await store.reporters.find_one({"_id": "RP-1"})
    last = (await runner.run(store, lambda: parse_ring(b"another secret")))[-1]
    assert (last.changed, last.skipped) == (0, 1)
    assert "SATUGRAF_SECRET_KEY" in str(last.skip_reason)
    assert await store.reporters.find_one({"_id": "RP-1"}) == strange
    (record,) = (await read_state(store)).skipped
    assert (record["_id"], record["skipped"]) == (CHAIN[-1].id, 1)
    assert [(row.id, row.changed) for row in await runner.run(store, key_ring)] == [(CHAIN[-1].id, 1)]
    assert (await read_state(store)).skipped == []


async def test_a_key_of_an_interrupted_migration_is_kept(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    """A process that lost its lease may still write fields under the key that it has stored."""
    await store.reporters.insert_one(an_old_reporter())
    stored = {"_id": "RP-1", **key_ring().wrap(b"k" * 32, "RP-1")}
    await store.database["reporter_keys"].insert_one(stored)
    await runner.run(store, key_ring)
    assert await store.reporter_keys.find_one({"_id": "RP-1"}) == stored
    assert await vault.read_fields(context_of(CITIZEN), "RP-1") == PERSONAL


async def test_a_new_database_is_recorded_as_migrated(store: Store) -> None:
    (await read_state(store)).check_readable()
    assert await runner.run(store, key_ring) == []
    state = await read_state(store)
    assert (state.version, state.missing, state.is_new) == (CHAIN[-1].version, [], False)


def a_chain(*apply: Callable[[MigrationContext], Awaitable[None]]) -> list[Migration]:
    return [Migration(number, "of the test", step, number) for number, step in enumerate(apply, 1)]


async def make_old(store: Store) -> None:
    await store.database["agencies"].insert_one({"_id": "kab-badung"})


async def expire(store: Store) -> None:
    """What nine seconds do to the lease of a process that was killed."""
    await store.database["leases"].update_one({}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])


async def test_of_two_migrators_one_applies_and_the_other_waits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "WAIT_SECONDS", 0.02)
    await make_old(store)
    times = []
    waits = []

    async def step(context: MigrationContext) -> None:
        times.append(datetime.now(UTC))
        await asyncio.sleep(0.1)
        context.count(1)

    class Waiting(runner.MigrationProgress):
        def wait(self, holder: str) -> None:
            waits.append(holder)

    rows = a_chain(step, step, step)
    applied = await asyncio.gather(*(runner.run(store, key_ring, Waiting(), rows) for _ in range(2)))
    assert len(times) == 3
    assert sorted(len(by_one) for by_one in applied) == [0, 3]
    assert set(waits) > set()
    assert all(str(holder).count(":") == 2 for holder in waits)


async def test_a_long_migration_keeps_its_lease(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RENEWAL_SECONDS", 0.02)
    await make_old(store)
    other = Lease(store, chain.LEASE)

    async def step(context: MigrationContext) -> None:
        first = await store.database["leases"].find_one({"_id": chain.LEASE})
        await asyncio.sleep(0.5)
        last = await store.database["leases"].find_one({"_id": chain.LEASE})
        assert first is not None
        assert last is not None
        assert last["until"] > first["until"]
        assert not await other.claim()

    assert len(await runner.run(store, key_ring, chain=a_chain(step))) == 1
    assert await find_holder(store, chain.LEASE) is None


async def test_a_migration_whose_lease_is_lost_stops_and_is_not_recorded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "RENEWAL_SECONDS", 0.02)
    monkeypatch.setattr(runner, "WAIT_SECONDS", 0.02)
    await make_old(store)
    other = Lease(store, chain.LEASE, "another process")
    begun: list[str] = []
    stopped = asyncio.Event()

    async def step(context: MigrationContext) -> None:
        begun.append("once more" if begun else "first")
        if begun == ["first"]:
            await expire(store)
            while not await other.claim():
                await expire(store)
            try:
                await asyncio.sleep(60)
            finally:
                stopped.set()

    running = asyncio.create_task(runner.run(store, key_ring, chain=a_chain(step)))
    await asyncio.wait_for(stopped.wait(), 10)
    assert await store.database["migrations"].count_documents({}) == 0
    await other.release()
    assert [row.id for row in await running] == ["001 of the test"]
    assert begun == ["first", "once more"]


KILLED = """
import asyncio, sys
from resolvers.migrations import runner
from resolvers.migrations.migration import Migration
from resolvers.store.database import connect

async def half(context):
    await context.store.complaints.update_one({"half": None}, {"$set": {"half": True}})
    print("half", flush=True)
    await asyncio.sleep(60)

store = connect(sys.argv[1], sys.argv[2])
asyncio.run(runner.run(store, dict, chain=[Migration(1, "of the test", half, 1)]))
"""


async def test_a_migration_that_was_killed_in_its_middle_is_taken_over(
    store: Store, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "WAIT_SECONDS", 0.02)
    await store.database["complaints"].insert_many([{"_id": number} for number in range(2)])
    command = [sys.executable, "-c", KILLED, mongodb_uri, store.database.name]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"half\n"
    assert (await read_state(store)).holder is not None
    process.kill()
    await process.communicate()
    changed = []

    async def whole(context: MigrationContext) -> None:
        result = await store.complaints.update_many({"half": None}, {"$set": {"half": True}})
        changed.append(result.modified_count)

    running = asyncio.create_task(runner.run(store, key_ring, chain=a_chain(whole)))
    await asyncio.sleep(0.2)
    assert not running.done()
    assert changed == []
    await expire(store)
    assert [row.id for row in await running] == ["001 of the test"]
    assert changed == [1]


@pytest.mark.parametrize("readable_from", [len(CHAIN) + 1, None])
async def test_a_database_of_a_newer_release_is_refused(store: Store, readable_from: int | None) -> None:
    await runner.run(store, key_ring)
    newer: dict[str, Any] = {"_id": f"{len(CHAIN) + 1:03} letters", "at": AT, "release": "9.1.0"}
    if readable_from is not None:
        newer["readableFrom"] = readable_from
    await store.database["migrations"].insert_one(newer)
    before = await read_all(store)
    state = await read_state(store)
    for refuse in (state.check_readable, state.check_not_newer):
        with pytest.raises(UnreadableDatabase) as refused:
            refuse()
        assert str(refused.value) == (
            'A newer release, SatuGraf 9.1.0, has applied migration "007 letters" to the database. It can be read by '
            f"releases that know migration 007; this release, SatuGraf {chain.find_release()}, knows migrations up to "
            "006: install the newer one."
        )
    with pytest.raises(UnreadableDatabase):
        await runner.run(store, key_ring)
    assert await read_all(store) == before


async def test_a_newer_migration_that_older_releases_can_read_is_served(store: Store) -> None:
    await runner.run(store, key_ring)
    newer = {"_id": "007 letters", "at": AT, "release": "9.1.0", "readableFrom": 6}
    await store.database["migrations"].insert_one(newer)
    state = await read_state(store)
    state.check_readable()
    assert state.unknown == [newer]
    assert await runner.run(store, key_ring) == []


def test_the_table_of_migrations_is_in_order() -> None:
    assert [row.version for row in CHAIN] == list(range(1, len(CHAIN) + 1))
    assert all(row.readable_from <= row.version for row in CHAIN)
    assert CHAIN[-1].version >= chain.OLDEST_READABLE
    # Recorded in databases: these never change.
    assert [row.id for row in CHAIN[:3]] == ["001 service policies", "002 the whole life of a complaint", "003 upkeep"]
