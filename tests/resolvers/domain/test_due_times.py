"""Due times counted by hand on the calendar: Lebaran, year's end, three zones, pauses, hand-overs.

Holidays and collective leave as decreed. 2024: 8 and 9 February, 14 February (election), 8 to 12 and 15 April, 25 and
26 December. 2025: 28 March to 7 April (work again on the 8th), 18 August, 25 and 26 December. 2026: 16 January, 16 and
17 February, 18 to 24 March, 3 April, 14 and 15 May, 27 and 28 May, 1 and 16 June, 17 and 25 August, 24 and 25 December.
2027: 1 and 5 January.
"""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from resolvers.domain import sla
from resolvers.domain.calendar import OFFSETS
from resolvers.domain.lifecycle import ClockEffect, Effect
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import ClockKind, SupervisionGrade, TimeZone
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.store.register import build_policies

POLICY = build_policies().by_version("5/2025")


def at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OFFSETS[TimeZone(zone)]).astimezone(UTC)


def last_second(day: str, zone: str) -> datetime:
    return at(f"{day}T23:59:59", zone)


@pytest.mark.parametrize(
    ("zone", "start", "working_days", "day"),
    [
        # Lebaran and Nyepi 2026: nobody works from Wednesday 18 to Tuesday 24 March.
        ("WIB", "2026-03-16T10:00", 1, "2026-03-17"),
        ("WIB", "2026-03-16T10:00", 2, "2026-03-25"),
        ("WITA", "2026-03-17T23:59", 3, "2026-03-27"),
        ("WIT", "2026-03-17T09:00", 5, "2026-03-31"),
        ("WIB", "2026-03-20T12:00", 3, "2026-03-27"),
        ("WIB", "2026-03-17T09:00", 8, "2026-04-06"),
        # Lebaran 2025: Friday 28 March to Monday 7 April.
        ("WIB", "2025-03-26T09:00", 2, "2025-04-08"),
        ("WITA", "2025-03-27T09:00", 5, "2025-04-14"),
        ("WIT", "2025-03-30T09:00", 1, "2025-04-08"),
        # Lebaran 2024: Monday 8 to Monday 15 April.
        ("WIB", "2024-04-05T16:00", 1, "2024-04-16"),
        ("WIB", "2024-04-04T09:00", 3, "2024-04-17"),
        # Year's end.
        ("WIB", "2025-12-23T09:00", 3, "2025-12-30"),
        ("WITA", "2025-12-30T09:00", 3, "2026-01-05"),
        ("WIT", "2026-12-22T09:00", 3, "2026-12-29"),
        ("WIB", "2026-12-30T09:00", 5, "2027-01-08"),
        ("WIB", "2024-12-24T09:00", 2, "2024-12-30"),
        ("WIB", "2024-12-31T09:00", 1, "2025-01-02"),
        # A holiday of mid-year, a general election, a bridge day.
        ("WIB", "2025-08-15T09:00", 1, "2025-08-19"),
        ("WIB", "2024-02-07T09:00", 3, "2024-02-15"),
        ("WITA", "2026-05-13T09:00", 1, "2026-05-18"),
        # The long grades: 60 days over Lebaran, 14 over three holidays.
        ("WIB", "2026-01-02T09:00", 60, "2026-04-09"),
        ("WIB", "2026-05-22T09:00", 14, "2026-06-17"),
    ],
)
def test_a_due_day_counted_on_the_calendar(zone: str, start: str, working_days: int, day: str) -> None:
    assert find_calendar(TimeZone(zone)).compute_due_at(at(start, zone), working_days) == last_second(day, zone)


@pytest.mark.parametrize(("zone", "day"), [("WIB", "2026-08-14"), ("WITA", "2026-08-14"), ("WIT", "2026-08-18")])
def test_late_on_thursday_in_jakarta_is_friday_in_jayapura(zone: str, day: str) -> None:
    """Friday the 14th, then a weekend and Independence Day on Monday."""
    assert find_calendar(TimeZone(zone)).compute_due_at(at("2026-08-13T22:30", "WIB"), 1) == last_second(day, zone)


@pytest.mark.parametrize(
    ("zone", "start", "day"), [("WITA", "2026-03-15T08:00", "2026-03-25"), ("WIB", "2026-12-28T08:00", "2027-01-07")]
)
def test_the_reporters_ten_days_count_every_day(zone: str, start: str, day: str) -> None:
    clocks = changed([], Effect.START, ClockKind.REPORTER_REPLY, start, zone)
    assert clocks[0]["dueAt"] == last_second(day, zone)


