"""A team's status by its term."""

from datetime import date

import pytest

from resolvers.domain.teams import may_work, status


@pytest.mark.parametrize(
    ("term_to", "superseded", "today", "expected", "works"),
    [
        (date(2026, 12, 31), False, date(2025, 12, 31), "PLANNED", False),
        (date(2026, 12, 31), False, date(2026, 1, 1), "ACTIVE", True),
        (date(2026, 12, 31), False, date(2026, 10, 31), "ACTIVE", True),
        (date(2026, 12, 31), False, date(2026, 11, 1), "EXPIRING", True),
        (date(2026, 12, 31), False, date(2026, 12, 31), "EXPIRING", True),
        (date(2026, 12, 31), False, date(2027, 1, 1), "EXPIRED", False),
        (None, False, date(2099, 1, 1), "ACTIVE", True),
        (None, True, date(2026, 5, 1), "SUPERSEDED", False),
    ],
)
def test_the_term_decides(term_to: date | None, superseded: bool, today: date, expected: str, works: bool) -> None:
    found = status(term_from=date(2026, 1, 1), term_to=term_to, superseded=superseded, today=today)
    assert (found, may_work(found)) == (expected, works)
