"""Calendars of the three time zones with Indonesia's public holidays and collective leave."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Final

import holidays

from resolvers.domain.calendar import Calendar
from resolvers.domain.sla import Calendars
from resolvers.domain.vocabulary import TimeZone
from resolvers.system_documents import HolidayOverrideDoc

KNOWN_YEARS: Final = frozenset(range(2022, 2028))
"""The years whose joint decree on collective leave is in the `holidays` package."""


@cache
def find_calendar(zone: TimeZone) -> Calendar:
    """Return the calendar as published, without later decrees."""
    return Calendar(zone, _load_days(), KNOWN_YEARS)


@cache
def _load_days() -> dict[date, str]:
    found = holidays.country_holidays("ID", years=sorted(KNOWN_YEARS), categories=("public", "government"))
    return {day: found[day] for day in found}


def apply_overrides(overrides: Iterable[HolidayOverrideDoc]) -> Calendars:
    """Return the calendars with the days that later decrees have changed (HolidayOverrideDoc)."""
    days = dict(_load_days())
    for override in overrides:
        day = date.fromisoformat(override["_id"])
        if override["name"] is None:
            days.pop(day, None)
        else:
            days[day] = override["name"]
    return {zone: Calendar(zone, days, KNOWN_YEARS) for zone in TimeZone}.__getitem__
