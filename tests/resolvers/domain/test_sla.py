"""Clocks: started, paused, resumed, stopped; read at an instant."""

from datetime import UTC, datetime
from typing import Any

import pytest

from resolvers.domain import sla
from resolvers.domain.lifecycle import ClockEffect, Effect
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import ClockKind, SupervisionGrade, TimeZone
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.store.register import build_policies

POLICY = build_policies().by_version("5/2025")
WITA = find_calendar(TimeZone.WITA)


def at(text: str) -> datetime:
    """An instant of Bali's time."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def after(clocks: list[ClockDoc], effect: Effect, kind: ClockKind | None, now: str, **further: Any) -> list[ClockDoc]:
    grade = further.get("grade")
    return sla.apply_effects(
        clocks,
        [ClockEffect(effect, kind)],
        now=at(now),
        zone=TimeZone.WITA,
        calendars=find_calendar,
        policy=POLICY,
        grade=grade,
    )


@pytest.mark.parametrize(
    ("kind", "grade", "due"),
    [
        (ClockKind.VERIFICATION, None, "2026-11-05T23:59:59"),
        (ClockKind.ACCEPTANCE, None, "2026-11-03T23:59:59"),
        (ClockKind.FOLLOW_UP, None, "2026-11-09T23:59:59"),
        (ClockKind.RESOLUTION, SupervisionGrade.LIGHT, "2026-11-04T23:59:59"),
        (ClockKind.RESOLUTION, SupervisionGrade.NORMATIVE, "2026-11-09T23:59:59"),
        (ClockKind.RESOLUTION, SupervisionGrade.NON_SUPERVISORY, "2026-11-20T23:59:59"),
        (ClockKind.REPORTER_REPLY, None, "2026-11-12T23:59:59"),
        (ClockKind.TOTAL, None, None),
        (ClockKind.RESOLUTION, None, None),
    ],
)
def test_each_clock_runs_as_long_as_the_policy_says(
    kind: ClockKind, grade: SupervisionGrade | None, due: str | None
) -> None:
    [clock] = after([], Effect.START, kind, "2026-11-02T10:00:00", grade=grade)
    assert clock["dueAt"] == (None if due is None else at(due))
    assert (clock["stoppedAt"], clock["zone"], clock["provisional"]) == (None, "WITA", False)


def test_sixty_working_days_pass_over_the_holidays_of_the_new_year() -> None:
    [clock] = after([], Effect.START, ClockKind.RESOLUTION, "2026-11-02T10:00:00", grade=SupervisionGrade.SUPERVISORY)
    days = WITA.count_working_days(at("2026-11-03T00:00:00"), clock["dueAt"] or at("2026-11-03T00:00:00"))
    assert days == pytest.approx(60, abs=0.001)


def test_a_paused_clock_is_due_later_by_the_working_days_it_stood() -> None:
    clocks = after([], Effect.START, ClockKind.VERIFICATION, "2026-11-02T10:00:00")
    clocks = after(clocks, Effect.PAUSE, ClockKind.VERIFICATION, "2026-11-03T10:00:00")
    assert sla.is_paused(clocks[0])
    assert sla.find_next_due(clocks) is None
    clocks = after(clocks, Effect.RESUME, ClockKind.VERIFICATION, "2026-11-06T10:00:00")
    assert clocks[0]["dueAt"] == at("2026-11-10T23:59:59")  # Thursday 5th and three working days
    assert clocks[0]["pauses"] == [{"start": at("2026-11-03T10:00:00"), "end": at("2026-11-06T10:00:00")}]


def test_a_pause_over_a_weekend_costs_no_working_day() -> None:
    clocks = after([], Effect.START, ClockKind.FOLLOW_UP, "2026-11-02T10:00:00")
    clocks = after(clocks, Effect.PAUSE, ClockKind.FOLLOW_UP, "2026-11-07T08:00:00")
    clocks = after(clocks, Effect.RESUME, ClockKind.FOLLOW_UP, "2026-11-08T20:00:00")
    assert clocks[0]["dueAt"] == at("2026-11-09T23:59:59")


def test_a_clock_paused_after_its_due_time_stays_breached() -> None:
    clocks = after([], Effect.START, ClockKind.ACCEPTANCE, "2026-11-02T10:00:00")
    clocks = after(clocks, Effect.PAUSE, ClockKind.ACCEPTANCE, "2026-11-05T10:00:00")
    assert sla.is_breached(clocks[0], at("2026-12-01T10:00:00"))
    clocks = after(clocks, Effect.RESUME, ClockKind.ACCEPTANCE, "2026-11-20T10:00:00")
    assert clocks[0]["dueAt"] == at("2026-11-03T23:59:59")


def test_a_stopped_clock_keeps_its_reading() -> None:
    clocks = after([], Effect.START, ClockKind.FOLLOW_UP, "2026-11-02T10:00:00")
    [stopped] = after(clocks, Effect.STOP, None, "2026-11-04T12:00:00")
    assert stopped["stoppedAt"] == at("2026-11-04T12:00:00")
    much_later = at("2027-01-01T00:00:00")
    assert not sla.is_breached(stopped, much_later)
    assert sla.count_working_days_left(stopped, much_later, WITA) == 3.5
    [again] = after([stopped], Effect.STOP, None, "2026-11-30T12:00:00")
    assert again["stoppedAt"] == at("2026-11-04T12:00:00")


def test_working_days_left_are_negative_when_late() -> None:
    [clock] = after([], Effect.START, ClockKind.ACCEPTANCE, "2026-11-02T10:00:00")
    assert sla.count_working_days_left(clock, at("2026-11-05T12:00:00"), WITA) == -1.5
    assert sla.is_breached(clock, at("2026-11-04T00:00:00"))
    assert not sla.is_breached(clock, at("2026-11-03T23:59:59"))


def test_a_clock_that_starts_again_is_a_new_entry() -> None:
    clocks = after([], Effect.START, ClockKind.ACCEPTANCE, "2026-11-02T10:00:00")
    clocks = after(clocks, Effect.STOP, ClockKind.ACCEPTANCE, "2026-11-03T10:00:00")
    clocks = after(clocks, Effect.START, ClockKind.ACCEPTANCE, "2026-11-04T10:00:00")
    assert [clock["startedAt"] for clock in clocks] == [at("2026-11-02T10:00:00"), at("2026-11-04T10:00:00")]
    assert sla.find_next_due(clocks) == at("2026-11-05T23:59:59")
