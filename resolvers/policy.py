"""Who may see and do what; the only file that decides it.

A complaint carries `readers`: the groups that may know that it exists, computed by `readers()` at every write.
Lists filter on it by `groups()`, single reads ask `may_know()`: the same sets, so that a list and a look-up cannot
disagree. Inside what a viewer may know, `in_custody()` decides who reads the citizen's own words.
Source: role and visibility matrix, docs/privacy.md.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from resolvers.documents import DESK
from resolvers.domain.lifecycle import Actor
from resolvers.domain.vocabulary import Channel, ComplaintStatus, FollowUpKind, Role, Visibility
from resolvers.viewer import Viewer

Complaint = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A decision that is asked of many documents: made for a viewer once, of a document's `keys` and its id."""

    keys: tuple[str, ...]
    decide: Callable[[Viewer, Collection[str]], Callable[[Mapping[str, Any]], bool]]
    """For the viewer and the ids opened by their secrets, which may become more meanwhile."""


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
"""The keys of a complaint that the decisions below read."""

PROVINCE_REVIEW_LEVEL: Final = 3
"""From this escalation level on, the holder's province reads the complaint in full."""

OVERSIGHT_LEVEL: Final = 5
"""The level at which a complaint is the Ombudsman's case."""


def readers(complaint: Complaint) -> list[str]:
    """The groups that may know of the complaint, sorted; stored with it, and an index's first key.

    Nothing is public before verification, and nothing confidential or withdrawn ever is. Former holders keep
    reading. A reporter whose complaint was merged into it follows it as the public would, unless it is confidential;
    the province reads what it is asked to consent to. A liaison sees what is not confidential and meant for any unit or
    the own one, and what is assigned.
    """
    groups = {f"agency:{agency}" for agency in (*complaint["holders"], *complaint["supporting"])}
    groups |= {"national", *_staff_groups(complaint)}
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
    """Whether the groups that may know of a complaint are everybody."""
    return "public" in readers


def _is_published(complaint: Complaint) -> bool:
    return (
        complaint["verifiedAt"] is not None
        and not complaint["confidential"]
        and complaint["status"] != ComplaintStatus.WITHDRAWN
    )


def _staff_groups(complaint: Complaint) -> set[str]:
    """The holder's liaisons who may read it: the unit it lies with, or all; what is confidential the assigned alone."""
    unit = f"unit:{complaint['unit']}" if complaint["unit"] else f"liaisons:{complaint['holder']}"
    assignee = f"assignee:{complaint['assigneeSubject']}" if complaint["assigneeSubject"] else None
    if not complaint["confidential"]:
        return {unit, assignee} if assignee else {unit}
    if complaint["team"] is None:
        return set()
    return {assignee or unit}


def custody_groups(viewer: Viewer) -> tuple[str, ...]:
    """The groups through which a viewer reads a complaint in full."""
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


def reads_everything(viewer: Viewer) -> bool:
    return "national" in custody_groups(viewer)


_SUBMITTERS: Final = frozenset(Role) - {Role.OVERSIGHT, Role.PARTNER, Role.SYSTEM}
_STAFF: Final = _SUBMITTERS - {Role.PUBLIC, Role.CITIZEN}
STAFF_CHANNELS: Final = frozenset({Channel.COUNTER, Channel.LETTER, Channel.PHONE, Channel.AGENCY_SYSTEM})


def may_submit(viewer: Viewer, channel: Channel) -> bool:
    """Anyone for themselves; staff on behalf of a reporter, to whom some channels belong alone."""
    return viewer.role in (_STAFF if channel in STAFF_CHANNELS else _SUBMITTERS)


def takes_in_for(viewer: Viewer) -> str | None:
    """The agency that holds what the viewer submits on behalf of a reporter; None: the national desk."""
    return viewer.agency if viewer.role in _STAFF else None


def reporter_subject(viewer: Viewer) -> str | None:
    """Whose complaint a submission is: an account's, or nobody's but the secret's bearer."""
    return viewer.subject if viewer.role is Role.CITIZEN else None


