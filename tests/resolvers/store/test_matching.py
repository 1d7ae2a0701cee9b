"""A document in memory matches a filter if and only if the database finds it, for every filter of the lists."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support.examples import RECEIVED, a_complaint
from support.portal import EVERYONE, UNIT

from resolvers.complaints import complaint_list
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.request.context import RequestContext
from resolvers.store.database import Store
from resolvers.store.matching import collect_keys, matches
from resolvers.viewer import Viewer

LATER = RECEIVED + timedelta(days=3)
ROWS = [
    a_complaint(),
    a_complaint(confidential=True, body="Seorang anak hilang di pasar."),
    a_complaint(status="CLOSED_RESOLVED", closedAt=LATER, grade="NORMATIVE", category="SAFETY.CHILD"),
    a_complaint(holder="prov-bali", holderKind="PROVINCE", holders=["kab-badung", "prov-bali"], holderProvince=None),
    a_complaint(escalationLevel=3, nextDueAt=RECEIVED, team="TM-1", unit=UNIT, assignee="TM-1/1"),
    a_complaint(verifiedAt=None, status="SUBMITTED", region="34.04", province="34", receivedAt=LATER),
    a_complaint(escalationLevel=5, reporterSubject=None, **{"class": "ASPIRATION"}, channel="PHONE"),
]
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"status": [ComplaintStatus.ROUTED]},
    {"open": True},
    {"open": False, "closedAt": {"from": RECEIVED}},
    {"closedAt": {"from": LATER + timedelta(days=1)}},
    {"class": ["COMPLAINT"], "channel": ["WEB"]},
    {"category": ["ROAD.POTHOLE"], "grade": ["NORMATIVE"]},
    {"category": ["SAFETY.CHILD"]},
    {"holder": ["prov-bali"]},
    {"holderKind": ["REGENCY"]},
    {"region": ["51"]},
    {"region": ["34.04"]},
    {"region": ["51", "34.04"]},
    {"team": "TM-1"},
    {"unit": [UNIT]},
    {"assignee": "TM-1/1"},
    {"receivedAt": {"from": RECEIVED, "to": LATER}},
    {"receivedAt": {}},
    {"overdue": True},
    {"overdue": False},
    {"escalated": True},
    {"escalated": False},
    {"search": "lubang jalan"},
    {"search": "anak hilang"},
)


@pytest.mark.parametrize("viewer", EVERYONE, ids=lambda viewer: viewer.role + str(viewer.subject))
async def test_it_says_what_the_database_says(
    store: Store, context_of: Callable[..., RequestContext], viewer: Viewer
) -> None:
    await store.complaints.insert_many(ROWS)
    context = context_of(viewer, LATER)
    found = 0
    for filter in FILTERS:
        for query in complaint_list.build_filters(context, filter):
            known = await store.complaints.find({}, dict.fromkeys(collect_keys(query), True)).to_list(None)
            here = {row["_id"] for row in known if matches(query, row)}
            assert here == {row["_id"] for row in await store.complaints.find(query).to_list(None)}, filter
            found += len(here)
    assert found > len(FILTERS)
