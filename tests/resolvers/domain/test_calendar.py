"""Working days: cases computed by hand, and laws."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain.calendar import OFFSETS, Calendar
from resolvers.domain.vocabulary import TimeZone
from resolvers.regulations.holiday_tables import KNOWN_YEARS, find_calendar

instants = st.datetimes(datetime(2023, 1, 1), datetime(2026, 6, 30)).map(lambda moment: moment.replace(tzinfo=UTC))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "start", "working_days", "due"),
    [
        # An ordinary week: Monday, five working days, the next Monday.
        ("WIB", "2026-11-02T10:00+07:00", 5, "2026-11-09T23:59:59+07:00"),
        # A Friday evening: the weekend does not count.
        ("WITA", "2026-11-06T20:00+08:00", 3, "2026-11-11T23:59:59+08:00"),
        # 17 August 2026 is Independence Day, a Monday.
        ("WIB", "2026-08-14T09:00+07:00", 1, "2026-08-18T23:59:59+07:00"),
        # Idul Fitri 2025: 31 March and 1 April, collective leave on 2, 3, 4 and 7 April; Nyepi on 28 and 29 March.
        ("WITA", "2025-03-27T09:00+08:00", 1, "2025-04-08T23:59:59+08:00"),
        # The last second of the 27th in WIB is the 28th in WIT already.
        ("WIT", "2026-11-27T23:30+07:00", 1, "2026-11-30T23:59:59+09:00"),
        ("WIB", "2026-11-27T23:30+07:00", 1, "2026-11-30T23:59:59+07:00"),
        # Taken in on a Sunday: Monday is the first day.
        ("WIB", "2026-11-01T12:00+07:00", 1, "2026-11-02T23:59:59+07:00"),
        # New Year's Day 2026 is a Thursday.
        ("WIB", "2025-12-31T12:00+07:00", 2, "2026-01-05T23:59:59+07:00"),
        # 24 and 25 December 2026: collective leave, then Christmas.
        ("WIB", "2026-12-23T08:00+07:00", 1, "2026-12-28T23:59:59+07:00"),
    ],
)
def test_a_due_time_counted_by_hand(zone: str, start: str, working_days: int, due: str) -> None:
    assert find_calendar(TimeZone(zone)).compute_due_at(utc(start), working_days) == utc(due)


@given(start=instants, days=st.integers(0, 60), zone=st.sampled_from(TimeZone))
def test_a_deadline_is_the_end_of_a_working_day(start: datetime, days: int, zone: TimeZone) -> None:
    found = find_calendar(zone)
    due = found.compute_due_at(start, days)
    local = due.astimezone(OFFSETS[zone])
    assert (local.hour, local.minute, local.second) == (23, 59, 59)
    assert days == 0 or found.is_working_day(local.date())


@given(start=instants, days=st.integers(1, 30), zone=st.sampled_from(TimeZone))
def test_exactly_so_many_working_days_lie_between_the_day_of_receipt_and_the_deadline(
    start: datetime, days: int, zone: TimeZone
) -> None:
    found = find_calendar(zone)
    first, last = found.to_local_day(start), found.to_local_day(found.compute_due_at(start, days))
    between = [first + timedelta(days=offset) for offset in range(1, (last - first).days + 1)]
    assert sum(found.is_working_day(day) for day in between) == days


@given(earlier=instants, later=instants, zone=st.sampled_from(TimeZone))
def test_working_days_between_two_instants_are_the_same_backwards(
    earlier: datetime, later: datetime, zone: TimeZone
) -> None:
    found = find_calendar(zone)
    assert found.count_working_days(earlier, later) == pytest.approx(-found.count_working_days(later, earlier))


@given(st.tuples(instants, instants, instants), st.sampled_from(TimeZone))
def test_working_days_add_up(moments: tuple[datetime, datetime, datetime], zone: TimeZone) -> None:
    first, second, third = sorted(moments)
    found = find_calendar(zone)
    parts = found.count_working_days(first, second) + found.count_working_days(second, third)
    assert found.count_working_days(first, third) == pytest.approx(parts)


def test_a_weekend_and_a_holiday_hold_no_working_time() -> None:
    wib = find_calendar(TimeZone.WIB)
    assert wib.count_working_days(utc("2026-11-07T00:00+07:00"), utc("2026-11-08T23:00+07:00")) == 0
    assert wib.count_working_days(utc("2026-08-17T00:00+07:00"), utc("2026-08-17T23:00+07:00")) == 0
    assert wib.count_working_days(utc("2026-11-02T00:00+07:00"), utc("2026-11-02T12:00+07:00")) == 0.5


def test_a_year_without_a_published_table_is_provisional() -> None:
    found = Calendar(TimeZone.WIB, {}, frozenset({2026}))
    assert not found.is_provisional(utc("2026-02-01T00:00+07:00"), utc("2026-12-31T23:59+07:00"))
    assert found.is_provisional(utc("2026-12-31T12:00+07:00"), utc("2027-01-05T12:00+07:00"))


@pytest.mark.parametrize(
    "day",
    ["2025-01-01", "2025-03-31", "2025-04-02", "2025-04-07", "2025-08-17", "2026-03-19", "2026-05-01", "2026-06-01"],
)
def test_the_tables_hold_public_holidays_and_collective_leave(day: str) -> None:
    assert date.fromisoformat(day) in find_calendar(TimeZone.WIB).holidays


def test_every_known_year_has_its_holidays() -> None:
    years = [day.year for day in find_calendar(TimeZone.WIB).holidays]
    assert all(years.count(year) >= 15 for year in KNOWN_YEARS)