def changed(
    clocks: list[ClockDoc],
    effect: Effect,
    kind: ClockKind | None,
    now: str,
    zone: str,
    grade: SupervisionGrade | None = None,
    since: datetime | None = None,
) -> list[ClockDoc]:
    return sla.apply_effects(
        clocks,
        [ClockEffect(effect, kind)],
        now=at(now, zone),
        zone=TimeZone(zone),
        calendars=find_calendar,
        policy=POLICY,
        grade=grade,
        resolution_since=since,
    )


@pytest.mark.parametrize(
    ("kind", "grade", "zone", "start", "first", "paused", "resumed", "then"),
    [
        # Asked on Monday, supplied after Lebaran: all three days are left from Thursday the 26th on.
        (
            ClockKind.VERIFICATION,
            None,
            "WIB",
            "2026-03-13T09:00",
            "2026-03-25",
            "2026-03-16T10:00",
            "2026-03-26T10:00",
            "2026-03-30",
        ),
        # Two weeks of hold are ten working days.
        (
            ClockKind.RESOLUTION,
            SupervisionGrade.NORMATIVE,
            "WITA",
            "2026-11-02T10:00",
            "2026-11-09",
            "2026-11-04T10:00",
            "2026-11-18T09:00",
            "2026-11-23",
        ),
        # On hold over Christmas and New Year: seven working days, and Isra Mi'raj on 16 January.
        (
            ClockKind.RESOLUTION,
            SupervisionGrade.NON_SUPERVISORY,
            "WIB",
            "2025-12-15T10:00",
            "2026-01-07",
            "2025-12-22T10:00",
            "2026-01-05T10:00",
            "2026-01-19",
        ),
        # Within one day nothing is gained.
        (
            ClockKind.RESOLUTION,
            SupervisionGrade.LIGHT,
            "WIT",
            "2026-11-02T10:00",
            "2026-11-04",
            "2026-11-03T08:00",
            "2026-11-03T16:00",
            "2026-11-04",
        ),
        # Nor over Lebaran alone.
        (
            ClockKind.RESOLUTION,
            SupervisionGrade.LIGHT,
            "WIT",
            "2026-03-17T10:00",
            "2026-03-26",
            "2026-03-18T08:00",
            "2026-03-24T16:00",
            "2026-03-26",
        ),
    ],
)
def test_a_pause_moves_the_due_day_by_the_working_days_that_ended_in_it(
    kind: ClockKind,
    grade: SupervisionGrade | None,
    zone: str,
    start: str,
    first: str,
    paused: str,
    resumed: str,
    then: str,
) -> None:
    clocks = changed([], Effect.START, kind, start, zone, grade)
    assert clocks[0]["dueAt"] == last_second(first, zone)
    clocks = changed(clocks, Effect.PAUSE, kind, paused, zone)
    assert sla.find_next_due(clocks) is None
    clocks = changed(clocks, Effect.RESUME, kind, resumed, zone)
    assert clocks[0]["dueAt"] == last_second(then, zone)
    recounted = sla.recount_clock(clocks[0], find_calendar(TimeZone(zone)), POLICY, grade)
    assert recounted == clocks[0], "counted anew it is due at the same time"


def test_a_disputed_answer_leaves_the_days_that_were_left() -> None:
    """Answered on the first of two days, disputed nine days later: one day and the day of the dispute are left."""
    clocks = changed([], Effect.START, ClockKind.RESOLUTION, "2026-11-02T10:00", "WITA", SupervisionGrade.LIGHT)
    clocks = changed(clocks, Effect.STOP, ClockKind.RESOLUTION, "2026-11-03T10:00", "WITA")
    clocks = changed(clocks, Effect.RESUME, ClockKind.RESOLUTION, "2026-11-12T10:00", "WITA")
    assert clocks[0]["dueAt"] == last_second("2026-11-13", "WITA")


def test_a_reopened_case_resumes_its_new_resolution_and_not_the_old_one() -> None:
    grade = SupervisionGrade.LIGHT
    clocks = changed([], Effect.START, ClockKind.RESOLUTION, "2026-11-02T10:00", "WITA", grade)
    clocks = changed(clocks, Effect.STOP, None, "2026-11-03T10:00", "WITA")
    clocks = changed(clocks, Effect.START, ClockKind.RESOLUTION, "2026-11-16T10:00", "WITA", grade)
    clocks = changed(clocks, Effect.STOP, ClockKind.RESOLUTION, "2026-11-17T10:00", "WITA")
    clocks = changed(clocks, Effect.RESUME, ClockKind.RESOLUTION, "2026-11-18T10:00", "WITA")
    assert [clock["stoppedAt"] is None for clock in clocks] == [False, True]
    assert clocks[1]["dueAt"] == last_second("2026-11-19", "WITA")


