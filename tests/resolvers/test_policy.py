"""Role × status × confidentiality × relation: the list's filter, the predicate and the matrix agree.

The matrix is written out here a second time, from the role and visibility table in docs/privacy.md.
"""

import itertools
from typing import Any

import pytest
from support.examples import RECEIVED, a_complaint
from support.portal import EVERYONE, OTHER_CITIZEN, UNIT
from support.states import a_draft

from resolvers import policy
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.domain.lifecycle import Actor
from resolvers.domain.vocabulary import Channel, ComplaintStatus, Role
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

OTHER_UNIT = "kab-badung/inspektorat"

VIEWERS = (
    *EVERYONE,
    Viewer(Role.LIAISON, "liaison-of-no-unit", "kab-badung"),
    Viewer(Role.LIAISON, "other-liaison", "kab-badung", OTHER_UNIT),
    Viewer(Role.LIAISON, "liaison-sleman", "kab-sleman", "kab-sleman/inspektorat"),
    Viewer(Role.PROVINCE_COORDINATOR, "coordinator-diy", "prov-di-yogyakarta"),
    Viewer(Role.AGENCY_ADMIN, "admin-bali", "prov-bali"),
    Viewer(Role.SUBGRAPH, "system-sleman", "kab-sleman"),
    Viewer(Role.SYSTEM),
)

HELD_BY_DESK = {"holder": "kemenpanrb", "holderKind": "MINISTRY", "holderProvince": None, "holders": ["kemenpanrb"]}
RELATIONS: dict[str, dict[str, Any]] = {
    "unverified, at the desk": {"verifiedAt": None, **HELD_BY_DESK},
    "verified, unassigned": {},
    "nobody's account": {"reporterSubject": None},
    "another's": {"reporterSubject": "made"},
    "with the team": {"team": "TM-1"},
    "with the unit": {"team": "TM-1", "unit": UNIT},
    "with another unit": {"team": "TM-1", "unit": OTHER_UNIT},
    "assigned": {"team": "TM-1", "unit": UNIT, "assigneeSubject": "demo-liaison"},
    "assigned in another unit": {"team": "TM-1", "unit": OTHER_UNIT, "assigneeSubject": "other-liaison"},
    "assigned to the system": {"team": "TM-1", "assigneeSubject": "system-badung"},
    "supported by Sleman": {"supporting": ["kab-sleman"]},
    "formerly Sleman's": {"holders": ["kemenpanrb", "kab-sleman", "kab-badung"]},
    "taken in at the counter": {"verifiedAt": None, "takenInBy": "kab-badung", "holders": ["kab-badung"]},
    "with its province": {
        "holder": "prov-bali",
        "holderKind": "PROVINCE",
        "holderProvince": None,
        "holders": ["kemenpanrb", "kab-badung", "prov-bali"],
    },
    "escalated to the province": {"escalationLevel": 3},
    "the Ombudsman's case": {"escalationLevel": 5},
    "to be closed, if the province consents": {"proposal": {"code": "UNABLE_BUDGET", "bySubject": "demo-admin"}},
    "followed by another reporter": {"followers": ["LP-0000-0000-0000-0"], "followerSubjects": ["made"]},
}
CONFIDENTIAL = (False, True)
COMPLAINTS = [
    a_complaint(status=status, confidential=confidential, **relation)
    for status, confidential, relation in itertools.product(ComplaintStatus, CONFIDENTIAL, RELATIONS.values())
]


def reads_in_full(viewer: Viewer, complaint: ComplaintDoc) -> bool:
    """The matrix's row "read full body", by role."""
    match viewer.role:
        case Role.NATIONAL_ADMIN | Role.SYSTEM:
            return True
        case Role.CITIZEN:
            return bool(viewer.subject == complaint["reporterSubject"])
        case Role.AGENCY_ADMIN:
            return viewer.agency in complaint["holders"] or viewer.agency in complaint["supporting"]
        case Role.PROVINCE_COORDINATOR:
            due = complaint["escalationLevel"] >= 3 or complaint["proposal"] is not None
            reviews = viewer.agency == complaint["holderProvince"] and due
            return reviews or viewer.agency in complaint["holders"] or viewer.agency in complaint["supporting"]
        case Role.OVERSIGHT:
            return bool(complaint["escalationLevel"] >= 5)
        case Role.LIAISON | Role.SUBGRAPH:
            return viewer.agency == complaint["holder"] and works_on(viewer, complaint)
    return False


def works_on(viewer: Viewer, complaint: ComplaintDoc) -> bool:
    """Own unit, or no unit yet; what is confidential: assigned, or where nobody is, with the team and own unit."""
    assigned = complaint["assigneeSubject"] == viewer.subject
    within = complaint["unit"] is None or complaint["unit"] == viewer.unit
    if not complaint["confidential"]:
        return assigned or within
    if complaint["team"] is None:
        return False
    return assigned if complaint["assigneeSubject"] else within


def is_public(complaint: ComplaintDoc) -> bool:
    verified = complaint["verifiedAt"] is not None
    return verified and not complaint["confidential"] and complaint["status"] != "WITHDRAWN"


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: f"{viewer.role}-{viewer.subject}")
def test_what_a_viewer_knows_is_what_the_matrix_says(viewer: Viewer) -> None:
    for complaint in COMPLAINTS:
        full = reads_in_full(viewer, complaint)
        assert policy.has_custody(viewer, complaint) == full, complaint
        follows = viewer.role is Role.CITIZEN and viewer.subject in complaint["followerSubjects"]
        known = full or is_public(complaint) or (follows and not complaint["confidential"])
        assert policy.may_know(viewer, complaint) == known, complaint


