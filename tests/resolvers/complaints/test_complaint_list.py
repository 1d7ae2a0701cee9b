"""Lists of complaints against a plain reading of their filters."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.examples import RECEIVED, a_complaint
from support.portal import ADMIN, NATIONAL, UNIT

from resolvers.complaints.complaint_list import list_complaints
from resolvers.domain.vocabulary import ComplaintOrder, ComplaintStatus
from resolvers.errors import InvalidArgument
from resolvers.paging.listing import Arguments
from resolvers.request.context import RequestContext
from resolvers.store.database import Store

Ask = Callable[..., Any]
NOW = RECEIVED + timedelta(days=20)
THIRD_HOUR = RECEIVED + timedelta(hours=3)
ROWS = [
    a_complaint(status=status, receivedAt=RECEIVED + timedelta(hours=number // 2), escalationLevel=number % 3)
    for number, status in enumerate([*ComplaintStatus, *ComplaintStatus])
]
ODD = [
    a_complaint(holder="kemen-pupr", holderKind="MINISTRY", holders=["kemen-pupr"], channel="LETTER"),
    a_complaint(region="31.71", province="31", category="CIVIL", grade="LIGHT"),
    a_complaint(region="51", province="51", **{"class": "ASPIRATION"}),
    a_complaint(team="TM-1", unit=UNIT, assignee="TM-1/4", assigneeSubject="demo-liaison"),
    a_complaint(status="CLOSED_RESOLVED", closedAt=RECEIVED + timedelta(days=2)),
    a_complaint(nextDueAt=RECEIVED + timedelta(days=1)),
]


@pytest.fixture
async def ask(register: Store, context_of: Callable[..., RequestContext]) -> Ask:
    await register.complaints.insert_many(ROWS + ODD)

    def make(filter: dict[str, Any] | None = None, order: Any = None, viewer: Any = NATIONAL, **page: Any) -> Any:
        context = context_of(viewer, NOW)
        return list_complaints(context, filter or {}, order, Arguments(**page), keys=frozenset({"status"}))

    return make


@pytest.mark.parametrize(
    ("filter", "matches"),
    [
        ({"status": ["ROUTED", "ANSWERED"]}, lambda row: row["status"] in ("ROUTED", "ANSWERED")),
        ({"open": True}, lambda row: not row["status"].startswith(("CLOSED", "ARCH", "MERGED", "WITH"))),
        ({"open": False}, lambda row: row["status"].startswith(("CLOSED", "ARCH", "MERGED", "WITH"))),
        ({"open": False, "status": ["ROUTED"]}, lambda row: False),
        ({"holder": ["kemen-pupr"]}, lambda row: row["holder"] == "kemen-pupr"),
        ({"holderKind": ["MINISTRY"]}, lambda row: row["holderKind"] == "MINISTRY"),
        ({"region": ["51"]}, lambda row: row["province"] == "51"),
        ({"region": ["51.03"]}, lambda row: row["region"] == "51.03"),
        ({"region": ["51", "31.71"]}, lambda row: True),
        ({"category": ["CIVIL"]}, lambda row: row["category"] == "CIVIL"),
        ({"class": ["ASPIRATION"]}, lambda row: row["class"] == "ASPIRATION"),
        ({"grade": ["LIGHT"]}, lambda row: row["grade"] == "LIGHT"),
        ({"channel": ["LETTER"]}, lambda row: row["channel"] == "LETTER"),
        ({"team": "TM-1"}, lambda row: row["team"] == "TM-1"),
        ({"unit": [UNIT]}, lambda row: row["unit"] == UNIT),
        ({"assignee": "TM-1/4"}, lambda row: row["assignee"] == "TM-1/4"),
        ({"escalated": True}, lambda row: row["escalationLevel"] > 0),
        ({"escalated": False}, lambda row: row["escalationLevel"] == 0),
        ({"overdue": True}, lambda row: row["nextDueAt"] < NOW),
        ({"overdue": False}, lambda row: row["nextDueAt"] >= NOW),
        (
            {"receivedAt": {"from": THIRD_HOUR}},
            lambda row: row["receivedAt"] >= THIRD_HOUR,
        ),
        (
            {"receivedAt": {"to": THIRD_HOUR}},
            lambda row: row["receivedAt"] < THIRD_HOUR,
        ),
        ({"closedAt": {"from": datetime(2026, 1, 1, tzinfo=UTC)}}, lambda row: row["closedAt"] is not None),
        ({"receivedAt": {}}, lambda row: True),
        ({"status": []}, lambda row: False),
    ],
)
async def test_a_filter_means_what_it_says(ask: Ask, filter: dict[str, Any], matches: Callable[[Any], bool]) -> None:
    found = ask(filter, first=100)
    page = await found.fetch_page()
    wanted = {row["_id"] for row in ROWS + ODD if matches(row)}
    assert {row["_id"] for row in page.rows} == wanted
    assert await found.total() == len(wanted)


@pytest.mark.parametrize(
    ("order", "key", "descending"),
    [
        (None, "receivedAt", True),
        (ComplaintOrder.RECEIVED_ASC, "receivedAt", False),
        (ComplaintOrder.UPDATED_DESC, "updatedAt", True),
        (ComplaintOrder.DUE_ASC, "nextDueAt", False),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 7])
async def test_pages_in_either_direction_cover_the_list_once(
    ask: Ask, order: ComplaintOrder | None, key: str, descending: bool, size: int
) -> None:
    expected = [
        row["_id"] for row in sorted(ROWS + ODD, key=lambda row: (row.get(key), row["_id"]), reverse=descending)
    ]
    for backwards in (False, True):
        seen: list[str] = []
        at: str | None = None
        while True:
            asked = {"last": size, "before": at} if backwards else {"first": size, "after": at}
            found = ask(None, order, **asked)
            page = await found.fetch_page()
            ids = [row["_id"] for row in page.rows]
            seen = ids + seen if backwards else seen + ids
            if not (page.has_previous if backwards else page.has_next):
                break
            at = found.write_cursor(page.rows[0] if backwards else page.rows[-1])
        assert seen == expected


async def test_a_row_that_comes_meanwhile_does_not_shift_the_next_page(ask: Ask, store: Store) -> None:
    first = ask(first=5)
    before = await first.fetch_page()
    await store.complaints.insert_one(a_complaint(receivedAt=RECEIVED + timedelta(days=9)))
    second = await ask(first=5, after=first.write_cursor(before.rows[-1])).fetch_page()
    assert not {row["_id"] for row in before.rows} & {row["_id"] for row in second.rows}
    assert second.has_previous


async def test_a_cursor_of_another_filter_or_viewer_order_is_refused(ask: Ask) -> None:
    found = ask(first=2)
    page = await found.fetch_page()
    cursor = found.write_cursor(page.rows[-1])
    for filter, order in (({"open": True}, None), (None, ComplaintOrder.DUE_ASC)):
        with pytest.raises(InvalidArgument):
            ask(filter, order, after=cursor)


async def test_a_hundred_and_one_values_are_refused(ask: Ask) -> None:
    with pytest.raises(InvalidArgument, match="101 values"):
        ask({"holder": [f"agency-{number}" for number in range(101)]})


async def test_only_what_is_asked_for_is_read(ask: Ask) -> None:
    page = await ask(viewer=ADMIN).fetch_page()
    assert all("body" not in row and "followUps" not in row for row in page.rows)
