"""Instants that are printed together look as if each was printed by itself."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import SCALARS, print_instants

MILLISECONDS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(0), "UTC")])


def printed(value: Any) -> Any:
    serialize = SCALARS[datetime].serialize
    assert serialize is not None
    return None if value is None else serialize(value)


@given(st.lists(st.one_of(st.none(), MILLISECONDS)))
def test_instants_without_a_zone_are_printed_as_those_of_utc(values: list[datetime | None]) -> None:
    of_utc = [None if value is None else value.replace(tzinfo=UTC) for value in values]
    assert print_instants(values) == [printed(value) for value in of_utc]


@given(st.lists(st.one_of(st.none(), st.builds(datetime.astimezone, MILLISECONDS, ZONES))))
def test_instants_with_a_zone_are_printed_as_each_by_itself(values: list[datetime | None]) -> None:
    assert print_instants(values) == [printed(value) for value in values]


@pytest.mark.parametrize("other", ["2026-11-24T00:00:00Z", 7, True, {}, 1.5])
def test_what_is_no_instant_is_not_printed(other: Any) -> None:
    with pytest.raises(TypeError):
        print_instants([datetime(2026, 11, 24), other])
