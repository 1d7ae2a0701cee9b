"""Indonesia's public holidays and collective leave, as calendars of the three time zones."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any, Final

import holidays

from resolvers.domain.calendar import Calendar
from resolvers.domain.sla import Calendars
from resolvers.domain.vocabulary import TimeZone

KNOWN_YEARS: Final = frozenset(range(2022, 2028))
"""Years whose joint decree on collective leave the `holidays` package knows."""


@cache
def find_calendar(zone: TimeZone) -> Calendar:
    """As the years' tables were published."""
    return Calendar(zone, _load_days(), KNOWN_YEARS)


@cache
def _load_days() -> dict[date, str]:
    found = holidays.country_holidays("ID", years=sorted(KNOWN_YEARS), categories=("public", "government"))
    return {day: found[day] for day in found}


def apply_overrides(overrides: Iterable[Mapping[str, Any]]) -> Calendars:
    """The tables with the days that later decrees changed (HolidayOverrideDoc)."""
    days = dict(_load_days())
    for override in overrides:
        day = date.fromisoformat(override["_id"])
        if override["name"] is None:
            days.pop(day, None)
        else:
            days[day] = override["name"]
    return {zone: Calendar(zone, days, KNOWN_YEARS) for zone in TimeZone}.__getitem__
