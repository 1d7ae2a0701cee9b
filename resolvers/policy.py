"""Who may see and do what; no other file decides it.

A complaint stores `readers`: the groups that may know that it exists. `compute_readers()` computes them at every write.
A list filters on them by `list_groups()`, a read of one complaint asks `may_know()`. Both use the same sets, so a list
and a look-up cannot disagree. A viewer "inside custody" (`has_custody()`) reads the citizen's own words; every other
viewer who may know of the complaint reads a redacted version.

    # readers of a verified complaint of Badung that was never forwarded:
    ["agency:kab-badung", "liaisons:kab-badung", "national", "public", "reporter:wayan"]

`proven` is always the set of complaint ids whose secret the request has shown: its sender is the reporter of these.
Source: role and visibility matrix, docs/privacy.md.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from resolvers.documents import DESK, AgencyDoc, ClosureProposalDoc, ComplaintDoc, FollowUpDoc, IdentityReadDoc
from resolvers.domain.lifecycle import Actor
from resolvers.domain.vocabulary import Channel, ComplaintStatus, FollowUpKind, Role, Visibility
from resolvers.system_documents import SubgraphVersionDoc, SupergraphDoc
from resolvers.viewer import Viewer

Decided = TypeVar("Decided", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True)
class VisibilityRule(Generic[Decided]):
    """A decision about many documents for one viewer: prepared once by `decide`, then called with each document."""

    keys: tuple[str, ...]
    """The keys of a document that the decision reads, in addition to `_id`."""
    decide: Callable[[Viewer, Collection[str]], Callable[[Decided], bool]]
    """Takes the viewer and `proven`; ids that are added to `proven` later count too."""


KEYS: Final = (
    "readers",
    "reporterSubject",
    "holder",
    "holders",
    "holderKind",
    "holderProvince",
    "supporting",
    "takenInBy",
    "status",
    "confidential",
    "unit",
    "team",
    "assignee",
    "assigneeSubject",
    "escalationLevel",
    "sensitive",
    "proposal",
    "followers",
    "followerSubjects",
    "custodian",
)
"""The keys of a complaint that the decisions in this module read."""

PROVINCE_REVIEW_LEVEL: Final = 3
"""At this escalation level and above, the holder's province reads the complaint in full."""

OVERSIGHT_LEVEL: Final = 5
"""The level at which a complaint is the Ombudsman's case."""


def compute_readers(complaint: ComplaintDoc) -> list[str]:
    """Return the groups that may know of the complaint, sorted. They are stored with it and are an index's first key.

    - The public: after verification, unless the complaint is confidential or withdrawn.
    - Agencies: the holder, every former holder, the supporting agencies and the custodian.
    - Liaisons: the holder's, for complaints of any unit or of their own; a confidential one only if it is assigned.
    - The holder's province: from PROVINCE_REVIEW_LEVEL on, and while a closure waits for its consent.
    - Reporters: its own; those whose complaints were merged into it, unless it is confidential.
    - Oversight: from OVERSIGHT_LEVEL on. The national desk: always.
    """
    groups = {f"agency:{agency}" for agency in (*complaint["holders"], *complaint["supporting"])}
    groups |= {"national", *_list_staff_groups(complaint)}
    if complaint.get("custodian") is not None:
        groups.add(f"agency:{complaint['custodian']}")
    if complaint["reporterSubject"] is not None:
        groups.add(f"reporter:{complaint['reporterSubject']}")
    if _is_published(complaint):
        groups.add("public")
    under_review = complaint["escalationLevel"] >= PROVINCE_REVIEW_LEVEL or complaint["proposal"] is not None
    if under_review and complaint["holderProvince"] is not None:
        groups.add(f"province:{complaint['holderProvince']}")
    if not complaint["confidential"]:
        groups |= {f"follower:{subject}" for subject in complaint["followerSubjects"]}
    if complaint["escalationLevel"] >= OVERSIGHT_LEVEL:
        groups.add("oversight")
    return sorted(groups)


def is_public(readers: Collection[str]) -> bool:
    """Whether everybody may know of the complaint that stores these readers."""
    return "public" in readers


