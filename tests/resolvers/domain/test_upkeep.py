"""The system's next step and its time, computed by hand on the calendar of November 2026 in WITA."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resolvers.domain import upkeep
from resolvers.domain.upkeep import Step
from resolvers.domain.vocabulary import TimeZone
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.store.database import NEVER
from resolvers.store.register import build_policies

POLICY = build_policies().by_version("5/2025")
EARLIER = build_policies().by_version("62/2018")
MONDAY = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # 11:00 in WITA


def end_of(day: int, month: int = 11) -> datetime:
    """The last second of a day in WITA."""
    return datetime(2026, month, day, 15, 59, 59, tzinfo=UTC)


def after(day: int, month: int = 11) -> datetime:
    return end_of(day, month).replace(hour=16, minute=0, second=0)


def a_clock(kind: str, due: datetime | None, **given: Any) -> dict[str, Any]:
    clock = {"kind": kind, "startedAt": MONDAY, "dueAt": due, "stoppedAt": None, "pauses": [], "zone": "WITA"}
    return {**clock, "provisional": False, **given}


def case(status: str = "IN_PROGRESS", *clocks: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {
        "status": status,
        "clocks": [a_clock("TOTAL", None), *clocks],
        "hold": None,
        "escalationLevel": 0,
        "receivedAt": MONDAY,
        "confidential": False,
        "rulesAsked": None,
        "ombudsmanOfferedAt": None,
        **given,
    }


WARNED = {"warnedAt": MONDAY}
FOLLOW_UP = a_clock("FOLLOW_UP", end_of(9), **WARNED)


@pytest.mark.parametrize(
    ("complaint", "step", "at", "level"),
    [
        # From Monday 11:00 to the next Monday's end 5.54 working days; a fifth is that Monday and 2.6 hours of Friday.
        (case("IN_PROGRESS", a_clock("FOLLOW_UP", end_of(9))), Step.WARN, datetime(2026, 11, 6, 13, 24), 0),
        (case("IN_PROGRESS", FOLLOW_UP), Step.ESCALATE, after(9), 1),
        (case("IN_PROGRESS", FOLLOW_UP, escalationLevel=1), Step.ESCALATE, after(12), 2),
        (case("IN_PROGRESS", FOLLOW_UP, escalationLevel=2), Step.ESCALATE, after(16), 3),
        (case("IN_PROGRESS", FOLLOW_UP, escalationLevel=3), Step.ESCALATE, after(30), 4),
        # Sixty days from 2 November end with 1 January.
        (case("IN_PROGRESS", FOLLOW_UP, escalationLevel=4), Step.OFFER_OMBUDSMAN, datetime(2027, 1, 1, 16), 4),
        (case("NEEDS_INFO", a_clock("REPORTER_REPLY", end_of(12)), FOLLOW_UP), Step.LAPSE, after(12), 0),
        (case("ANSWERED", a_clock("REPORTER_REPLY", end_of(12))), Step.LAPSE, after(12), 0),
        (case("ON_HOLD", hold={"reason": "x", "reviewOn": "2026-11-20"}), Step.RESUME, after(20), 0),
        (case("SUBMITTED", a_clock("VERIFICATION", end_of(5), **WARNED)), Step.ROUTE, after(3), 0),
    ],
)
def test_the_next_step_and_its_instant(complaint: dict[str, Any], step: Step, at: datetime, level: int) -> None:
    found = upkeep.find_next_step(complaint, POLICY, find_calendar)
    assert found is not None
    assert (found.step, found.level) == (step, level)
    assert abs(found.at - at.replace(tzinfo=UTC)) < timedelta(seconds=2)


@pytest.mark.parametrize(
    "status", ["CLOSED_RESOLVED", "CLOSED_NO_REPLY", "CLOSED_UNABLE", "ARCHIVED", "MERGED", "WITHDRAWN"]
)
def test_what_has_ended_is_left_alone(status: str) -> None:
    assert upkeep.find_next_step(case(status, FOLLOW_UP), POLICY, find_calendar) is None


@pytest.mark.parametrize(
    "given", [{"confidential": True}, {"rulesAsked": "2026.1"}], ids=["confidential", "left to people"]
)
def test_the_rules_are_not_asked_about(given: dict[str, Any]) -> None:
    found = upkeep.find_next_step(case("SUBMITTED", a_clock("VERIFICATION", end_of(5)), **given), POLICY, find_calendar)
    assert found is not None
    assert found.step is Step.WARN


def test_a_policy_without_automatic_forwarding_leaves_verification_to_people() -> None:
    found = upkeep.find_next_step(case("SUBMITTED", a_clock("VERIFICATION", end_of(5))), EARLIER, find_calendar)
    assert found is not None
    assert found.step is Step.WARN


def test_a_clock_that_stands_still_or_has_stopped_escalates_nothing() -> None:
    paused = a_clock("RESOLUTION", end_of(9), pauses=[{"start": MONDAY, "end": None}])
    stopped = a_clock("FOLLOW_UP", end_of(9), stoppedAt=MONDAY)
    found = upkeep.find_next_step(case("IN_PROGRESS", paused, stopped), POLICY, find_calendar)
    assert found is not None
    assert found.step is Step.OFFER_OMBUDSMAN


def test_the_ombudsmans_case_is_offered_to_nobody_again() -> None:
    assert upkeep.find_next_step(case("IN_PROGRESS", escalationLevel=5), POLICY, find_calendar) is None
    offered = case("IN_PROGRESS", FOLLOW_UP, escalationLevel=4, ombudsmanOfferedAt=MONDAY)
    assert upkeep.find_next_step(offered, POLICY, find_calendar) is None


def test_steps_that_were_missed_come_in_the_order_in_which_they_fell_due() -> None:
    complaint = case("IN_PROGRESS", a_clock("ACCEPTANCE", end_of(3)), a_clock("FOLLOW_UP", end_of(9)))
    taken: list[tuple[Step, int | None, int]] = []
    at: list[datetime] = []
    while (due := upkeep.find_next_step(complaint, POLICY, find_calendar)) and due.at < NEVER and len(taken) < 20:
        taken.append((due.step, due.clock, due.level))
        at.append(due.at)
        if due.step is Step.WARN and due.clock is not None:
            complaint["clocks"][due.clock]["warnedAt"] = due.at
        elif due.step is Step.OFFER_OMBUDSMAN:
            complaint["ombudsmanOfferedAt"] = due.at
        else:
            complaint["escalationLevel"] = due.level
    assert taken == [
        (Step.WARN, 1, 0),
        (Step.ESCALATE, 1, 1),
        (Step.WARN, 2, 0),
        (Step.ESCALATE, 1, 2),
        (Step.ESCALATE, 1, 3),
        (Step.ESCALATE, 1, 4),
        (Step.OFFER_OMBUDSMAN, None, 4),
    ]
    assert at == sorted(at)


@pytest.mark.parametrize(
    ("days", "instant"),
    [
        (0.0, datetime(2026, 11, 9, 15, 59, 59)),
        (0.5, datetime(2026, 11, 9, 3, 59, 59)),
        (1.5, datetime(2026, 11, 6, 3, 59, 59)),
        (2.0, datetime(2026, 11, 5, 15, 59, 59)),
    ],
)
def test_an_instant_so_many_working_days_before(days: float, instant: datetime) -> None:
    wita = find_calendar(TimeZone.WITA)
    found = wita.find_instant_before(end_of(9), days)
    assert abs((found - instant.replace(tzinfo=UTC)).total_seconds()) < 2
    assert abs(wita.count_working_days(found, end_of(9)) - days) < 0.001
