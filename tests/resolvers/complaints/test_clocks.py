"""Clocks in the store: bugs that other helpdesks had, and nobody's way around a due time."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.actions import DO, WORDS, Call
from support.examples import RECEIVED
from support.portal import ADMIN, CITIZEN, LIAISON, NATIONAL
from support.states import a_clock, in_status, register_of_bali

from resolvers.complaints import complaint_view, follow_up, forwarding, intake
from resolvers.documents import ComplaintDoc
from resolvers.domain import sla
from resolvers.domain.service_policy import Policies
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.domain.vocabulary import ComplaintClass, ComplaintStatus, FollowUpKind, SupervisionGrade, Visibility
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Store
from resolvers.store.register import build_policies

ONCE = Attempt("tried", "digest")


def bali(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.fixture
async def working(store: Store) -> AsyncIterator[ComplaintDoc]:
    """Routed to Badung on Monday 2 November 2026 at 11:00: followed up by the 9th, resolved by the 20th."""
    await register_of_bali(store)
    clocks = [
        a_clock("TOTAL"),
        a_clock("ACCEPTANCE", bali("2026-11-03T23:59:59"), stoppedAt=RECEIVED),
        a_clock("FOLLOW_UP", bali("2026-11-09T23:59:59")),
        a_clock("RESOLUTION", bali("2026-11-20T23:59:59")),
    ]
    row = in_status(ComplaintStatus.IN_PROGRESS, grade="NON_SUPERVISORY", clocks=clocks)
    await store.complaints.insert_one(row)
    yield row


def clock(complaint: Any, kind: str) -> Any:
    return [row for row in complaint["clocks"] if row["kind"] == kind][-1]


async def written(context: RequestContext, row: Any, kind: FollowUpKind) -> Any:
    draft = follow_up.FollowUpDraft(kind, WORDS, Visibility.REPORTER, None, None, ())
    return await follow_up.add(context, ONCE, row["_id"], draft)


async def test_an_update_does_not_override_the_first_response(
    working: Any, context_of: Callable[..., RequestContext]
) -> None:
    """Zammad 5177: an update took the place of the first response, which then never showed as late."""
    for kind in (FollowUpKind.ACKNOWLEDGE, FollowUpKind.NOTE):
        noted = await written(context_of(LIAISON, bali("2026-11-05T10:00:00")), working, kind)
        assert noted["nextDueAt"] == bali("2026-11-09T23:59:59")
        assert clock(noted, "FOLLOW_UP")["stoppedAt"] is None
    late = await written(context_of(LIAISON, bali("2026-11-11T10:00:00")), working, FollowUpKind.PROGRESS)
    again = await written(context_of(LIAISON, bali("2026-11-12T10:00:00")), working, FollowUpKind.PROGRESS)
    assert clock(again, "FOLLOW_UP") == clock(late, "FOLLOW_UP")
    assert sla.is_breached(clock(again, "FOLLOW_UP"), bali("2027-01-01T00:00:00"))
    assert again["nextDueAt"] == bali("2026-11-20T23:59:59")
    assert again["firstFollowUpAt"] == bali("2026-11-11T10:00:00")


async def test_a_clock_is_not_kept_after_moving_to_another_agency(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    """Zammad 5624: the group's clock went on in the next group."""
    await register_of_bali(store)
    clocks = [a_clock("TOTAL"), a_clock("FOLLOW_UP", bali("2026-11-09T23:59:59"))]
    row = in_status(
        ComplaintStatus.ROUTED, clocks=[*clocks, a_clock("RESOLUTION", bali("2026-11-20T23:59:59"))], followUps=[]
    )
    await store.complaints.insert_one(row)
    desk = context_of(NATIONAL, bali("2026-11-06T10:00:00"))
    moved = await forwarding.forward(desk, ONCE, row["_id"], to="kab-sleman", note=None)
    old, new = (found for found in moved["clocks"] if found["kind"] == "FOLLOW_UP")
    assert (old["stoppedAt"], new["startedAt"], new["zone"]) == (desk.now, desk.now, "WIB")
    assert new["dueAt"] == datetime(2026, 11, 13, 16, 59, 59, tzinfo=UTC)
    assert clock(moved, "RESOLUTION")["dueAt"] == bali("2026-11-20T23:59:59")
    assert clock(moved, "TOTAL") == clock(row, "TOTAL")


async def test_resolution_follows_the_new_holder_where_the_policy_says_so(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    await register_of_bali(store)
    clocks = [a_clock("TOTAL"), a_clock("RESOLUTION", bali("2026-11-09T23:59:59"))]
    row = in_status(ComplaintStatus.ROUTED, clocks=clocks)
    await store.complaints.insert_one(row)
    desk = context_of(NATIONAL, bali("2026-11-04T10:00:00"))
    desk.policies = Policies([replace(build_policies().by_version("5/2025"), resolution_keeps_first_due=False)])
    moved = await forwarding.forward(desk, ONCE, row["_id"], to="kab-sleman", note=None)
    assert clock(moved, "RESOLUTION")["zone"] == "WIB"
    assert clock(moved, "RESOLUTION")["dueAt"] == datetime(2026, 11, 9, 16, 59, 59, tzinfo=UTC)


async def test_no_clock_of_an_agency_runs_after_it_has_answered(
    working: Any, context_of: Callable[..., RequestContext]
) -> None:
    """Zammad 3140: the clock ran though the agent had answered, and an answered case showed as overdue."""
    admin = context_of(ADMIN, bali("2026-11-09T22:00:00"))
    answered = await DO[Action.APPROVE](Call(admin, ONCE, working))
    assert not [row for row in answered["clocks"] if sla.is_running(row) and row["kind"] in sla.AGENCY_KINDS]
    later = context_of(CITIZEN, bali("2026-11-18T10:00:00"))
    assert not complaint_view.is_overdue(later, answered)
    assert not any(sla.is_breached(row, later.now) for row in answered["clocks"])


async def test_a_hold_ends_with_the_complaint(store: Store, context_of: Callable[..., RequestContext]) -> None:
    """A complaint that was withdrawn while on hold still said when it would be reviewed."""
    row = in_status(ComplaintStatus.ON_HOLD)
    await store.complaints.insert_one(row)
    reporter = context_of(CITIZEN, bali("2026-11-05T10:00:00"))
    withdrawn = await DO[Action.WITHDRAW](Call(reporter, ONCE, row))
    assert (withdrawn["hold"], withdrawn["holds"][-1]["end"]) == (None, reporter.now)


@pytest.mark.parametrize(
    ("class_", "since"),
    [(ComplaintClass.COMPLAINT, bali("2026-11-05T10:00:00")), (ComplaintClass.ASPIRATION, RECEIVED)],
)
async def test_another_class_gives_no_later_due_time_than_the_right_one_at_once(
    store: Store, context_of: Callable[..., RequestContext], class_: ComplaintClass, since: datetime
) -> None:
    await register_of_bali(store)
    row = in_status(ComplaintStatus.SUBMITTED)
    await store.complaints.insert_one(row)
    verification = intake.VerificationInput(
        class_, "ROAD.POTHOLE", SupervisionGrade.NORMATIVE, "kab-badung", (), None, None
    )
    desk = context_of(NATIONAL, bali("2026-11-05T10:00:00"))
    verified = await intake.verify(desk, ONCE, row["_id"], verification)
    assert clock(verified, "RESOLUTION")["startedAt"] == since
    assert clock(verified, "TOTAL")["startedAt"] == RECEIVED
