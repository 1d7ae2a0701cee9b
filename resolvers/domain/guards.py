"""Guards of the state machine: conditions on a complaint's past and on its actor.

A guard returns None when the action is allowed, else a Denial. The first line of its docstring is the column "unless"
of the table in docs/lifecycle.md: it says when the guard denies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from resolvers.domain.service_policy import Limits
from resolvers.domain.vocabulary import ComplaintStatus as Status
from resolvers.domain.vocabulary import SupervisionGrade


class Actor(StrEnum):
    """The part that a person or system plays for one complaint. One caller can play several."""

    REPORTER = "REPORTER"
    HOLDER_ADMIN = "HOLDER_ADMIN"
    HOLDER_LIAISON = "HOLDER_LIAISON"
    INTAKE_ADMIN = "INTAKE_ADMIN"
    """Admin of the agency that took the complaint in on the reporter's behalf and still holds it."""
    SUBGRAPH = "SUBGRAPH"
    """The holder's own complaint system."""
    CUSTODIAN = "CUSTODIAN"
    """Works on it for an agency that cannot: the coordinator of the province, or the national desk."""
    COORDINATOR = "COORDINATOR"
    """Coordinator of the holder's province."""
    NATIONAL_ADMIN = "NATIONAL_ADMIN"
    OVERSIGHT = "OVERSIGHT"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Case:
    """The facts that guards decide on: about the complaint, and about what the actor has done with it."""

    status: Status
    grade: SupervisionGrade | None = None
    hand_overs: int = 0
    """Verification and forwardings; returns do not count."""
    information_requests: int = 0
    has_substantive_follow_up: bool = False
    """Whether the present holder has written a CLARIFY, PROGRESS or answer that the reporter could read."""
    drafts: int = 0
    """Number of FINAL follow-ups that wait for approval."""
    others_drafts: int = 0
    """Number of those drafts that the actor has not written."""
    holds: int = 0
    hold_is_over: bool = False
    """Whether the day of review of the hold has passed."""
    is_proposed: bool = False
    """Whether a proposal to close it without a remedy waits for consent."""
    is_own_proposal: bool = False
    reply_is_overdue: bool = False
    """Whether the reporter has let the time to reply to a question or an answer pass."""
    is_breached: bool = False
    """Whether any clock of an agency runs or ran past its due time."""
    escalation_level: int = 0
    days_since_receipt: int = 0
    days_since_end: int = 0
    """Calendar days since it was closed or archived; 0 while it is open."""
    reopenings: int = 0
    followers: int = 0
    """Number of complaints that were merged into this one."""


class Denial(NamedTuple):
    """The reason why an action is refused; `code` is a value of UserErrorCode."""

    code: str
    message: str


Guard = Callable[[Case, frozenset[Actor], Limits], Denial | None]


LOOSENERS: Final = frozenset({Actor.REPORTER, Actor.NATIONAL_ADMIN})
"""The actors who may remove a complaint's anonymity or confidentiality."""

NATIONAL_BOARD_LEVEL: Final = 4
"""The highest escalation level that a complaint reaches without the reporter's decision."""
OMBUDSMAN_LEVEL: Final = 5

OPEN: Final = frozenset(
    {
        Status.SUBMITTED,
        Status.NEEDS_INFO,
        Status.ROUTED,
        Status.RETURNED,
        Status.IN_PROGRESS,
        Status.ON_HOLD,
        Status.ANSWERED,
        Status.REOPENED,
    }
)
CLOSED: Final = frozenset({Status.CLOSED_RESOLVED, Status.CLOSED_NO_REPLY, Status.CLOSED_UNABLE})
_UNDER_EXAMINATION: Final = frozenset({Status.IN_PROGRESS, Status.ON_HOLD, Status.ANSWERED, Status.REOPENED})