def _is_published(complaint: ComplaintDoc) -> bool:
    return (
        complaint["verifiedAt"] is not None
        and not complaint["confidential"]
        and complaint["status"] != ComplaintStatus.WITHDRAWN
    )


def _list_staff_groups(complaint: ComplaintDoc) -> set[str]:
    """Return the groups of the holder's liaisons who may read the complaint.

    These are its unit's liaisons, or all of them where no unit is set, and the assignee. A confidential complaint is
    for its assignee alone; without an assignee for its unit, once a team has accepted it.
    """
    unit = f"unit:{complaint['unit']}" if complaint["unit"] else f"liaisons:{complaint['holder']}"
    assignee = f"assignee:{complaint['assigneeSubject']}" if complaint["assigneeSubject"] else None
    if not complaint["confidential"]:
        return {unit, assignee} if assignee else {unit}
    if complaint["team"] is None:
        return set()
    return {assignee or unit}


def list_custody_groups(viewer: Viewer) -> tuple[str, ...]:
    """Return the viewer's groups whose members read a complaint in full."""
    match viewer.role:
        case Role.NATIONAL_ADMIN | Role.SYSTEM:
            return ("national",)
        case Role.CITIZEN:
            return (f"reporter:{viewer.subject}",) if viewer.subject else ()
        case Role.OVERSIGHT:
            return ("oversight",)
        case Role.AGENCY_ADMIN:
            return (f"agency:{viewer.agency}",)
        case Role.PROVINCE_COORDINATOR:
            return (f"agency:{viewer.agency}", f"province:{viewer.agency}")
        case Role.LIAISON | Role.SUBGRAPH:
            groups = [f"liaisons:{viewer.agency}"]
            groups += [f"unit:{viewer.unit}"] if viewer.unit else []
            groups += [f"assignee:{viewer.subject}"] if viewer.subject else []
            return tuple(groups)
        case _:
            return ()


def may_read_everything(viewer: Viewer) -> bool:
    return "national" in list_custody_groups(viewer)


_SUBMITTERS: Final = frozenset(Role) - {Role.OVERSIGHT, Role.PARTNER, Role.SYSTEM}
_STAFF: Final = _SUBMITTERS - {Role.PUBLIC, Role.CITIZEN}
STAFF_CHANNELS: Final = frozenset({Channel.COUNTER, Channel.LETTER, Channel.PHONE, Channel.AGENCY_SYSTEM})


def may_submit(viewer: Viewer, channel: Channel) -> bool:
    """Whether the viewer may submit through the channel. STAFF_CHANNELS are for staff, on behalf of a reporter."""
    return viewer.role in (_STAFF if channel in STAFF_CHANNELS else _SUBMITTERS)


def find_intake_agency(viewer: Viewer) -> str | None:
    """Return the agency for which the viewer takes in complaints on behalf of reporters; None for everybody else."""
    return viewer.agency if viewer.role in _STAFF else None


def find_reporter_subject(viewer: Viewer) -> str | None:
    """Return the account that owns what the viewer submits; None where only the complaint's secret opens it."""
    return viewer.subject if viewer.role is Role.CITIZEN else None


def may_assign_to(viewer: Viewer, unit: str | None) -> bool:
    """Whether the viewer may accept work for the unit: a liaison with a unit only for that one."""
    return viewer.role is not Role.LIAISON or viewer.unit is None or unit == viewer.unit


def must_hold_seat(viewer: Viewer) -> bool:
    """Whether the viewer may verify, accept and approve only with a seat in a team of their agency."""
    return viewer.role in (Role.AGENCY_ADMIN, Role.LIAISON)


def may_manage_teams(viewer: Viewer, agency: AgencyDoc) -> bool:
    """Whether the viewer is the agency's admin, the coordinator of this very province, or the national desk."""
    own = viewer.agency == agency["_id"]
    return viewer.role is Role.NATIONAL_ADMIN or (own and viewer.role in (Role.AGENCY_ADMIN, Role.PROVINCE_COORDINATOR))


