"""Every mutation from every status by every role, over the real store: done, or refused with which code.

Who may do what is written out here a second time, from the table in docs/lifecycle.md.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from support.actions import DO, Call
from support.portal import (
    ADMIN,
    CITIZEN,
    COORDINATOR,
    LIAISON,
    NATIONAL,
    OTHER_ADMIN,
    OTHER_CITIZEN,
    OVERSIGHT,
    PARTNER,
    SUBGRAPH,
)
from support.states import HELD_BY_PROVINCE, NOW, PROVINCE_TEAM, in_status, register_of_bali

from resolvers.documents import ComplaintDoc
from resolvers.domain.lifecycle import OPEN, TRANSITIONS
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.domain.vocabulary import ComplaintStatus as Status
from resolvers.domain.vocabulary import Role, UnlistedAction
from resolvers.errors import Refused
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

SYSTEM = Viewer(Role.SYSTEM)
VIEWERS = (
    PUBLIC,
    CITIZEN,
    OTHER_CITIZEN,
    LIAISON,
    ADMIN,
    OTHER_ADMIN,
    COORDINATOR,
    NATIONAL,
    OVERSIGHT,
    PARTNER,
    SUBGRAPH,
    SYSTEM,
)
ONCE = Attempt("tried", "digest")

# fmt: off
ANY = " ".join(Status)
STILL_OPEN = "SUBMITTED NEEDS_INFO ROUTED RETURNED IN_PROGRESS ON_HOLD ANSWERED REOPENED"

# Where the complaint lies with Badung, whose agency took it in, and Bali is its province.
MAY: dict[Action | UnlistedAction, list[tuple[str, tuple[Viewer, ...]]]] = {
    Action.REQUEST_INFORMATION: [("SUBMITTED", (ADMIN, NATIONAL))],
    Action.SUPPLY_INFORMATION: [("NEEDS_INFO", (CITIZEN,))],
    Action.VERIFY: [("SUBMITTED", (ADMIN, NATIONAL, SYSTEM))],
    Action.FORWARD: [("ROUTED RETURNED", (COORDINATOR, NATIONAL))],
    Action.RETURN: [("ROUTED IN_PROGRESS", (ADMIN, SUBGRAPH))],
    Action.ACCEPT: [("ROUTED REOPENED", (ADMIN, LIAISON)), ("IN_PROGRESS", (ADMIN,))],
    Action.HOLD: [("IN_PROGRESS", (ADMIN,))],
    Action.RESUME: [("ON_HOLD", (ADMIN, SYSTEM))],
    Action.FOLLOW_UP: [("IN_PROGRESS", (ADMIN, LIAISON, SUBGRAPH))],
    Action.APPROVE: [("IN_PROGRESS", (ADMIN,))],
    Action.REJECT: [("IN_PROGRESS", (ADMIN,))],
    Action.CONFIRM: [("ANSWERED", (CITIZEN,))],
    Action.DISPUTE: [("ANSWERED", (CITIZEN,))],
    Action.PROPOSE_CLOSURE: [("IN_PROGRESS", (ADMIN,))],
    Action.CONSENT_TO_CLOSURE: [("IN_PROGRESS", (COORDINATOR, NATIONAL))],
    UnlistedAction.REFUSE_CLOSURE: [("IN_PROGRESS", (COORDINATOR, NATIONAL))],
    Action.ARCHIVE: [("SUBMITTED", (ADMIN, NATIONAL))],
    Action.RESTORE: [("ARCHIVED", (CITIZEN, NATIONAL))],
    Action.MERGE: [("SUBMITTED ROUTED", (ADMIN, NATIONAL, SUBGRAPH))],
    Action.WITHDRAW: [(STILL_OPEN, (CITIZEN,))],
    Action.REOPEN: [("CLOSED_RESOLVED CLOSED_NO_REPLY CLOSED_UNABLE", (CITIZEN, OVERSIGHT))],
    Action.ESCALATE: [(STILL_OPEN, (CITIZEN, ADMIN, COORDINATOR, SYSTEM))],
    Action.SET_PRIVACY: [(ANY, (CITIZEN, ADMIN, LIAISON, COORDINATOR, NATIONAL))],
    UnlistedAction.LAPSE: [("NEEDS_INFO ANSWERED", (SYSTEM,))],
}
# Where it lies with the province Bali itself: what its coordinator does as custodian.
CUSTODIAN_MAY: dict[Action | UnlistedAction, str] = {
    Action.FORWARD: "ROUTED RETURNED",
    Action.ACCEPT: "ROUTED REOPENED IN_PROGRESS",
    Action.FOLLOW_UP: "IN_PROGRESS",
    Action.APPROVE: "IN_PROGRESS",
    Action.REJECT: "IN_PROGRESS",
    Action.REQUEST_INFORMATION: "SUBMITTED",
    Action.VERIFY: "SUBMITTED",
    Action.ARCHIVE: "SUBMITTED",
    Action.MERGE: "SUBMITTED ROUTED",
    Action.ESCALATE: STILL_OPEN,
    Action.SET_PRIVACY: ANY,
}
# fmt: on

PUBLISHED = set(Status) - {Status.SUBMITTED, Status.NEEDS_INFO, Status.ARCHIVED, Status.WITHDRAWN}
STAFF_OF_BADUNG = (ADMIN, LIAISON, SUBGRAPH)


def knows(viewer: Viewer, status: Status) -> bool:
    """Its reporter, its agency, the desk and the Ombudsman's office always, everybody else once it is public."""
    inside = (CITIZEN, NATIONAL, SYSTEM, OVERSIGHT, *STAFF_OF_BADUNG)
    # A proposal is under review by the province.
    return viewer in inside or status in PUBLISHED


