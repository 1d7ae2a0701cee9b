"""The state machine: one table of transitions.

Source: the process of SP4N-LAPOR! (verification, hand-over, follow-up, answer, confirmation); docs/lifecycle.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from resolvers.domain.vocabulary import ClockKind, SupervisionGrade
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.domain.vocabulary import ComplaintStatus as Status


class Actor(StrEnum):
    """What somebody is to one complaint."""

    REPORTER = "REPORTER"
    HOLDER_ADMIN = "HOLDER_ADMIN"
    HOLDER_LIAISON = "HOLDER_LIAISON"
    INTAKE_ADMIN = "INTAKE_ADMIN"
    """Admin of the agency that took it in on the reporter's behalf and holds it still."""
    SUBGRAPH = "SUBGRAPH"
    """The holder's own complaint system."""
    CUSTODIAN = "CUSTODIAN"
    """Coordinator of the province that holds it, for an agency that cannot."""
    COORDINATOR = "COORDINATOR"
    """Coordinator of the holder's province."""
    NATIONAL_ADMIN = "NATIONAL_ADMIN"
    OVERSIGHT = "OVERSIGHT"
    SYSTEM = "SYSTEM"


class Effect(StrEnum):
    START = "START"
    STOP = "STOP"
    PAUSE = "PAUSE"
    RESUME = "RESUME"


class ClockEffect(NamedTuple):
    """What a transition does to the clock of a kind; to every clock that is not stopped where `kind` is None."""

    effect: Effect
    kind: ClockKind | None


@dataclass(frozen=True, slots=True)
class Case:
    """What the guards look at."""

    status: Status
    hand_overs: int = 0
    """Verification and forwardings; returns do not count."""
    information_requests: int = 0
    has_substantive_follow_up: bool = False
    """A CLARIFY, PROGRESS or answer that the reporter could read, since the present holder has it."""
    drafts: int = 0
    """FINAL follow-ups that wait for approval."""
    grade: SupervisionGrade | None = None


class Denial(NamedTuple):
    """Why an action cannot be done; `code` is one of UserErrorCode."""

    code: str
    message: str


Guard = Callable[[Case, frozenset[Actor]], Denial | None]


class Transition(NamedTuple):
    action: Action
    source: Status
    target: Status
    actors: frozenset[Actor]
    clocks: tuple[ClockEffect, ...] = ()
    guard: Guard | None = None


MAX_HAND_OVERS: Final = 3
MAX_INFORMATION_REQUESTS: Final = 2

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


def _asks_at_most_twice(case: Case, actors: frozenset[Actor]) -> Denial | None:
    if case.information_requests < MAX_INFORMATION_REQUESTS:
        return None
    return Denial("LIMIT_REACHED", f"The reporter was asked {case.information_requests} times: verify or archive it.")


def _returns_while_not_bound(case: Case, actors: frozenset[Actor]) -> Denial | None:
    if case.hand_overs >= MAX_HAND_OVERS:
        return Denial("LIMIT_REACHED", f"After {case.hand_overs} hand-overs the assignment binds: it must be handled.")
    if case.status is Status.IN_PROGRESS and case.has_substantive_follow_up:
        return Denial("NOT_ALLOWED", "It was followed up already: answer it, it can no longer be returned.")
    return None


def _binds_nationally(case: Case, actors: frozenset[Actor]) -> Denial | None:
    if case.hand_overs < MAX_HAND_OVERS or Actor.NATIONAL_ADMIN in actors:
        return None
    return Denial("LIMIT_REACHED", f"After {case.hand_overs} hand-overs only the national desk assigns.")


def _has_draft(case: Case, actors: frozenset[Actor]) -> Denial | None:
    if case.drafts:
        return None
    return Denial("WRONG_STATUS", "No FINAL follow-up waits for approval: add one first.")


def _not_under_examination(case: Case, actors: frozenset[Actor]) -> Denial | None:
    if case.grade is SupervisionGrade.SUPERVISORY and case.status in (Status.IN_PROGRESS, Status.ANSWERED):
        return Denial("NOT_ALLOWED", "A SUPERVISORY complaint under examination cannot be withdrawn.")
    return None


def _start(*kinds: ClockKind) -> tuple[ClockEffect, ...]:
    return tuple(ClockEffect(Effect.START, kind) for kind in kinds)


def _stop(*kinds: ClockKind) -> tuple[ClockEffect, ...]:
    return tuple(ClockEffect(Effect.STOP, kind) for kind in kinds)


_STOP_ALL: Final = (ClockEffect(Effect.STOP, None),)
_NEW_HOLDER: Final = _start(ClockKind.ACCEPTANCE, ClockKind.FOLLOW_UP)

_TAKERS: Final = frozenset({Actor.INTAKE_ADMIN, Actor.CUSTODIAN, Actor.NATIONAL_ADMIN})
_REPORTER: Final = frozenset({Actor.REPORTER})
_WORKERS: Final = frozenset({Actor.HOLDER_ADMIN, Actor.HOLDER_LIAISON, Actor.CUSTODIAN, Actor.SUBGRAPH})
_APPROVERS: Final = frozenset({Actor.HOLDER_ADMIN, Actor.CUSTODIAN})

SUBMISSION: Final = Transition(
    Action.SUBMIT,
    Status.SUBMITTED,
    Status.SUBMITTED,
    frozenset(),
    _start(ClockKind.TOTAL, ClockKind.VERIFICATION),
)
"""The beginning: from nothing to SUBMITTED; who may, policy.may_submit says."""