def require_requests_left(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The reporter was asked as often as the policy allows."""
    if case.information_requests < limits.information_requests:
        return None
    return Denial("LIMIT_REACHED", f"The reporter was asked {case.information_requests} times: verify or archive it.")


def require_returnable(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The hand-overs are used up and the assignment binds; or it was followed up already."""
    if case.hand_overs >= limits.hand_overs:
        return Denial("LIMIT_REACHED", f"After {case.hand_overs} hand-overs the assignment binds: it must be handled.")
    if case.status is Status.IN_PROGRESS and case.has_substantive_follow_up:
        return Denial("NOT_ALLOWED", "It was followed up already and can no longer be returned: answer it.")
    return None


def require_hand_overs_left(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The hand-overs are used up: then the national desk alone."""
    if case.hand_overs < limits.hand_overs or Actor.NATIONAL_ADMIN in actors:
        return None
    return Denial("LIMIT_REACHED", f"After {case.hand_overs} hand-overs only the national desk can assign it.")


def require_draft(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """No FINAL draft waits."""
    if case.drafts:
        return None
    return Denial("WRONG_STATUS", "No FINAL follow-up waits for approval: add one first.")


def require_draft_of_another(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """No FINAL draft of somebody else waits."""
    if case.drafts and not case.others_drafts:
        return Denial("NOT_ALLOWED", "You cannot approve your own draft: another admin of the agency does.")
    return require_draft(case, actors, limits)


def require_holds_left(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """It was on hold as often as the policy allows."""
    if case.holds < limits.holds:
        return None
    return Denial("LIMIT_REACHED", f"It was on hold {case.holds} times: work on it, or propose to close it.")


def require_review_passed(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The system: the day of review has not passed."""
    if Actor.HOLDER_ADMIN in actors or case.hold_is_over:
        return None
    return Denial("NOT_ALLOWED", "The day of review has not passed: only the holder can resume it before that.")


def require_no_proposal(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """A proposal waits already."""
    if not case.is_proposed:
        return None
    return Denial("WRONG_STATUS", "A proposal to close it waits for consent already.")


def require_outside_consent(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """No proposal waits, it is the own one, or the province holds the complaint itself."""
    if not case.is_proposed:
        return Denial("WRONG_STATUS", "No proposal to close it waits for consent.")
    if case.is_own_proposal:
        return Denial("NOT_ALLOWED", "You cannot consent to your own proposal.")
    if Actor.CUSTODIAN in actors and Actor.NATIONAL_ADMIN not in actors:
        return Denial("NOT_ALLOWED", "The province itself holds this complaint: only the national desk can consent.")
    return None


def require_no_followers(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """Others were merged into it."""
    if not case.followers:
        return None
    return Denial("NOT_ALLOWED", f"{case.followers} complaints follow this one: merge the other into it.")


def require_withdrawable(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """It is SUPERVISORY and under examination, or others were merged into it."""
    if case.grade is SupervisionGrade.SUPERVISORY and case.status in _UNDER_EXAMINATION:
        return Denial("NOT_ALLOWED", "A SUPERVISORY complaint under examination cannot be withdrawn.")
    if case.followers:
        return Denial("NOT_ALLOWED", "Other reporters wait for the answer to this complaint: it stays open.")
    return None


def require_reply_overdue(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The reporter's time to reply is not over."""
    if case.reply_is_overdue:
        return None
    return Denial("NOT_ALLOWED", "The reporter's time to reply is not over.")


def require_restore_in_time(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The reporter: the policy's days since it was archived are over."""
    if Actor.NATIONAL_ADMIN in actors or case.days_since_end <= limits.restore_days:
        return None
    return Denial(
        "LIMIT_REACHED",
        f"It was archived {case.days_since_end} days ago, more than {limits.restore_days}: submit a new complaint.",
    )


def require_reopening_in_time(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The reporter: the policy's days, or the number of reopenings, are used up."""
    if Actor.OVERSIGHT in actors:
        return None
    if case.reopenings >= limits.reopenings:
        return Denial("LIMIT_REACHED", f"It was reopened {case.reopenings} times: take it to the Ombudsman.")
    if case.days_since_end > limits.reopen_days:
        return Denial(
            "LIMIT_REACHED",
            f"It was closed {case.days_since_end} days ago, more than {limits.reopen_days}: submit a new complaint.",
        )
    return None


def require_escalation_ground(case: Case, actors: frozenset[Actor], limits: Limits) -> Denial | None:
    """The reporter: no clock was breached; the last level, the Ombudsman's: not the reporter, or too early."""
    if case.escalation_level >= OMBUDSMAN_LEVEL:
        return Denial("LIMIT_REACHED", "The Ombudsman has this complaint already.")
    if case.escalation_level == NATIONAL_BOARD_LEVEL:
        if Actor.REPORTER not in actors:
            return Denial("NOT_ALLOWED", "Only the reporter can take it to the Ombudsman.")
        if case.days_since_receipt <= limits.ombudsman_days:
            return Denial("NOT_ALLOWED", f"The Ombudsman takes it after {limits.ombudsman_days} days from submission.")
        return None
    if actors <= {Actor.REPORTER} and not case.is_breached:
        return Denial("NOT_ALLOWED", "No clock has run past its due time: only then can it be escalated.")
    return None
