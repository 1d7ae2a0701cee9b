"""The vault: unreadable without the reporter's own key, read only by those in the matrix, every reading logged."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support.examples import a_complaint
from support.portal import ADMIN, CITIZEN, COORDINATOR, EVERYONE, LIAISON, NATIONAL, OVERSIGHT, SUBGRAPH, UNIT

from resolvers import key_ring
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.errors import InvalidArgument, InvalidInput, PurposeRequired
from resolvers.request.context import RequestContext
from resolvers.store import indexes
from resolvers.store.database import Document, Store
from resolvers.upkeep import orphaned_reporters
from resolvers.vault import rotation, vault
from resolvers.viewer import SYSTEM

ContextOf = Callable[..., RequestContext]
GIVEN = {"name": "Wayan Sudana", "nik": "5103010101010001", "phone": "0812345", "sex": "MALE", "disability": True}
FULL = {"name": "Wayan Sudana", "email": None, "phone": "0812345"}
SECRET = b"the secret key of the tests"


async def sealed(store: Store, context_of: ContextOf, **further: Any) -> ComplaintDoc:
    """A complaint of Badung's whose reporter is sealed."""
    complaint = a_complaint(team="TM-1", unit=UNIT, **further)
    reporter_id = await vault.seal(context_of(CITIZEN), complaint["_id"], GIVEN)
    return apply_changes(complaint, {"reporter": reporter_id})


async def read(
    context: RequestContext, complaint: ComplaintDoc, purpose: str | None = "Pemeriksaan"
) -> Document | None:
    context.purpose = purpose
    found = await vault.read_identity(context, complaint)
    return None if found is None else {key: value for key, value in found.items() if key in FULL}


async def test_what_a_reporter_gives_is_sealed_field_by_field(store: Store, context_of: ContextOf) -> None:
    reporter_id = await vault.seal(context_of(CITIZEN), "LP-1", GIVEN | {"inclusionConsent": True})
    stored = await store.reporters.find_one({"_id": reporter_id})
    assert stored is not None
    assert stored["fields"].keys() == {"name", "nik", "phone"}
    assert not any(str(value) in str(stored) for value in GIVEN.values())


async def test_nothing_given_is_nothing_kept(store: Store, context_of: ContextOf) -> None:
    assert await vault.seal(context_of(CITIZEN), "LP-1", {"inclusionConsent": False, "sex": "MALE"}) is None
    assert await store.reporters.count_documents({}) == await store.reporter_keys.count_documents({}) == 0


async def test_inclusion_data_are_kept_with_consent_alone(store: Store, context_of: ContextOf) -> None:
    for consent in (False, True):
        reporter_id = await vault.seal(context_of(CITIZEN), "LP-1", GIVEN | {"inclusionConsent": consent})
        found = await vault.read_fields(context_of(CITIZEN), str(reporter_id))
        assert ("sex" in found, "disability" in found) == (consent, consent)
        assert found["name"] == "Wayan Sudana"


async def test_a_name_that_is_too_long_is_refused(context_of: ContextOf) -> None:
    with pytest.raises(InvalidInput):
        await vault.seal(context_of(CITIZEN), "LP-1", {"name": "x" * 1000})


@pytest.mark.parametrize("anonymous", [False, True])
async def test_who_reported_is_read_as_the_matrix_says(store: Store, context_of: ContextOf, anonymous: bool) -> None:
    """The role and visibility table of docs/privacy.md, written out a second time."""
    complaint = await sealed(store, context_of, anonymous=anonymous)
    expected: dict[Any, Any] = dict.fromkeys(EVERYONE)
    expected |= {CITIZEN: FULL, NATIONAL: FULL, SUBGRAPH: None}
    if not anonymous:
        expected |= {ADMIN: FULL, LIAISON: FULL | {"name": None}}
    for viewer in EVERYONE:
        assert await read(context_of(viewer), complaint) == expected[viewer], viewer


async def test_the_custodian_and_the_ombudsman_read_theirs(store: Store, context_of: ContextOf) -> None:
    held = await sealed(store, context_of, holder="prov-bali", holders=["prov-bali"], holderProvince=None)
    assert await read(context_of(COORDINATOR), held) == FULL
    assert await read(context_of(ADMIN), held) is None
    case = await sealed(store, context_of, escalationLevel=5)
    assert await read(context_of(OVERSIGHT), case) == FULL
    assert await read(context_of(COORDINATOR), case) is None


async def test_the_holders_own_system_gets_a_token_alone(store: Store, context_of: ContextOf) -> None:
    complaint = a_complaint(team="TM-1")
    complaint["reporter"] = await vault.seal(context_of(CITIZEN), complaint["_id"], GIVEN)
    found = await vault.read_identity(context_of(SUBGRAPH), complaint)
    assert found == {"id": complaint["reporter"], **dict.fromkeys(vault.LIMITS)}


async def test_the_national_desk_states_a_purpose(store: Store, context_of: ContextOf) -> None:
    complaint = await sealed(store, context_of)
    for purpose in (None, "", "   "):
        with pytest.raises(PurposeRequired):
            await read(context_of(NATIONAL), complaint, purpose)
    for purpose in ("x" * 201, "a\nb"):
        with pytest.raises(InvalidArgument):
            await read(context_of(NATIONAL), complaint, purpose)
    assert await store.identity_reads.count_documents({}) == 0


