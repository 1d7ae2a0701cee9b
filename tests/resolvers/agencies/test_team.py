"""The filter of teams by status agrees with the status that a team shows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from resolvers.agencies import team
from resolvers.domain.vocabulary import TeamStatus
from resolvers.paging.listing import Arguments
from resolvers.request.context import RequestContext
from resolvers.store.database import Store

TODAY = date(2026, 11, 24)
# Half past one in the morning of the 24th in Jakarta is still the 23rd in UTC.
NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


def a_team(number: int, term_from: int, term_to: int | None, superseded: bool) -> Any:
    return {
        "_id": f"TM-{number}",
        "agency": "kab-badung",
        "agencyProvince": "prov-bali",
        "kind": "MANAGEMENT",
        "name": f"Tim {number:03}",
        "termFrom": (TODAY + timedelta(days=term_from)).isoformat(),
        "termTo": None if term_to is None else (TODAY + timedelta(days=term_to)).isoformat(),
        "supersededBy": "TM-X" if superseded else None,
    }


TEAMS = [
    a_team(number, *case)
    for number, case in enumerate(
        (start, end, superseded)
        for start in (-400, -1, 0, 1)
        for end in (None, 1, 0, -1, 59, 60, 61)
        for superseded in (False, True)
    )
]


@pytest.mark.parametrize("status", TeamStatus)
async def test_the_filter_and_the_status_agree(
    store: Store, context_of: Callable[..., RequestContext], status: TeamStatus
) -> None:
    await store.teams.insert_many(TEAMS)
    await store.teams.create_index([("kind", 1), ("name", 1), ("_id", 1)], name="kind_name")
    context = context_of(now=NOW)
    page = await team.list_teams(context, {"status": [status]}, Arguments(first=100)).fetch_page()
    expected = [row["_id"] for row in TEAMS if team.derive_status(context, row) is status]
    assert [row["_id"] for row in page.rows] == expected
    assert expected
