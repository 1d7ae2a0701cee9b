"""DateTime and Date: what is accepted, what is printed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final, NewType

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

Date = NewType("Date", str)
"""An ISO 8601 calendar date, stored and passed as it is printed."""


_TWO = [f"{number:02}" for number in range(60)]
_THREE = [f".{number:03}Z" for number in range(1000)]
"""Formatting is most of what a page of instants costs: `isoformat` takes four times as long."""


def _print_instant(value: Any) -> str:
    if not isinstance(value, datetime) or (offset := value.utcoffset()) is None:
        raise TypeError("DateTime cannot print a value without an offset.")
    instant = value.astimezone(UTC) if offset else value
    return (
        f"{_day(instant.year, instant.month, instant.day)}{_TWO[instant.hour]}:{_TWO[instant.minute]}:"
        f"{_TWO[instant.second]}{_THREE[instant.microsecond // 1000]}"
    )


def print_instants(values: Sequence[Any]) -> list[str | None]:
    """Each as DateTime prints it, None as None; of UTC where none has an offset.

    Together they are a third of the CPU: orjson prints a list of them, but for the milliseconds, which it has as
    microseconds, or not at all where there are none.
    """
    if not {*map(type, values)} <= _INSTANTS or any(value is not None and value.tzinfo is not None for value in values):
        return [None if value is None else _print_instant(value) for value in values]
    printed: list[str | None] = orjson.loads(orjson.dumps(values, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z))
    return [
        instant and (f"{instant[:23]}Z" if len(instant) == _WITH_MICROSECONDS else f"{instant[:19]}.000Z")
        for instant in printed
    ]


_INSTANTS: Final = frozenset({datetime, type(None)})
_WITH_MICROSECONDS: Final = len("2026-11-24T09:30:00.000001Z")


@lru_cache(maxsize=10_000)
def _day(year: int, month: int, day: int) -> str:
    return f"{year:04}-{month:02}-{day:02}T"


def _read_instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise TypeError("DateTime takes a string such as 2026-11-24T09:30:00+08:00.")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"DateTime cannot read {value!r}: write for instance 2026-11-24T09:30:00+08:00.") from None
    if instant.tzinfo is None:
        raise ValueError(f"DateTime {value!r} has no offset: add Z, +07:00, +08:00 or +09:00.")
    return instant.astimezone(UTC)


def _print_date(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("Date cannot print a value that is not an ISO 8601 calendar date.")
    return value


def _read_date(value: Any) -> str:
    try:
        if not isinstance(value, str) or date.fromisoformat(value).isoformat() != value:
            raise ValueError
    except ValueError:
        raise ValueError(f"Date cannot read {value!r}: write for instance 2026-11-24.") from None
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 instant, always with an offset; stored in UTC.",
        serialize=_print_instant,
        parse_value=_read_instant,
    ),
    Date: strawberry.scalar(
        name="Date", description="ISO 8601 calendar date.", serialize=_print_date, parse_value=_read_date
    ),
}