def may_assign_to(viewer: Viewer, unit: str | None) -> bool:
    """A liaison takes work on for the own unit; who has no unit, and admins, for any."""
    return viewer.role is not Role.LIAISON or viewer.unit is None or unit == viewer.unit


def works_in_a_team(viewer: Viewer) -> bool:
    """Whose right to verify, accept and approve comes with a seat in a team of the own agency."""
    return viewer.role in (Role.AGENCY_ADMIN, Role.LIAISON)


def may_manage_teams(viewer: Viewer, agency: Mapping[str, Any]) -> bool:
    """The agency's own admin, the coordinator of its province for the province's own, the national desk."""
    own = viewer.agency == agency["_id"]
    return viewer.role is Role.NATIONAL_ADMIN or (own and viewer.role in (Role.AGENCY_ADMIN, Role.PROVINCE_COORDINATOR))


def may_publish_subgraph(viewer: Viewer, agency: str) -> bool:
    """The agency's own admin."""
    return viewer.role is Role.AGENCY_ADMIN and viewer.agency == agency


def may_retire_subgraph(viewer: Viewer, agency: str) -> bool:
    """The agency's own admin, and the national desk."""
    return may_publish_subgraph(viewer, agency) or viewer.role is Role.NATIONAL_ADMIN


def may_be_sent(viewer: Viewer, agency: str, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    """Whether an agency's subgraph may be asked of the complaint for the viewer: both may know of it."""
    known = "public" in complaint["readers"] or f"agency:{agency}" in complaint["readers"]
    return known and may_know(viewer, complaint, proven)


def may_read_subgraph(viewer: Viewer, agency: str) -> bool:
    """Where it runs, its text, who published which version: the agency's staff, the national desk, oversight."""
    return may_read_supergraph(viewer) or (viewer.agency == agency and viewer.role in _STAFF)


SUBGRAPH_READ: Final = Rule(
    ("agency",), lambda viewer, proven: lambda subgraph: may_read_subgraph(viewer, subgraph["agency"])
)
"""`may_read_subgraph` of many."""


def may_ask_as_router(viewer: Viewer) -> bool:
    """Who is answered at /subgraph/graphql: another router, by its own token."""
    return viewer.role is Role.SUBGRAPH


def may_read_supergraph(viewer: Viewer) -> bool:
    """Where all agencies' subgraphs run."""
    return viewer.role in (Role.NATIONAL_ADMIN, Role.OVERSIGHT)


SUPERGRAPH_READ: Final = Rule((), lambda viewer, proven: lambda supergraph: may_read_supergraph(viewer))


def may_record_progress(viewer: Viewer, agency: Mapping[str, Any], unit: str | None) -> bool:
    """Who manages the agency's teams, and a liaison for the own unit's milestones."""
    own_unit = viewer.role is Role.LIAISON and viewer.unit is not None and viewer.unit == unit
    return may_manage_teams(viewer, agency) or (own_unit and viewer.agency == agency["_id"])


def may_connect(viewer: Viewer) -> bool:
    """Who says that an agency is connected, or no longer."""
    return viewer.role is Role.NATIONAL_ADMIN


def may_watch_inbox(viewer: Viewer, agency: Mapping[str, Any]) -> bool:
    """Who is told as it happens of what an agency holds, each as far as they may know of it: the agency's own staff and
    system, the coordinator of its province, the national desk, oversight.
    """
    of_province = viewer.role is Role.PROVINCE_COORDINATOR and viewer.agency == agency["province"]
    own = viewer.role in _STAFF and viewer.agency == agency["_id"]
    return own or of_province or viewer.role in (Role.NATIONAL_ADMIN, Role.OVERSIGHT)


def groups(viewer: Viewer) -> tuple[str, ...]:
    """The groups that a viewer belongs to: may know of every complaint that names one of them."""
    custody = custody_groups(viewer)
    follows = (f"follower:{viewer.subject}",) if viewer.role is Role.CITIZEN and viewer.subject else ()
    return custody if custody == ("national",) else (*custody, *follows, "public")


def may_know(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    """Whether the viewer may know that the complaint exists; `proven` are ids opened by their secret."""
    return _may_know(viewer, proven)(complaint)


def _may_know(viewer: Viewer, proven: Collection[str]) -> Callable[[Complaint], bool]:
    is_elsewhere = _groups(viewer).isdisjoint
    return lambda complaint: (
        not is_elsewhere(complaint["readers"]) or complaint["_id"] in proven or follows(viewer, complaint, proven)
    )


KNOWN: Final = Rule(("readers", "confidential", "followers", "followerSubjects"), _may_know)
"""`may_know` of many complaints."""


def in_custody(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    """Whether the viewer reads it in full: its reporter, its present and former custodians, the national desk."""
    return complaint["_id"] in proven or not _custody(viewer).isdisjoint(complaint["readers"])


def _in_custody(viewer: Viewer, proven: Collection[str]) -> Callable[[Complaint], bool]:
    is_elsewhere = _custody(viewer).isdisjoint
    return lambda complaint: not is_elsewhere(complaint["readers"]) or complaint["_id"] in proven


CUSTODY: Final = Rule(("readers",), _in_custody)
"""`in_custody` of many complaints."""


@lru_cache(maxsize=1024)
def _custody(viewer: Viewer) -> frozenset[str]:
    return frozenset(custody_groups(viewer))


@lru_cache(maxsize=1024)
def _groups(viewer: Viewer) -> frozenset[str]:
    return frozenset(groups(viewer))


def is_reporter(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    own = viewer.role is Role.CITIZEN and viewer.subject is not None
    return complaint["_id"] in proven or (own and viewer.subject == complaint["reporterSubject"])


def is_author(viewer: Viewer, written: Mapping[str, Any]) -> bool:
    """Whether the viewer wrote it: a draft, a proposal."""
    return viewer.subject is not None and bool(viewer.subject == written["bySubject"])


REPORTER_FIELDS: Final = frozenset({"name", "email", "phone"})


def reporter_fields(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> frozenset[str] | None:
    """What the viewer may know of who reported; None: nothing. The holder's system has a token to relay to, no more.

    Anonymity hides from those who handle the complaint, not from the law.
    """
    if is_reporter(viewer, complaint, proven):
        return REPORTER_FIELDS
    handles = viewer.agency is not None and viewer.agency == complaint["holder"] and not complaint["anonymous"]
    match viewer.role:
        case Role.NATIONAL_ADMIN:
            return REPORTER_FIELDS
        case Role.OVERSIGHT if in_custody(viewer, complaint, proven):
            return REPORTER_FIELDS
        case Role.AGENCY_ADMIN | Role.PROVINCE_COORDINATOR if handles:
            return REPORTER_FIELDS
        case Role.LIAISON if handles and in_custody(viewer, complaint, proven):
            return REPORTER_FIELDS - {"name"}
        case Role.SUBGRAPH if viewer.agency == complaint["holder"] and in_custody(viewer, complaint, proven):
            return frozenset()
    return None


def may_exercise_rights(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    """The reporter, and the system for one who asked by other ways than this."""
    return viewer.role is Role.SYSTEM or is_reporter(viewer, complaint, proven)


def must_state_purpose(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    return viewer.role is Role.NATIONAL_ADMIN and not is_reporter(viewer, complaint, proven)


def may_audit(viewer: Viewer, complaint: Complaint) -> bool:
    """Whether the viewer reads the audit of the complaint: who holds or held it and its province, as they may know of
    it; overseers that of all.
    """
    watched = watched_groups(viewer)
    groups = {f"agency:{agency}" for agency in complaint["holders"]} | set(watchers(complaint))
    return "all" in watched or (may_know(viewer, complaint) and not groups.isdisjoint(watched))


def watchers(complaint: Complaint) -> tuple[str, ...]:
    """The groups that read what the logs say of this complaint at the time: its holder, overseers, and the province
    where it may know that the complaint exists.
    """
    province = f"province:{complaint['holderProvince']}"
    knows = is_public(complaint["readers"]) or province in complaint["readers"]
    return tuple(sorted({f"agency:{complaint['holder']}", "all", *([province] if knows else [])}))


def watched_groups(viewer: Viewer) -> tuple[str, ...]:
    """The groups of log entries that a viewer reads."""
    match viewer.role:
        case Role.NATIONAL_ADMIN | Role.OVERSIGHT | Role.SYSTEM:
            return ("all",)
        case Role.AGENCY_ADMIN:
            return (f"agency:{viewer.agency}",)
        case Role.PROVINCE_COORDINATOR:
            return (f"agency:{viewer.agency}", f"province:{viewer.agency}")
    return ()


def _watches(viewer: Viewer, proven: Collection[str]) -> Callable[[Mapping[str, Any]], bool]:
    is_elsewhere = frozenset(watched_groups(viewer)).isdisjoint
    return lambda entry: not is_elsewhere(entry["readers"])


WATCHED: Final = Rule(("readers",), _watches)
"""Whether it is the viewer's to read who did an entry of the logs and why; the reporter reads role and time."""


def named_in_logs(viewer: Viewer) -> str | None:
    """Staff stand in the logs by their account, reporters by their role alone."""
    return None if viewer.role in (Role.CITIZEN, Role.PUBLIC) else viewer.subject


def follows(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> bool:
    """Whether a complaint of the viewer's was merged into this one, and this one is not confidential."""
    own = viewer.role is Role.CITIZEN and viewer.subject in complaint["followerSubjects"]
    return not complaint["confidential"] and (own or not set(complaint["followers"]).isdisjoint(proven))


def may_read_follow_up(
    viewer: Viewer, complaint: Complaint, follow_up: Mapping[str, Any], proven: Collection[str] = ()
) -> bool:
    """Drafts and internal notes are for custody alone, answers to the reporter for both, the rest for all.

    The final answer is also for those whose complaint was merged into this one.
    """
    if not in_custody(viewer, complaint, proven):
        told = {Visibility.PUBLIC}
        if follow_up["kind"] == FollowUpKind.FINAL and follows(viewer, complaint, proven):
            told.add(Visibility.REPORTER)
        return bool(follow_up["approved"]) and follow_up["visibility"] in told
    if is_reporter(viewer, complaint, proven):
        return bool(follow_up["approved"]) and follow_up["visibility"] != Visibility.INTERNAL
    return True


def actors(viewer: Viewer, complaint: Complaint, proven: Collection[str] = ()) -> frozenset[Actor]:
    """What the viewer is to this complaint, in the state machine's terms."""
    found: set[Actor] = set()
    if is_reporter(viewer, complaint, proven):
        found.add(Actor.REPORTER)
    holds = viewer.agency is not None and viewer.agency == complaint["holder"]
    custodian = complaint.get("custodian")
    match viewer.role:
        case Role.NATIONAL_ADMIN:
            found |= {Actor.NATIONAL_ADMIN, Actor.CUSTODIAN} if custodian == DESK else {Actor.NATIONAL_ADMIN}
        case Role.AGENCY_ADMIN if holds:
            found.add(Actor.HOLDER_ADMIN)
            if complaint["takenInBy"] == viewer.agency:
                found.add(Actor.INTAKE_ADMIN)
        case Role.LIAISON if holds and in_custody(viewer, complaint, proven):
            found.add(Actor.HOLDER_LIAISON)
        case Role.SUBGRAPH if holds and in_custody(viewer, complaint, proven):
            found.add(Actor.SUBGRAPH)
        case Role.PROVINCE_COORDINATOR if holds or (custodian is not None and viewer.agency == custodian):
            found |= {Actor.CUSTODIAN, Actor.COORDINATOR}
        case Role.PROVINCE_COORDINATOR if viewer.agency == complaint["holderProvince"]:
            found.add(Actor.COORDINATOR)
        case Role.OVERSIGHT if in_custody(viewer, complaint, proven):
            found.add(Actor.OVERSIGHT)
        case Role.SYSTEM:
            found.add(Actor.SYSTEM)
    return frozenset(found)