def test_a_hand_over_from_jakarta_to_jayapura_counts_in_the_new_holders_days() -> None:
    """Forwarded on Thursday at 23:00 in Jakarta, which is Friday in Jayapura; Tuesday the 25th is Maulid."""
    for kind, day in ((ClockKind.ACCEPTANCE, "2026-08-24"), (ClockKind.FOLLOW_UP, "2026-08-31")):
        old = changed([], Effect.START, kind, "2026-08-13T22:30", "WIB")
        both = sla.apply_effects(
            changed(old, Effect.STOP, kind, "2026-08-20T23:00", "WIB"),
            [ClockEffect(Effect.START, kind)],
            now=at("2026-08-20T23:00", "WIB"),
            zone=TimeZone.WIT,
            calendars=find_calendar,
            policy=POLICY,
            grade=None,
        )
        assert [clock["zone"] for clock in both] == ["WIB", "WIT"]
        assert both[1]["dueAt"] == last_second(day, "WIT")


def test_resolution_counted_anew_for_a_new_holder_begins_on_that_holders_day() -> None:
    [clock] = changed([], Effect.START, ClockKind.RESOLUTION, "2026-08-13T22:30", "WIB", SupervisionGrade.NORMATIVE)
    assert clock["dueAt"] == last_second("2026-08-21", "WIB")
    anew = sla.recount_clock(clock, find_calendar(TimeZone.WIT), POLICY, SupervisionGrade.NORMATIVE)
    assert (anew["dueAt"], anew["zone"]) == (last_second("2026-08-24", "WIT"), "WIT")


def test_a_hold_counts_in_the_days_of_the_clock_and_not_of_who_holds_it() -> None:
    """Due on Monday at 23:59:59 in Jakarta, which is Tuesday in Jayapura: one day of hold is one day."""
    clocks = changed([], Effect.START, ClockKind.RESOLUTION, "2026-11-02T10:00", "WIB", SupervisionGrade.NORMATIVE)
    clocks = changed(clocks, Effect.PAUSE, ClockKind.RESOLUTION, "2026-11-09T22:00", "WIT")
    clocks = changed(clocks, Effect.RESUME, ClockKind.RESOLUTION, "2026-11-10T12:00", "WIT")
    assert clocks[0]["dueAt"] == last_second("2026-11-10", "WIB")


def test_another_class_counts_from_receipt() -> None:
    received = at("2026-11-02T10:00", "WITA")
    [clock] = changed(
        [], Effect.START, ClockKind.RESOLUTION, "2026-11-05T10:00", "WITA", SupervisionGrade.NORMATIVE, received
    )
    assert (clock["startedAt"], clock["dueAt"]) == (received, last_second("2026-11-09", "WITA"))


def test_a_clock_that_ends_while_it_is_paused_was_not_late() -> None:
    """A complaint withdrawn while its reporter was asked counted as verified too late."""
    clocks = changed([], Effect.START, ClockKind.VERIFICATION, "2026-11-02T10:00", "WITA")
    clocks = changed(clocks, Effect.PAUSE, ClockKind.VERIFICATION, "2026-11-03T10:00", "WITA")
    [ended] = changed(clocks, Effect.STOP, None, "2026-12-01T10:00", "WITA")
    assert not sla.is_breached(ended, at("2026-12-24T10:00", "WITA"))
    assert not sla.is_paused(ended)


def test_a_year_without_a_table_is_said_to_be_provisional() -> None:
    [clock] = changed([], Effect.START, ClockKind.FOLLOW_UP, "2027-12-29T10:00", "WIB")
    assert (clock["dueAt"], clock["provisional"]) == (last_second("2028-01-05", "WIB"), True)
    [held] = changed([], Effect.START, ClockKind.RESOLUTION, "2027-12-20T10:00", "WIB", SupervisionGrade.LIGHT)
    assert not held["provisional"]
    held = changed([held], Effect.PAUSE, ClockKind.RESOLUTION, "2027-12-21T10:00", "WIB")[0]
    assert changed([held], Effect.RESUME, ClockKind.RESOLUTION, "2028-01-10T10:00", "WIB")[0]["provisional"]
    known = find_calendar(TimeZone.WIB)
    without_2026 = replace(known, known_years=known.known_years - {2026})
    assert without_2026.is_provisional(at("2026-01-05T10:00", "WIB"), at("2026-01-08T10:00", "WIB"))
    assert without_2026.to_local_day(at("2026-01-05T10:00", "WIB")) == date(2026, 1, 5)