def may_publish_subgraph(viewer: Viewer, agency: str) -> bool:
    """Whether the viewer is the agency's own admin."""
    return viewer.role is Role.AGENCY_ADMIN and viewer.agency == agency


def may_retire_subgraph(viewer: Viewer, agency: str) -> bool:
    """Whether the viewer is the agency's own admin or the national desk."""
    return may_publish_subgraph(viewer, agency) or viewer.role is Role.NATIONAL_ADMIN


def may_be_sent(viewer: Viewer, agency: str, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    """Whether the viewer's request may send the complaint's id to the agency's subgraph: both may know of it."""
    known = "public" in complaint["readers"] or f"agency:{agency}" in complaint["readers"]
    return known and may_know(viewer, complaint, proven)


def may_read_subgraph(viewer: Viewer, agency: str) -> bool:
    """Whether the viewer may read the subgraph's URL, SDL and versions: its agency's staff, the desk, oversight."""
    return may_read_supergraph(viewer) or (viewer.agency == agency and viewer.role in _STAFF)


SUBGRAPH_READ: Final[VisibilityRule[SubgraphVersionDoc]] = VisibilityRule(
    ("agency",), lambda viewer, proven: lambda subgraph: may_read_subgraph(viewer, subgraph["agency"])
)
"""`may_read_subgraph` for many subgraphs."""


def may_ask_as_router(viewer: Viewer) -> bool:
    """Whether /subgraph/graphql answers the viewer: another router, which sends a token of its own."""
    return viewer.role is Role.SUBGRAPH


def may_read_supergraph(viewer: Viewer) -> bool:
    """Whether the viewer may read the URLs of all agencies' subgraphs."""
    return viewer.role in (Role.NATIONAL_ADMIN, Role.OVERSIGHT)


SUPERGRAPH_READ: Final[VisibilityRule[SupergraphDoc]] = VisibilityRule(
    (), lambda viewer, proven: lambda supergraph: may_read_supergraph(viewer)
)


def may_record_progress(viewer: Viewer, agency: AgencyDoc, unit: str | None) -> bool:
    """Whether the viewer manages the agency's teams, or is a liaison of the milestone's unit."""
    own_unit = viewer.role is Role.LIAISON and viewer.unit is not None and viewer.unit == unit
    return may_manage_teams(viewer, agency) or (own_unit and viewer.agency == agency["_id"])


def may_connect(viewer: Viewer) -> bool:
    """Whether the viewer may say that an agency is connected, or no longer connected."""
    return viewer.role is Role.NATIONAL_ADMIN


def may_watch_inbox(viewer: Viewer, agency: AgencyDoc) -> bool:
    """Whether the viewer may subscribe to the agency's inbox, which still shows only what the viewer may know of.

    For the agency's own staff and system, the coordinator of its province, the national desk and oversight.
    """
    of_province = viewer.role is Role.PROVINCE_COORDINATOR and viewer.agency == agency["province"]
    own = viewer.role in _STAFF and viewer.agency == agency["_id"]
    return own or of_province or viewer.role in (Role.NATIONAL_ADMIN, Role.OVERSIGHT)


def list_groups(viewer: Viewer) -> tuple[str, ...]:
    """Return the viewer's groups: the viewer may know of every complaint whose `readers` contain one of them."""
    custody = list_custody_groups(viewer)
    follows = (f"follower:{viewer.subject}",) if viewer.role is Role.CITIZEN and viewer.subject else ()
    return custody if custody == ("national",) else (*custody, *follows, "public")


def may_know(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    """Whether the viewer may know that the complaint exists."""
    return _decide_known(viewer, proven)(complaint)


def _decide_known(viewer: Viewer, proven: Collection[str]) -> Callable[[ComplaintDoc], bool]:
    # Bound once for a list of complaints: per row this is one set operation without an attribute look-up.
    shares_no_group = _cache_groups(viewer).isdisjoint
    return lambda complaint: (
        not shares_no_group(complaint["readers"])
        or complaint["_id"] in proven
        or is_follower(viewer, complaint, proven)
    )


KNOWN: Final = VisibilityRule(("readers", "confidential", "followers", "followerSubjects"), _decide_known)
"""`may_know` for many complaints."""


def has_custody(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    """Whether the viewer reads the complaint in full: its reporter, present and former holders, the desk."""
    return complaint["_id"] in proven or not _cache_custody_groups(viewer).isdisjoint(complaint["readers"])


def _decide_custody(viewer: Viewer, proven: Collection[str]) -> Callable[[ComplaintDoc], bool]:
    shares_no_group = _cache_custody_groups(viewer).isdisjoint
    return lambda complaint: not shares_no_group(complaint["readers"]) or complaint["_id"] in proven


CUSTODY: Final = VisibilityRule(("readers",), _decide_custody)
"""`has_custody` for many complaints."""


@lru_cache(maxsize=1024)
def _cache_custody_groups(viewer: Viewer) -> frozenset[str]:
    return frozenset(list_custody_groups(viewer))


@lru_cache(maxsize=1024)
def _cache_groups(viewer: Viewer) -> frozenset[str]:
    return frozenset(list_groups(viewer))


def is_reporter(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    own = viewer.role is Role.CITIZEN and viewer.subject is not None
    return complaint["_id"] in proven or (own and viewer.subject == complaint["reporterSubject"])


def is_author(viewer: Viewer, written: FollowUpDoc | ClosureProposalDoc) -> bool:
    """Whether the viewer wrote the draft or the proposal."""
    return viewer.subject is not None and viewer.subject == written["bySubject"]


REPORTER_FIELDS: Final = frozenset({"name", "email", "phone"})


def list_reporter_fields(
    viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()
) -> frozenset[str] | None:
    """Return the fields of the reporter that the viewer may read; None where the viewer may know nothing of them.

    An empty set means the reporter's id alone: the holder's own system may relay messages to it.
    Anonymity hides the reporter from those who handle the complaint, but not from the national desk and oversight.
    """
    if is_reporter(viewer, complaint, proven):
        return REPORTER_FIELDS
    handles = viewer.agency is not None and viewer.agency == complaint["holder"] and not complaint["anonymous"]
    match viewer.role:
        case Role.NATIONAL_ADMIN:
            return REPORTER_FIELDS
        case Role.OVERSIGHT if has_custody(viewer, complaint, proven):
            return REPORTER_FIELDS
        case Role.AGENCY_ADMIN | Role.PROVINCE_COORDINATOR if handles:
            return REPORTER_FIELDS
        case Role.LIAISON if handles and has_custody(viewer, complaint, proven):
            return REPORTER_FIELDS - {"name"}
        case Role.SUBGRAPH if viewer.agency == complaint["holder"] and has_custody(viewer, complaint, proven):
            return frozenset()
    return None


def may_exercise_rights(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    """Whether the viewer is the reporter, or the system on behalf of a reporter who asked in another way."""
    return viewer.role is Role.SYSTEM or is_reporter(viewer, complaint, proven)


def must_state_purpose(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    return viewer.role is Role.NATIONAL_ADMIN and not is_reporter(viewer, complaint, proven)


def may_audit(viewer: Viewer, complaint: ComplaintDoc) -> bool:
    """Whether the viewer reads the audit of the complaint.

    Overseers read every audit. A present or former holder and the holder's province read it where they may know of the
    complaint.
    """
    watched = list_watched_groups(viewer)
    groups = {f"agency:{agency}" for agency in complaint["holders"]} | set(list_watchers(complaint))
    return "all" in watched or (may_know(viewer, complaint) and not groups.isdisjoint(watched))


def list_watchers(complaint: ComplaintDoc) -> tuple[str, ...]:
    """Return the groups that may read a log entry written now about the complaint, sorted.

    These are its holder, the overseers ("all"), and the holder's province where it may know of the complaint.
    """
    province = f"province:{complaint['holderProvince']}"
    knows = is_public(complaint["readers"]) or province in complaint["readers"]
    return tuple(sorted({f"agency:{complaint['holder']}", "all", *([province] if knows else [])}))


def list_watched_groups(viewer: Viewer) -> tuple[str, ...]:
    """Return the viewer's groups among those that `list_watchers` writes into log entries."""
    match viewer.role:
        case Role.NATIONAL_ADMIN | Role.OVERSIGHT | Role.SYSTEM:
            return ("all",)
        case Role.AGENCY_ADMIN:
            return (f"agency:{viewer.agency}",)
        case Role.PROVINCE_COORDINATOR:
            return (f"agency:{viewer.agency}", f"province:{viewer.agency}")
    return ()


def _decide_watched(viewer: Viewer, proven: Collection[str]) -> Callable[[IdentityReadDoc], bool]:
    shares_no_group = frozenset(list_watched_groups(viewer)).isdisjoint
    return lambda entry: not shares_no_group(entry["readers"])


WATCHED: Final = VisibilityRule(("readers",), _decide_watched)
"""Whether the viewer reads who read a reporter's identity, and why. The reporter reads only role and time."""


def find_log_subject(viewer: Viewer) -> str | None:
    """Return the account that the logs name for the viewer; None for reporters, whom the logs name by role alone."""
    return None if viewer.role in (Role.CITIZEN, Role.PUBLIC) else viewer.subject


def is_follower(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> bool:
    """Whether a complaint of the viewer was merged into this one, and this one is not confidential."""
    own = viewer.role is Role.CITIZEN and viewer.subject in complaint["followerSubjects"]
    return not complaint["confidential"] and (own or not set(complaint["followers"]).isdisjoint(proven))


def may_read_follow_up(
    viewer: Viewer, complaint: ComplaintDoc, follow_up: FollowUpDoc, proven: Collection[str] = ()
) -> bool:
    """Whether the viewer reads the follow-up of the complaint.

    Staff inside custody read all of them, drafts and internal notes too. The reporter reads what is approved and not
    INTERNAL. Everybody else reads what is approved and PUBLIC; a reporter whose complaint was merged into this one also
    reads its final answer.
    """
    if not has_custody(viewer, complaint, proven):
        readable = {Visibility.PUBLIC}
        if follow_up["kind"] == FollowUpKind.FINAL and is_follower(viewer, complaint, proven):
            readable.add(Visibility.REPORTER)
        return follow_up["approved"] and follow_up["visibility"] in readable
    if is_reporter(viewer, complaint, proven):
        return follow_up["approved"] and follow_up["visibility"] != Visibility.INTERNAL
    return True


def find_actors(viewer: Viewer, complaint: ComplaintDoc, proven: Collection[str] = ()) -> frozenset[Actor]:
    """Return the viewer's parts in this complaint, in the terms of the state machine (domain/lifecycle.py)."""
    actors: set[Actor] = set()
    if is_reporter(viewer, complaint, proven):
        actors.add(Actor.REPORTER)
    holds = viewer.agency is not None and viewer.agency == complaint["holder"]
    custodian = complaint.get("custodian")
    match viewer.role:
        case Role.NATIONAL_ADMIN:
            actors |= {Actor.NATIONAL_ADMIN, Actor.CUSTODIAN} if custodian == DESK else {Actor.NATIONAL_ADMIN}
        case Role.AGENCY_ADMIN if holds:
            actors.add(Actor.HOLDER_ADMIN)
            if complaint["takenInBy"] == viewer.agency:
                actors.add(Actor.INTAKE_ADMIN)
        case Role.LIAISON if holds and has_custody(viewer, complaint, proven):
            actors.add(Actor.HOLDER_LIAISON)
        case Role.SUBGRAPH if holds and has_custody(viewer, complaint, proven):
            actors.add(Actor.SUBGRAPH)
        case Role.PROVINCE_COORDINATOR if holds or (custodian is not None and viewer.agency == custodian):
            actors |= {Actor.CUSTODIAN, Actor.COORDINATOR}
        case Role.PROVINCE_COORDINATOR if viewer.agency == complaint["holderProvince"]:
            actors.add(Actor.COORDINATOR)
        case Role.OVERSIGHT if has_custody(viewer, complaint, proven):
            actors.add(Actor.OVERSIGHT)
        case Role.SYSTEM:
            actors.add(Actor.SYSTEM)
    return frozenset(actors)
