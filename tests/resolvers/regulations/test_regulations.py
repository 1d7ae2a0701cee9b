"""The regulations in force: versions of the policy, decrees in mid-year, and an older database that is migrated."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.examples import RECEIVED, a_complaint
from support.portal import CITIZEN, NATIONAL
from support.states import a_clock, in_status, register_of_bali

from resolvers.complaints import intake
from resolvers.complaints.transition import list_allowed_actions
from resolvers.domain.vocabulary import Channel, ComplaintClass, ComplaintStatus, SupervisionGrade, TimeZone
from resolvers.key_ring import KeyRing, parse_ring
from resolvers.migrations import runner
from resolvers.migrations.chain import CHAIN, read_state
from resolvers.regulations import regulations
from resolvers.regulations.regulations import Regulations
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store import register, seed
from resolvers.store.database import Store, connect
from resolvers.upkeep.recount import recount_due_times

NEXT_YEARS: dict[str, Any] = {**deepcopy(dict(register.policies()[1])), "_id": "9/2027", "validFrom": "2027-01-01"}
NEXT_YEARS["workingDays"] = {"VERIFICATION": 2, "ACCEPTANCE": 1, "FOLLOW_UP": 4}
NEXT_YEARS["limits"] = NEXT_YEARS["limits"] | {"informationRequests": 1}


def key_ring() -> KeyRing:
    return parse_ring(b"the secret key of the tests")


def bali(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


async def in_force(store: Store) -> Regulations:
    found = Regulations(store)
    await found.read()
    return found


async def submitted(context: RequestContext) -> Any:
    given = intake.Submission(
        ComplaintClass.COMPLAINT,
        "Jalan berlubang",
        "Lubang besar di jalan depan pasar.",
        None,
        None,
        None,
        None,
        False,
        None,
        Channel.WEB,
        None,
    )
    return (await intake.submit(context, Attempt("submitComplaint", "digest"), given))[0]


async def test_a_complaint_keeps_the_policy_that_it_was_received_under(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    await register_of_bali(store)
    await store.database["policies"].insert_one(NEXT_YEARS)
    policies = (await in_force(store)).policies
    # The year begins at 17:00 UTC in Jakarta, where the national desk counts.
    before = context_of(CITIZEN, datetime(2026, 12, 31, 16, 30, tzinfo=UTC))
    after = context_of(CITIZEN, datetime(2026, 12, 31, 17, 30, tzinfo=UTC))
    before.policies = after.policies = policies
    old, new = await submitted(before), await submitted(after)
    assert (old["policyVersion"], new["policyVersion"]) == ("5/2025", "9/2027")

    for complaint, now, asked_twice in ((old, before, True), (new, after, False)):
        desk = context_of(NATIONAL, now.now)
        desk.policies = policies
        allowed = []
        for number in range(2):
            await store.complaints.update_one({"_id": complaint["_id"]}, {"$set": {"informationRequests": number}})
            row = await store.complaints.find_one({"_id": complaint["_id"]})
            assert row is not None
            allowed.append("REQUEST_INFORMATION" in list_allowed_actions(desk, row))
        assert allowed == [True, asked_twice]
    verification = next(row for row in new["clocks"] if row["kind"] == "VERIFICATION")
    # Monday the 4th and Wednesday the 6th of January: Isra Mi'raj lies between.
    assert verification["dueAt"] == datetime(2027, 1, 6, 16, 59, 59, tzinfo=UTC)


async def test_a_version_that_was_not_read_yet_counts_as_the_latest(store: Store) -> None:
    policies = (await in_force(store)).policies
    assert policies.by_version("77/2099").version == "5/2025"
    assert policies.by_day(date(2017, 1, 1)).version == "62/2018"
    assert policies.by_day(date(2025, 4, 30)).version == "62/2018"
    assert policies.by_day(date(2025, 5, 1)).version == "5/2025"


async def test_a_decree_of_mid_year_adds_a_holiday_and_takes_one_away(store: Store) -> None:
    await regulations.declare_day(store, date(2026, 5, 13), name="Cuti bersama", decree="SKB perubahan")
    await regulations.declare_day(store, date(2026, 5, 15), name=None, decree="SKB perubahan")
    calendar = (await in_force(store)).calendar(TimeZone.WITA)
    assert [calendar.is_working_day(date(2026, 5, day)) for day in (12, 13, 14, 15)] == [True, False, False, True]
    await regulations.declare_day(store, date(2026, 5, 13), name=None, decree="SKB pencabutan")
    assert (await in_force(store)).calendar(TimeZone.WIB).is_working_day(date(2026, 5, 13))


@pytest.mark.parametrize(
    "broken",
    [{"_id": "besok", "name": "Libur", "decree": ""}, {"_id": "2026-05-13"}, {"_id": 20260513, "name": None}],
)
async def test_an_override_that_cannot_be_read_leaves_the_last_good_ones(store: Store, broken: dict[str, Any]) -> None:
    await regulations.declare_day(store, date(2026, 5, 13), name="Cuti bersama", decree="SKB perubahan")
    found = await in_force(store)
    await store.holiday_overrides.replace_one({"_id": broken["_id"]}, broken, upsert=True)
    await found.read()
    assert not found.calendar(TimeZone.WIB).is_working_day(date(2026, 5, 13))


async def test_without_a_database_what_ships_is_in_force() -> None:
    unreachable = connect("mongodb://127.0.0.1:9/?replicaSet=rs0", serverSelectionTimeoutMS=10)
    try:
        found = Regulations(unreachable)
        assert found.policies.by_version("5/2025").limits.hand_overs == 3
        assert not found.calendar(TimeZone.WIB).is_working_day(date(2026, 8, 17))
        assert not found.is_fresh
    finally:
        unreachable.close()


async def test_due_times_that_have_not_passed_move_with_a_new_holiday(store: Store) -> None:
    # Received on Monday 2 November 2026; five working days after it end on Monday the 9th.
    future = [a_clock("TOTAL"), a_clock("RESOLUTION", bali("2026-11-09T23:59:59"))]
    passed = [a_clock("FOLLOW_UP", bali("2026-11-04T23:59:59")), *future]
    stopped = [a_clock("RESOLUTION", bali("2026-11-09T23:59:59"), stoppedAt=RECEIVED)]
    rows = [
        a_complaint(clocks=clocks, grade="NORMATIVE", nextDueAt=bali("2026-11-09T23:59:59"), status=status)
        for clocks, status in ((future, "ROUTED"), (passed, "ROUTED"), (stopped, "CLOSED_RESOLVED"))
    ]
    await store.complaints.insert_many(rows)
    await regulations.declare_day(store, date(2026, 11, 5), name="Hari berkabung", decree="Keppres")
    found = await in_force(store)
    assert await recount_due_times(found, bali("2026-11-05T10:00:00")) == 2
    after = {row["_id"]: row async for row in store.complaints.find({})}
    moved, late, done = (after[row["_id"]] for row in rows)
    assert [clock["dueAt"] for clock in moved["clocks"]] == [None, bali("2026-11-10T23:59:59")]
    assert moved["nextDueAt"] == bali("2026-11-10T23:59:59")
    assert late["clocks"][0]["dueAt"] == bali("2026-11-04T23:59:59")
    assert done["clocks"] == rows[2]["clocks"]
    assert await recount_due_times(found, bali("2026-11-05T10:00:00")) == 0


async def test_an_earlier_database_is_brought_to_todays_shape(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    added = ("holds", "proposal", "followers", "followerSubjects", "reopenings", "privacyChanges", "policyVersion")
    rows = [in_status(status) for status in ComplaintStatus]
    rows.append(a_complaint(receivedAt=datetime(2017, 5, 1, tzinfo=UTC)))
    rows.append(a_complaint(receivedAt=datetime(2025, 4, 30, tzinfo=UTC)))
    old = [{key: value for key, value in row.items() if key not in added} for row in rows]
    await store.database["complaints"].insert_many(old)
    assert (await read_state(store)).missing == list(CHAIN)
    await runner.run(store, key_ring)
    await runner.run(store, key_ring)
    assert (await read_state(store)).missing == []
    after = {row["_id"]: row async for row in store.complaints.find({})}
    for row in rows:
        found = after[row["_id"]]
        assert found.keys() == row.keys()
        assert list_allowed_actions(context_of(NATIONAL), found) is not None
        assert len(found["holds"]) == (row["status"] == "ON_HOLD")
    assert [after[row["_id"]]["policyVersion"] for row in rows[-2:]] == ["62/2018", "62/2018"]
    assert after[rows[0]["_id"]]["policyVersion"] == "5/2025"
    assert await store.policies.count_documents({}) == 2


async def test_an_operators_policy_survives_seeding_and_migrating(store: Store) -> None:
    await seed.write_reference_data(store)
    await store.policies.update_one({"_id": "5/2025"}, {"$set": {"reporterReplyDays": 12}})
    await seed.write_reference_data(store)
    await runner.run(store, key_ring)
    assert (await in_force(store)).policies.by_version("5/2025").reporter_reply_days == 12


def test_the_two_published_policies_say_what_the_sources_say() -> None:
    for version in ("62/2018", "5/2025"):
        policy = register.build_policies().by_version(version)
        assert dict(policy.working_days) == {"VERIFICATION": 3, "ACCEPTANCE": 1, "FOLLOW_UP": 5}
        assert [policy.resolution_working_days[grade] for grade in SupervisionGrade] == [2, 5, 14, 60]
        assert policy.reporter_reply_days == 10
        assert policy.resolution_keeps_first_due
        assert [tuple(rung) for rung in policy.escalation.rungs] == [(1, 0), (2, 3), (3, 5), (4, 15)]
