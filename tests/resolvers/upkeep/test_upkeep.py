"""The system's steps on stored complaints: each taken once, in due order, without overwriting a person's change."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.examples import a_complaint

from resolvers.complaints import intake, transition
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.domain import custody_chain, lifecycle
from resolvers.domain.upkeep import Step
from resolvers.domain.vocabulary import Channel, ComplaintAction, ComplaintClass, TimeZone, Visibility
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import NEVER, Store
from resolvers.upkeep import upkeep
from resolvers.viewer import PUBLIC, SYSTEM

MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
LATE = datetime(2027, 3, 1, tzinfo=UTC)

ContextOf = Callable[..., RequestContext]


async def held(context: RequestContext, action: ComplaintAction, source: str, **given: Any) -> ComplaintDoc:
    """A stored complaint that has just gone through a row of the table."""
    before = a_complaint(**({"status": source, "grade": "NORMATIVE", "receivedAt": MONDAY} | given))
    start = transition.complete_changes(context, before, {}, lifecycle.SUBMISSION, TimeZone.WITA)
    row = next(row for row in lifecycle.TRANSITIONS if (row.action, row.source) == (action, source))
    complaint = apply_changes(before, {"clocks": start["clocks"]})
    complaint = apply_changes(complaint, transition.complete_changes(context, complaint, {}, row, TimeZone.WITA))
    await context.store.complaints.insert_one(complaint)
    return complaint


async def taken(context: RequestContext) -> list[Step]:
    """Every step that is due, taken in order, until nothing is."""
    steps: list[Step] = []
    while rows := await upkeep.find_due(context, 100):
        for row in rows:
            step = await upkeep.take_step(context, row)
            steps += [step] if step else []
        assert len(steps) < 200
    return steps


async def stored(context: RequestContext, complaint: ComplaintDoc) -> ComplaintDoc:
    found = await context.store.complaints.find_one({"_id": complaint["_id"]})
    assert found is not None
    return found


async def test_a_question_that_is_not_answered_in_time_archives_with_a_way_back(
    register: Store, context_of: ContextOf
) -> None:
    complaint = await held(context_of(now=MONDAY), ComplaintAction.REQUEST_INFORMATION, "SUBMITTED")
    in_time = context_of(SYSTEM, datetime(2026, 11, 12, 15, 59, 59, tzinfo=UTC))
    assert await taken(in_time) == []
    late = context_of(SYSTEM, datetime(2026, 11, 12, 16, 0, tzinfo=UTC))
    assert await taken(late) == [Step.LAPSE]
    after = await stored(late, complaint)
    assert after["closure"] is not None
    assert (after["status"], after["closure"]["archiveReason"], after["wakeAt"]) == ("ARCHIVED", "INCOMPLETE", NEVER)
    notice = after["followUps"][-1]
    assert (notice["byRole"], notice["visibility"]) == ("SYSTEM", Visibility.REPORTER)
    assert "restoreComplaint" in notice["body"]
    assert all(clock["stoppedAt"] is not None for clock in after["clocks"])


async def test_an_answer_without_reply_closes_and_counts_as_confirmed_by_nobody(
    register: Store, context_of: ContextOf
) -> None:
    complaint = await held(context_of(now=MONDAY), ComplaintAction.APPROVE, "IN_PROGRESS")
    late = context_of(SYSTEM, datetime(2026, 11, 12, 16, 0, tzinfo=UTC))
    assert await taken(late) == [Step.LAPSE]
    after = await stored(late, complaint)
    assert (after["status"], after["rating"]) == ("CLOSED_NO_REPLY", None)
    assert "reopenComplaint" in after["followUps"][-1]["body"]


async def test_the_ladder_is_climbed_rung_by_rung_and_each_is_noted_once(
    register: Store, context_of: ContextOf
) -> None:
    complaint = await held(context_of(now=MONDAY), ComplaintAction.VERIFY, "SUBMITTED", grade="LIGHT")
    levels: dict[int, str] = {}
    for hours in range(0, 24 * 24, 4):
        now = datetime(2026, 11, 2, 5, tzinfo=UTC) + timedelta(hours=hours)
        await taken(context_of(SYSTEM, now))
        level = (await stored(context_of(SYSTEM, now), complaint))["escalationLevel"]
        levels.setdefault(level, now.date().isoformat())
    # Acceptance was due on Tuesday the 3rd: breached then, +3, +5 and +15 working days.
    assert {level: day for level, day in levels.items() if level} == {
        1: "2026-11-03",
        2: "2026-11-06",
        3: "2026-11-10",
        4: "2026-11-24",
    }
    after = await stored(context_of(), complaint)
    words = [row["body"] for row in after["followUps"]]
    assert [sum(f"Eskalasi tingkat {level} " in word for word in words) for level in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert sum("hampir habis" in word for word in words) == 3
    assert {row["visibility"] for row in after["followUps"]} == {Visibility.INTERNAL}
    assert "province:prov-bali" in after["readers"]


async def test_after_an_outage_the_same_steps_are_taken_in_due_order(register: Store, context_of: ContextOf) -> None:
    complaint = await held(context_of(now=MONDAY), ComplaintAction.VERIFY, "SUBMITTED")
    late = context_of(SYSTEM, LATE)
    steps = await taken(late)
    assert steps[-1] is Step.OFFER_OMBUDSMAN
    assert steps.count(Step.ESCALATE) == 4
    after = await stored(late, complaint)
    assert (after["escalationLevel"], after["wakeAt"]) == (4, NEVER)
    assert after["revision"] == complaint["revision"] + len(steps)
    assert [row["visibility"] for row in after["followUps"]][-1] == Visibility.REPORTER
    assert "Ombudsman" in after["followUps"][-1]["body"]
    assert not any("hampir habis" in row["body"] for row in after["followUps"])


async def test_the_longest_due_come_first_and_batches_are_bounded(register: Store, context_of: ContextOf) -> None:
    for hours in (5, 1, 3):
        context = context_of(now=MONDAY + timedelta(days=hours))
        await held(context, ComplaintAction.REQUEST_INFORMATION, "SUBMITTED")
    rows = await upkeep.find_due(context_of(SYSTEM, LATE), 2)
    assert [row["wakeAt"] for row in rows] == sorted(row["wakeAt"] for row in rows)
    assert len(rows) == 2
    assert rows[0]["updatedAt"] == MONDAY + timedelta(days=1)


async def test_many_workers_at_once_take_each_step_once(register: Store, context_of: ContextOf) -> None:
    complaint = await held(context_of(now=MONDAY), ComplaintAction.VERIFY, "SUBMITTED")
    steps = await asyncio.gather(*(taken(context_of(SYSTEM, LATE)) for _ in range(6)))
    after = await stored(context_of(), complaint)
    assert sum(map(len, steps)) == after["revision"] - complaint["revision"]
    words = [row["body"] for row in after["followUps"]]
    assert len(words) == len(set(words))
    assert after["escalationLevel"] == 4


async def test_a_hold_ends_after_its_day_of_review(register: Store, context_of: ContextOf) -> None:
    review = {"hold": {"reason": "x", "reviewOn": "2026-11-04"}, "holds": [{"start": MONDAY, "end": None}]}
    complaint = await held(context_of(now=MONDAY), ComplaintAction.HOLD, "IN_PROGRESS", **review)
    assert await taken(context_of(SYSTEM, datetime(2026, 11, 4, 15, 59, 59, tzinfo=UTC))) == []
    now = datetime(2026, 11, 4, 16, 0, tzinfo=UTC)
    assert await taken(context_of(SYSTEM, now)) == [Step.RESUME]
    after = await stored(context_of(), complaint)
    assert (after["status"], after["hold"], after["holds"][0]["end"]) == ("IN_PROGRESS", None, now)


async def submitted(context: RequestContext, **given: Any) -> ComplaintDoc:
    submission = {
        "class_": ComplaintClass.COMPLAINT,
        "title": "Sampah tidak diangkut",
        "body": "Sampah di TPS desa kami tidak diangkut dua minggu.",
        "category": "WASTE.COLLECTION",
        "location": {"region": "51.03", "text": None, "latitude": None, "longitude": None},
        "occurred_on": None,
        "named_agency": None,
        "anonymous": False,
        "confidential": None,
        "channel": Channel.WEB,
        "reporter": None,
    }
    complaint, _ = await intake.submit(
        context, Attempt("submitComplaint", ""), intake.Submission(**(submission | given))
    )
    return complaint


async def test_what_the_rules_are_certain_of_is_verified_by_them_after_the_desks_day(
    register: Store, context_of: ContextOf
) -> None:
    complaint = await submitted(context_of(PUBLIC, MONDAY))
    assert await taken(context_of(SYSTEM, datetime(2026, 11, 3, 16, 59, tzinfo=UTC))) == []
    now = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)  # midnight in Jakarta, where the desk is
    assert await taken(context_of(SYSTEM, now)) == [Step.ROUTE]
    after = await stored(context_of(), complaint)
    assert (after["status"], after["holder"], after["grade"]) == ("ROUTED", "kab-badung", "LIGHT")
    [link] = after["forwardings"]
    assert (link["byRole"], link["ruleId"], link["ruleVersion"]) == ("SYSTEM", "AFFAIRS", "2026.1")
    assert custody_chain.find_first_broken(after["forwardings"]) is None


@pytest.mark.parametrize(
    "given",
    [
        {"category": "ROAD.POTHOLE", "title": "Jalan rusak"},
        {"category": None, "title": "Jalan berlubang di Kuta"},
        {"named_agency": "kab-sleman"},
        {"location": None},
        {"body": "Petugas sampah minta suap, sampah tidak diangkut."},
        {"body": "Limbah pabrik dibuang ke sungai tiap malam, ikan mati."},
    ],
)
async def test_what_they_are_not_certain_of_is_left_to_people_and_asked_once(
    register: Store, context_of: ContextOf, given: dict[str, Any]
) -> None:
    complaint = await submitted(context_of(PUBLIC, MONDAY), **given)
    assert Step.ROUTE in await taken(context_of(SYSTEM, datetime(2026, 11, 3, 17, 0, tzinfo=UTC)))
    after = await stored(context_of(), complaint)
    assert (after["status"], after["rulesAsked"], after["revision"]) == ("SUBMITTED", "2026.1", complaint["revision"])
    assert "public" not in after["readers"]


@pytest.mark.parametrize("given", [{"confidential": True}, {"category": "SAFETY.CHILD"}])
async def test_the_rules_never_look_at_what_is_confidential(
    register: Store, context_of: ContextOf, given: dict[str, Any]
) -> None:
    complaint = await submitted(context_of(PUBLIC, MONDAY), **given)
    steps = await taken(context_of(SYSTEM, datetime(2026, 11, 12, tzinfo=UTC)))
    assert Step.ROUTE not in steps
    assert (await stored(context_of(), complaint))["status"] == "SUBMITTED"


async def test_a_complaint_that_is_full_of_follow_ups_still_escalates(register: Store, context_of: ContextOf) -> None:
    full = [{"kind": "NOTE", "approved": True, "rejection": None, "visibility": "INTERNAL", "at": MONDAY}] * 300
    complaint = await held(context_of(now=MONDAY), ComplaintAction.VERIFY, "SUBMITTED", followUps=full)
    await taken(context_of(SYSTEM, LATE))
    after = await stored(context_of(), complaint)
    assert (after["escalationLevel"], len(after["followUps"])) == (4, 300)


async def test_a_call_that_comes_too_early_is_put_right_without_a_change(
    register: Store, context_of: ContextOf
) -> None:
    complaint = await held(context_of(now=MONDAY), ComplaintAction.APPROVE, "IN_PROGRESS")
    await register.complaints.update_one({"_id": complaint["_id"]}, {"$set": {"wakeAt": MONDAY}})
    assert await taken(context_of(SYSTEM, MONDAY + timedelta(hours=1))) == []
    after = await stored(context_of(), complaint)
    assert (after["wakeAt"], after["revision"]) == (complaint["wakeAt"], complaint["revision"])