TRANSITIONS: Final = (
    Transition(
        Action.REQUEST_INFORMATION,
        Status.SUBMITTED,
        Status.NEEDS_INFO,
        _TAKERS,
        (ClockEffect(Effect.PAUSE, ClockKind.VERIFICATION), *_start(ClockKind.REPORTER_REPLY)),
        _asks_at_most_twice,
    ),
    Transition(
        Action.SUPPLY_INFORMATION,
        Status.NEEDS_INFO,
        Status.SUBMITTED,
        _REPORTER,
        (*_stop(ClockKind.REPORTER_REPLY), ClockEffect(Effect.RESUME, ClockKind.VERIFICATION)),
    ),
    Transition(
        Action.VERIFY,
        Status.SUBMITTED,
        Status.ROUTED,
        _TAKERS,
        (*_stop(ClockKind.VERIFICATION), *_NEW_HOLDER, *_start(ClockKind.RESOLUTION)),
    ),
    *(
        Transition(
            Action.FORWARD,
            source,
            Status.ROUTED,
            frozenset({Actor.COORDINATOR, Actor.NATIONAL_ADMIN}),
            (*_stop(ClockKind.ACCEPTANCE, ClockKind.FOLLOW_UP), *_NEW_HOLDER),
            _binds_nationally,
        )
        for source in (Status.RETURNED, Status.ROUTED)
    ),
    *(
        Transition(
            Action.RETURN,
            source,
            Status.RETURNED,
            frozenset({Actor.HOLDER_ADMIN, Actor.SUBGRAPH}),
            _stop(ClockKind.ACCEPTANCE, ClockKind.FOLLOW_UP),
            _returns_while_not_bound,
        )
        for source in (Status.ROUTED, Status.IN_PROGRESS)
    ),
    *(
        Transition(
            Action.ACCEPT,
            source,
            Status.IN_PROGRESS,
            frozenset({Actor.HOLDER_ADMIN, Actor.HOLDER_LIAISON, Actor.CUSTODIAN}),
            _stop(ClockKind.ACCEPTANCE),
        )
        for source in (Status.ROUTED, Status.REOPENED)
    ),
    Transition(Action.ACCEPT, Status.IN_PROGRESS, Status.IN_PROGRESS, _APPROVERS),
    Transition(Action.FOLLOW_UP, Status.IN_PROGRESS, Status.IN_PROGRESS, _WORKERS),
    Transition(
        Action.APPROVE,
        Status.IN_PROGRESS,
        Status.ANSWERED,
        _APPROVERS,
        (*_stop(ClockKind.FOLLOW_UP, ClockKind.RESOLUTION), *_start(ClockKind.REPORTER_REPLY)),
        _has_draft,
    ),
    Transition(Action.REJECT, Status.IN_PROGRESS, Status.IN_PROGRESS, _APPROVERS, (), _has_draft),
    Transition(Action.CONFIRM, Status.ANSWERED, Status.CLOSED_RESOLVED, _REPORTER, _STOP_ALL),
    Transition(
        Action.DISPUTE,
        Status.ANSWERED,
        Status.IN_PROGRESS,
        _REPORTER,
        (
            *_stop(ClockKind.REPORTER_REPLY),
            *_start(ClockKind.FOLLOW_UP),
            ClockEffect(Effect.RESUME, ClockKind.RESOLUTION),
        ),
    ),
    Transition(Action.ARCHIVE, Status.SUBMITTED, Status.ARCHIVED, _TAKERS, _STOP_ALL),
    *(
        Transition(Action.WITHDRAW, source, Status.WITHDRAWN, _REPORTER, _STOP_ALL, _not_under_examination)
        for source in Status
        if source in OPEN
    ),
)

_BY_ACTION_AND_SOURCE: Final = {(row.action, row.source): row for row in TRANSITIONS}
_ACTORS_OF: Final = {
    action: frozenset[Actor]().union(*(row.actors for row in TRANSITIONS if row.action is action))
    for action in {row.action for row in TRANSITIONS}
}


def decide(action: Action, case: Case, actors: frozenset[Actor]) -> Transition | Denial:
    """The row that `action` follows, or why it cannot be done.

    NOT_ALLOWED where none of the actors may ever do it, then WRONG_STATUS, then NOT_ALLOWED here, then the guard.
    """
    if actors.isdisjoint(_ACTORS_OF[action]):
        return Denial("NOT_ALLOWED", f"{action} is not yours to do with this complaint.")
    row = _BY_ACTION_AND_SOURCE.get((action, case.status))
    if row is None:
        sources = ", ".join(sorted(row.source for row in TRANSITIONS if row.action is action))
        return Denial("WRONG_STATUS", f"{action} cannot be done from {case.status}, only from {sources}.")
    if actors.isdisjoint(row.actors):
        return Denial("NOT_ALLOWED", f"{action} from {case.status} is not yours to do with this complaint.")
    denial = None if row.guard is None else row.guard(case, actors)
    return denial or row


def allowed_actions(case: Case, actors: frozenset[Actor]) -> tuple[Action, ...]:
    """What the actors may do now, in the order of ComplaintAction."""
    return tuple(
        action for action in Action if action in _ACTORS_OF and isinstance(decide(action, case, actors), Transition)
    )
