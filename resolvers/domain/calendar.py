"""Working days, holidays, time zones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from resolvers.domain.vocabulary import TimeZone

OFFSETS: Final = {
    TimeZone.WIB: timezone(timedelta(hours=7)),
    TimeZone.WITA: timezone(timedelta(hours=8)),
    TimeZone.WIT: timezone(timedelta(hours=9)),
}
_DAY: Final = timedelta(days=1)
_END_OF_DAY: Final = time(23, 59, 59)


@dataclass(frozen=True)
class Calendar:
    """The working days of a time zone: Monday to Friday, except `holidays`, which include collective leave.

    `known_years` are the years whose table of holidays is published. Other years count as if they had no holidays.
    """

    zone: TimeZone
    holidays: Mapping[date, str]
    known_years: frozenset[int]

    def to_local_day(self, instant: datetime) -> date:
        return instant.astimezone(OFFSETS[self.zone]).date()

    def is_working_day(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.holidays

    def find_end_of(self, day: date) -> datetime:
        """The last second of a local day, in UTC."""
        return datetime.combine(day, _END_OF_DAY, OFFSETS[self.zone]).astimezone(UTC)

    def compute_due_at(self, start: datetime, working_days: int) -> datetime:
        """Return the end of the Nth working day after the day of `start`. The day of `start` does not count."""
        day = self.to_local_day(start)
        while working_days > 0:
            day += _DAY
            working_days -= self.is_working_day(day)
        return self.find_end_of(day)

    def compute_due_after_days(self, start: datetime, days: int) -> datetime:
        """Return the end of the Nth calendar day after the day of `start`."""
        return self.find_end_of(self.to_local_day(start) + timedelta(days=days))

    def count_working_days(self, start: datetime, end: datetime) -> float:
        """Count the working days from `start` to `end`, with parts of a day as a share of 24 hours.

        Negative when `end` is before `start`. Friday 12:00 to Monday 12:00 is 1.0.
        """
        if end < start:
            return -self.count_working_days(end, start)
        first, last = self.to_local_day(start), self.to_local_day(end)
        whole = sum(self.is_working_day(first + timedelta(days=offset)) for offset in range((last - first).days))
        return whole - self._measure_share(start) + self._measure_share(end)

    def find_instant_before(self, end: datetime, working_days: float) -> datetime:
        """Return an instant from which `working_days` are left until `end`; parts of days count."""
        # Walks back day by day: `share` is what `day` can still give, 1 for a whole working day.
        day, share = self.to_local_day(end), self._measure_share(end)
        while not self.is_working_day(day) or working_days > share:
            working_days -= share
            day -= _DAY
            share = 1.0 if self.is_working_day(day) else 0.0
        midnight = datetime.combine(day, time.min, OFFSETS[self.zone])
        return (midnight + (share - working_days) * _DAY).astimezone(UTC)

    def _measure_share(self, instant: datetime) -> float:
        """The share of the local day that has passed at `instant`: 0 to 1 on a working day, 0 on any other day."""
        local = instant.astimezone(OFFSETS[self.zone])
        if not self.is_working_day(local.date()):
            return 0.0
        return (
            timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            / _DAY
        )

    def is_provisional(self, start: datetime, due: datetime) -> bool:
        """Whether a year between the two instants has no published table of holidays yet."""
        years = range(self.to_local_day(start).year, self.to_local_day(due).year + 1)
        return not self.known_years.issuperset(years)