async def test_each_reading_is_on_record_before_it_is_done(store: Store, context_of: ContextOf) -> None:
    complaint = await sealed(store, context_of)
    await read(context_of(ADMIN), complaint)
    await read(context_of(CITIZEN), complaint, None)
    rows = await store.identity_reads.find({}, {"_id": False}).sort("role").to_list(None)
    assert [(row["role"], row["subject"], row["purpose"], row["agency"]) for row in rows] == [
        ("AGENCY_ADMIN", "demo-admin", "Pemeriksaan", "kab-badung"),
        ("CITIZEN", None, None, None),
    ]
    assert all(row["complaint"] == complaint["_id"] and row["keys"] == ["email", "name", "phone"] for row in rows)


async def test_without_its_own_key_nothing_of_a_reporter_opens(store: Store, context_of: ContextOf) -> None:
    """A backup of the reporters alone, without the keys, is noise."""
    complaint = await sealed(store, context_of)
    backup = await store.reporters.find_one({"_id": complaint["reporter"]})
    await store.reporter_keys.delete_one({"_id": complaint["reporter"]})
    assert await read(context_of(ADMIN), complaint) == dict.fromkeys(FULL)
    assert backup is not None
    other = await sealed(store, context_of)
    wrapped = await store.reporter_keys.find_one({"_id": other["reporter"]})
    assert vault.open_fields(context_of(ADMIN), backup, wrapped) == {}


async def test_a_field_moved_to_another_reporter_does_not_open(store: Store, context_of: ContextOf) -> None:
    first, second = await sealed(store, context_of), await sealed(store, context_of)
    stolen = await store.reporters.find_one({"_id": first["reporter"]})
    assert stolen is not None
    await store.reporters.update_one({"_id": second["reporter"]}, {"$set": {"fields.name": stolen["fields"]["name"]}})
    assert await read(context_of(ADMIN), second) == dict.fromkeys(FULL)


async def test_after_rotation_the_old_key_is_not_needed(store: Store, context_of: ContextOf) -> None:
    complaint = await sealed(store, context_of)
    new, newer = f"new:{'ab' * 32}", f"newer:{'cd' * 32}"
    assert await rotation.rotate(store, key_ring.parse_ring(SECRET, new)) == (1, 0)
    assert await rotation.rotate(store, key_ring.parse_ring(b"another secret", f"{newer},{new}")) == (1, 0)
    assert await rotation.rotate(store, key_ring.parse_ring(b"another secret", newer)) == (0, 0)
    context = context_of(ADMIN)
    context.secret_key, context.vault_keys = b"another secret", newer
    assert await read(context, complaint) == FULL


async def test_a_rotation_without_the_wrapping_key_says_so_and_harms_nothing(
    store: Store, context_of: ContextOf
) -> None:
    complaint = await sealed(store, context_of)
    assert await rotation.rotate(store, key_ring.parse_ring(b"another secret", f"new:{'ab' * 32}")) == (0, 1)
    assert await read(context_of(ADMIN), complaint) == FULL


@pytest.mark.parametrize(
    "configured", ["x", "a:zz", f"a:{'ab' * 32},a:{'cd' * 32}", f"derived:{'ab' * 32}", f"a:{'ab' * 31}", ","]
)
def test_a_ring_that_is_malformed_is_refused_without_its_keys(configured: str) -> None:
    with pytest.raises(ValueError, match="vault key") as refused:
        key_ring.parse_ring(SECRET, configured)
    assert "abab" not in str(refused.value)


async def test_a_page_of_identities_takes_three_commands(store: Store, context_of: ContextOf) -> None:
    complaints = [await sealed(store, context_of) for _ in range(5)]
    context = context_of(ADMIN)
    loads: list[int] = []
    original = context.loaders.identity_read.batch_load_fn

    async def counted(rows: Any) -> Any:
        loads.append(len(rows))
        return await original(rows)

    context.loaders.identity_read.batch_load_fn = counted
    import asyncio

    found = await asyncio.gather(*(vault.read_identity(context, complaint) for complaint in complaints))
    assert all(row is not None and row["name"] == "Wayan Sudana" for row in found)
    assert loads == [5]


async def test_a_reporter_whose_complaint_was_never_stored_is_not_kept(store: Store, context_of: ContextOf) -> None:
    """A server that ends between the two writes of a submission leaves one behind."""
    await indexes.create(store)
    stored, lost = await sealed(store, context_of), await sealed(store, context_of, _id="LP-2")
    await store.complaints.insert_one(stored)
    soon = context_of(SYSTEM)
    assert await orphaned_reporters.find_due(soon, 10) == []
    late = context_of(SYSTEM, soon.now + vault.TO_BE_CLAIMED)
    taken = {
        row["_id"]: await orphaned_reporters.settle_reporter(late, row)
        for row in await orphaned_reporters.find_due(late, 10)
    }
    assert taken == {stored["reporter"]: None, lost["reporter"]: "UNCLAIMED_REPORTER"}
    assert await store.reporters.distinct("_id") == await store.reporter_keys.distinct("_id") == [stored["reporter"]]
    assert await orphaned_reporters.find_due(context_of(SYSTEM, late.now + timedelta(days=1)), 10) == []


async def test_a_reporter_who_was_erased_meanwhile_stays_on_record(store: Store, context_of: ContextOf) -> None:
    await indexes.create(store)
    complaint = await sealed(store, context_of)
    await store.reporters.update_one({"_id": complaint["reporter"]}, {"$set": {"erasedAt": context_of(CITIZEN).now}})
    late = context_of(SYSTEM, context_of(CITIZEN).now + vault.TO_BE_CLAIMED)
    [row] = await orphaned_reporters.find_due(late, 10)
    assert await orphaned_reporters.settle_reporter(late, row) is None
    assert await store.reporters.count_documents({}) == 1