def expected(action: Action | UnlistedAction, status: Status, viewer: Viewer) -> str:
    if not knows(viewer, status):
        return "NOT_FOUND"
    if not any(viewer in viewers for _, viewers in MAY[action]):
        return "NOT_ALLOWED"
    here = [viewers for statuses, viewers in MAY[action] if status in statuses.split()]
    if not here:
        return "WRONG_STATUS"
    return "" if viewer in here[0] else "NOT_ALLOWED"


@pytest.fixture
async def bali(store: Store) -> AsyncIterator[Store]:
    await register_of_bali(store)
    yield store


def prepared(status: Status, viewer: Viewer, action: Action | UnlistedAction, **given: Any) -> ComplaintDoc:
    """Oversight reviews what has come to the last level; a second proposal needs the first one gone."""
    given |= {"escalationLevel": 5} if viewer is OVERSIGHT else {}
    given |= {"proposal": None} if action is Action.PROPOSE_CLOSURE else {}
    return in_status(status, **given)


async def outcome(context: RequestContext, action: Action | UnlistedAction, row: ComplaintDoc, into: str) -> str:
    try:
        done = await DO[action](Call(context, ONCE, row, into))
    except Refused as refusal:
        return refusal.code
    assert done["revision"] == row["revision"] + 1
    row_of_table = next(t for t in TRANSITIONS if t.action is action and t.source == row["status"])
    assert done["status"] == row_of_table.target
    assert (done["closedAt"] is None) == (done["status"] in OPEN)
    return ""


@pytest.mark.parametrize("status", Status)
async def test_every_role_does_what_the_table_grants_and_is_refused_the_rest(
    bali: Store, context_of: Callable[..., RequestContext], status: Status
) -> None:
    target = in_status(Status.ROUTED)
    await bali.complaints.insert_one(target)
    tried = [(action, viewer, prepared(status, viewer, action)) for action in DO for viewer in VIEWERS]
    await bali.complaints.insert_many([row for _, _, row in tried])
    wrong = {}
    for action, viewer, row in tried:
        found = await outcome(context_of(viewer, NOW), action, row, target["_id"])
        if found != (wanted := expected(action, status, viewer)):
            wrong[action, viewer.role, viewer.subject] = (found, wanted)
    assert wrong == {}


@pytest.mark.parametrize("status", Status)
async def test_a_province_that_holds_it_acts_in_the_agencys_place(
    bali: Store, context_of: Callable[..., RequestContext], status: Status
) -> None:
    target = in_status(Status.ROUTED, **HELD_BY_PROVINCE)
    await bali.complaints.insert_one(target)
    wrong = {}
    for action in DO:
        team = {"team": PROVINCE_TEAM} if status is Status.IN_PROGRESS else {}
        row = prepared(status, COORDINATOR, action, **HELD_BY_PROVINCE, **team)
        await bali.complaints.insert_one(row)
        found = await outcome(context_of(COORDINATOR, NOW), action, row, target["_id"])
        done_here = status in CUSTODIAN_MAY.get(action, "").split()
        if (found == "") != done_here:
            wrong[action] = found
    assert wrong == {}


async def test_what_is_refused_changes_nothing(bali: Store, context_of: Callable[..., RequestContext]) -> None:
    rows = [in_status(status) for status in Status]
    await bali.complaints.insert_many(rows)
    for row in rows:
        for action in DO:
            if expected(action, Status(row["status"]), OTHER_ADMIN) and action is not Action.MERGE:
                with pytest.raises(Refused):
                    await DO[action](Call(context_of(OTHER_ADMIN, NOW), ONCE, row))
        assert await bali.complaints.find_one({"_id": row["_id"]}) == row
