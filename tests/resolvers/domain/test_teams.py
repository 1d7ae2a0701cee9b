"""The status of a team by its term, and the share of its seats that are filled."""

from datetime import date

import pytest

from resolvers.domain.teams import Health, Seat, compute_health, derive_status, may_work
from resolvers.domain.vocabulary import TeamRole

UNITS = ("pupr", "dukcapil")


@pytest.mark.parametrize(
    ("term_to", "superseded", "today", "expected", "works"),
    [
        (date(2026, 12, 31), False, date(2025, 12, 31), "PLANNED", False),
        (date(2026, 12, 31), False, date(2026, 1, 1), "ACTIVE", True),
        (date(2026, 12, 31), False, date(2026, 10, 31), "ACTIVE", True),
        (date(2026, 12, 31), False, date(2026, 11, 1), "EXPIRING", True),
        (date(2026, 12, 31), False, date(2026, 12, 31), "EXPIRING", True),
        (date(2026, 12, 31), False, date(2027, 1, 1), "EXPIRED", True),
        (date(2026, 12, 31), False, date(2027, 1, 14), "EXPIRED", True),
        (date(2026, 12, 31), False, date(2027, 1, 15), "EXPIRED", False),
        (date(2026, 12, 31), True, date(2027, 1, 1), "SUPERSEDED", False),
        (None, False, date(2099, 1, 1), "ACTIVE", True),
        (None, True, date(2026, 5, 1), "SUPERSEDED", False),
    ],
)
def test_the_term_decides_and_grace_lets_work_go_on_for_fourteen_days(
    term_to: date | None, superseded: bool, today: date, expected: str, works: bool
) -> None:
    found = derive_status(term_from=date(2026, 1, 1), term_to=term_to, superseded=superseded, today=today)
    assert (found, may_work(found, term_to, today)) == (expected, works)


@pytest.mark.parametrize(
    ("members", "units", "ends", "expected"),
    [
        ([], (), [], Health(0, 2, None, None, None)),
        ([], UNITS, [date(2026, 12, 1)], Health(0, 4, 0.0, None, 7)),
        (
            [Seat(TeamRole.COORDINATOR, None, True), Seat(TeamRole.LIAISON, "pupr", False)],
            UNITS,
            [date(2026, 12, 1), date(2027, 1, 1)],
            Health(2, 4, 0.5, 0.5, 38),
        ),
        (
            [Seat(TeamRole.ADMIN, None, False)] * 2 + [Seat(TeamRole.LIAISON, "pupr", True)] * 2,
            UNITS,
            [date(2026, 12, 1), None],
            Health(2, 4, 1.0, 0.5, None),
        ),
        ([Seat(TeamRole.LIAISON, None, False)], UNITS, [date(2026, 11, 20)], Health(0, 4, 0.5, 0.0, -4)),
    ],
)
def test_health_counts_seats_and_not_heads(
    members: list[Seat], units: tuple[str, ...], ends: list[date | None], expected: Health
) -> None:
    assert compute_health(members, units, ends, date(2026, 11, 24)) == expected
