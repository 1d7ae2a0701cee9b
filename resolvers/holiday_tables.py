"""Indonesia's public holidays and collective leave, as calendars of the three time zones."""

from datetime import date
from functools import cache
from typing import Final

import holidays

from resolvers.domain.calendar import Calendar
from resolvers.domain.vocabulary import TimeZone

KNOWN_YEARS: Final = frozenset(range(2022, 2028))
"""Years whose joint decree on collective leave the `holidays` package knows."""


@cache
def calendar(zone: TimeZone) -> Calendar:
    return Calendar(zone, _days(), KNOWN_YEARS)


@cache
def _days() -> dict[date, str]:
    found = holidays.country_holidays("ID", years=sorted(KNOWN_YEARS), categories=("public", "government"))
    return {day: found[day] for day in found}