async def test_lists_hold_exactly_what_look_ups_show(store: Store) -> None:
    await store.complaints.insert_many(COMPLAINTS)
    for viewer in VIEWERS:
        found = store.complaints.find({"readers": {"$in": list(policy.list_groups(viewer))}}, {"_id": True})
        listed = {row["_id"] for row in await found.to_list(None)}
        shown = {complaint["_id"] for complaint in COMPLAINTS if policy.may_know(viewer, complaint)}
        assert listed == shown, viewer


def test_nobody_without_a_claim_reads_what_is_confidential() -> None:
    guarded = [complaint for complaint in COMPLAINTS if complaint["confidential"]]
    for complaint in guarded:
        assert not policy.may_know(PUBLIC, complaint)
        assert not policy.may_know(Viewer(Role.PARTNER, "partner"), complaint)
        assert not policy.may_know(Viewer(Role.CITIZEN), complaint)


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: f"{viewer.role}-{viewer.subject}")
def test_the_secret_makes_anyone_the_reporter_of_that_one(viewer: Viewer) -> None:
    opened, other = COMPLAINTS[0], COMPLAINTS[1]
    proven = {opened["_id"]}
    assert policy.may_know(viewer, opened, proven)
    assert Actor.REPORTER in policy.find_actors(viewer, opened, proven)
    assert policy.may_know(viewer, other, proven) == policy.may_know(viewer, other)


def test_whoever_acts_on_a_complaint_knows_of_it() -> None:
    for viewer, complaint in itertools.product(VIEWERS, COMPLAINTS):
        actors = policy.find_actors(viewer, complaint) - {Actor.COORDINATOR}
        assert not actors or policy.may_know(viewer, complaint), (viewer, complaint)


def test_agencies_act_on_what_they_hold_alone() -> None:
    holding = {Actor.HOLDER_ADMIN, Actor.HOLDER_LIAISON, Actor.SUBGRAPH, Actor.CUSTODIAN, Actor.INTAKE_ADMIN}
    for viewer, complaint in itertools.product(VIEWERS, COMPLAINTS):
        if policy.find_actors(viewer, complaint) & holding:
            assert viewer.agency == complaint["holder"]


@pytest.mark.parametrize("visibility", ["PUBLIC", "REPORTER", "INTERNAL"])
@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: f"{viewer.role}-{viewer.subject}")
def test_a_follow_up_is_read_by_whom_it_is_meant_for(viewer: Viewer, approved: bool, visibility: str) -> None:
    follow_up = apply_changes(a_draft("LP-1"), {"kind": "PROGRESS", "approved": approved, "visibility": visibility})
    for complaint in COMPLAINTS:
        own = viewer.role is Role.CITIZEN and viewer.subject == complaint["reporterSubject"]
        if own:
            expected = approved and visibility != "INTERNAL"
        elif reads_in_full(viewer, complaint):
            expected = True
        else:
            expected = approved and visibility == "PUBLIC"
        assert policy.may_read_follow_up(viewer, complaint, follow_up) == expected


def test_whose_complaint_was_merged_reads_the_answer_and_nothing_else_of_anothers() -> None:
    target = a_complaint(status="ANSWERED", followers=["LP-1"], followerSubjects=["made"])
    for kind, visibility, read in (
        ("FINAL", "REPORTER", True),
        ("PROGRESS", "REPORTER", False),
        ("FINAL", "INTERNAL", False),
    ):
        follow_up = apply_changes(a_draft("LP-1"), {"kind": kind, "approved": True, "visibility": visibility})
        for follower, proven in ((OTHER_CITIZEN, frozenset[str]()), (PUBLIC, frozenset({"LP-1"}))):
            assert policy.may_read_follow_up(follower, target, follow_up, proven) == read
            assert not policy.has_custody(follower, target, proven)
            hidden = apply_changes(target, {"confidential": True, "readers": []})
            assert not policy.may_know(follower, hidden, proven)
            assert not policy.may_read_follow_up(follower, hidden, follow_up, proven)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("channel", Channel)
def test_staff_channels_are_for_staff(role: Role, channel: Channel) -> None:
    staff = {Role.LIAISON, Role.AGENCY_ADMIN, Role.PROVINCE_COORDINATOR, Role.NATIONAL_ADMIN, Role.SUBGRAPH}
    submitters = staff if channel in ("COUNTER", "LETTER", "PHONE", "AGENCY_SYSTEM") else {*staff, "PUBLIC", "CITIZEN"}
    assert policy.may_submit(Viewer(role, "somebody", "kab-badung"), channel) == (role in submitters)


def test_readers_are_computed_from_keys_that_projections_include() -> None:
    complaint = a_complaint(team="TM-1", unit=UNIT, verifiedAt=RECEIVED)
    projected: Any = {key: value for key, value in complaint.items() if key in (*policy.KEYS, "_id")}
    assert projected.keys() == {*policy.KEYS, "_id"}
    for viewer in VIEWERS:
        assert policy.may_know(viewer, projected) == policy.may_know(viewer, complaint)
        assert policy.find_actors(viewer, projected) == policy.find_actors(viewer, complaint)
