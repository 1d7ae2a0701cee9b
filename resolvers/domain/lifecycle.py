"""The state machine: one table of transitions.

Source: the process of SP4N-LAPOR! (verification, hand-over, follow-up, answer, confirmation); docs/lifecycle.md.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from resolvers.domain import guards
from resolvers.domain.guards import CLOSED, OPEN, Actor, Case, Denial, Guard
from resolvers.domain.service_policy import Limits
from resolvers.domain.vocabulary import ClockKind
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.domain.vocabulary import ComplaintStatus as Status
from resolvers.domain.vocabulary import UnlistedAction as Unlisted

__all__ = [
    "OPEN",
    "SUBMISSION",
    "TRANSITIONS",
    "Actor",
    "Case",
    "ClockEffect",
    "Denial",
    "Effect",
    "Transition",
    "decide",
    "list_allowed_actions",
]


class Effect(StrEnum):
    START = "START"
    STOP = "STOP"
    PAUSE = "PAUSE"
    RESUME = "RESUME"


class ClockEffect(NamedTuple):
    """The effect of a transition on the clock of a kind; None stands for every clock that is not stopped."""

    effect: Effect
    kind: ClockKind | None


class Transition(NamedTuple):
    action: Action | Unlisted
    source: Status
    target: Status
    actors: frozenset[Actor]
    clocks: tuple[ClockEffect, ...] = ()
    guard: Guard | None = None


def _start_clocks(*kinds: ClockKind) -> tuple[ClockEffect, ...]:
    return tuple(ClockEffect(Effect.START, kind) for kind in kinds)


def _stop_clocks(*kinds: ClockKind) -> tuple[ClockEffect, ...]:
    return tuple(ClockEffect(Effect.STOP, kind) for kind in kinds)


_STOP_ALL: Final = (ClockEffect(Effect.STOP, None),)
_NEW_HOLDER: Final = _start_clocks(ClockKind.ACCEPTANCE, ClockKind.FOLLOW_UP)
_RUN_ON: Final = (ClockEffect(Effect.RESUME, ClockKind.TOTAL),)

_TAKERS: Final = frozenset({Actor.INTAKE_ADMIN, Actor.CUSTODIAN, Actor.NATIONAL_ADMIN})
_REPORTER: Final = frozenset({Actor.REPORTER})
_SYSTEM: Final = frozenset({Actor.SYSTEM})
_ADMIN: Final = frozenset({Actor.HOLDER_ADMIN})
_WORKERS: Final = frozenset({Actor.HOLDER_ADMIN, Actor.HOLDER_LIAISON, Actor.CUSTODIAN, Actor.SUBGRAPH})
_APPROVERS: Final = frozenset({Actor.HOLDER_ADMIN, Actor.CUSTODIAN})
_CONSENTERS: Final = frozenset({Actor.COORDINATOR, Actor.NATIONAL_ADMIN})
_GUARDIANS: Final = frozenset(
    {
        Actor.REPORTER,
        Actor.HOLDER_ADMIN,
        Actor.HOLDER_LIAISON,
        Actor.CUSTODIAN,
        Actor.COORDINATOR,
        Actor.NATIONAL_ADMIN,
    }
)

SUBMISSION: Final = Transition(
    Action.SUBMIT,
    Status.SUBMITTED,
    Status.SUBMITTED,
    frozenset(),
    _start_clocks(ClockKind.TOTAL, ClockKind.VERIFICATION),
)
"""Creates a complaint. Nobody is its actor: `policy.may_submit` says who may submit."""

_INTAKE: Final = (
    Transition(
        Action.REQUEST_INFORMATION,
        Status.SUBMITTED,
        Status.NEEDS_INFO,
        _TAKERS,
        (ClockEffect(Effect.PAUSE, ClockKind.VERIFICATION), *_start_clocks(ClockKind.REPORTER_REPLY)),
        guards.require_requests_left,
    ),
    Transition(
        Action.SUPPLY_INFORMATION,
        Status.NEEDS_INFO,
        Status.SUBMITTED,
        _REPORTER,
        (*_stop_clocks(ClockKind.REPORTER_REPLY), ClockEffect(Effect.RESUME, ClockKind.VERIFICATION)),
    ),
    Transition(Unlisted.LAPSE, Status.NEEDS_INFO, Status.ARCHIVED, _SYSTEM, _STOP_ALL, guards.require_reply_overdue),
    Transition(
        Action.VERIFY,
        Status.SUBMITTED,
        Status.ROUTED,
        _TAKERS | _SYSTEM,
        (*_stop_clocks(ClockKind.VERIFICATION), *_NEW_HOLDER, *_start_clocks(ClockKind.RESOLUTION)),
    ),
    Transition(Action.ARCHIVE, Status.SUBMITTED, Status.ARCHIVED, _TAKERS, _STOP_ALL),
    Transition(
        Action.RESTORE,
        Status.ARCHIVED,
        Status.SUBMITTED,
        _REPORTER | {Actor.NATIONAL_ADMIN},
        (*_start_clocks(ClockKind.VERIFICATION), *_RUN_ON),
        guards.require_restore_in_time,
    ),
    *(
        Transition(
            Action.MERGE,
            source,
            Status.MERGED,
            _APPROVERS | {Actor.SUBGRAPH, Actor.NATIONAL_ADMIN},
            _STOP_ALL,
            guards.require_no_followers,
        )
        for source in (Status.SUBMITTED, Status.ROUTED)
    ),
)

_HAND_OVERS: Final = (
    *(
        Transition(
            Action.FORWARD,
            source,
            Status.ROUTED,
            frozenset({Actor.COORDINATOR, Actor.NATIONAL_ADMIN}),
            (*_stop_clocks(ClockKind.ACCEPTANCE, ClockKind.FOLLOW_UP), *_NEW_HOLDER),
            guards.require_hand_overs_left,
        )
        for source in (Status.RETURNED, Status.ROUTED)
    ),
    *(
        Transition(
            Action.RETURN,
            source,
            Status.RETURNED,
            _ADMIN | {Actor.SUBGRAPH},
            _stop_clocks(ClockKind.ACCEPTANCE, ClockKind.FOLLOW_UP),
            guards.require_returnable,
        )
        for source in (Status.ROUTED, Status.IN_PROGRESS)
    ),
)

_WORK: Final = (
    *(
        Transition(
            Action.ACCEPT,
            source,
            Status.IN_PROGRESS,
            _APPROVERS | {Actor.HOLDER_LIAISON},
            _stop_clocks(ClockKind.ACCEPTANCE),
        )
        for source in (Status.ROUTED, Status.REOPENED)
    ),
    Transition(Action.ACCEPT, Status.IN_PROGRESS, Status.IN_PROGRESS, _APPROVERS),
    Transition(
        Action.HOLD,
        Status.IN_PROGRESS,
        Status.ON_HOLD,
        _ADMIN,
        (ClockEffect(Effect.PAUSE, ClockKind.RESOLUTION),),
        guards.require_holds_left,
    ),
    Transition(
        Action.RESUME,
        Status.ON_HOLD,
        Status.IN_PROGRESS,
        _ADMIN | _SYSTEM,
        (ClockEffect(Effect.RESUME, ClockKind.RESOLUTION),),
        guards.require_review_passed,
    ),
    Transition(Action.FOLLOW_UP, Status.IN_PROGRESS, Status.IN_PROGRESS, _WORKERS),
    Transition(
        Action.APPROVE,
        Status.IN_PROGRESS,
        Status.ANSWERED,
        _APPROVERS,
        (*_stop_clocks(ClockKind.FOLLOW_UP, ClockKind.RESOLUTION), *_start_clocks(ClockKind.REPORTER_REPLY)),
        guards.require_draft_of_another,
    ),
    Transition(Action.REJECT, Status.IN_PROGRESS, Status.IN_PROGRESS, _APPROVERS, (), guards.require_draft),
    Transition(Action.PROPOSE_CLOSURE, Status.IN_PROGRESS, Status.IN_PROGRESS, _ADMIN, (), guards.require_no_proposal),
    Transition(
        Action.CONSENT_TO_CLOSURE,
        Status.IN_PROGRESS,
        Status.CLOSED_UNABLE,
        _CONSENTERS,
        _STOP_ALL,
        guards.require_outside_consent,
    ),
    Transition(
        Unlisted.REFUSE_CLOSURE, Status.IN_PROGRESS, Status.IN_PROGRESS, _CONSENTERS, (), guards.require_outside_consent
    ),
)

_ENDS: Final = (
    Transition(Action.CONFIRM, Status.ANSWERED, Status.CLOSED_RESOLVED, _REPORTER, _STOP_ALL),
    Transition(
        Unlisted.LAPSE, Status.ANSWERED, Status.CLOSED_NO_REPLY, _SYSTEM, _STOP_ALL, guards.require_reply_overdue
    ),
    Transition(
        Action.DISPUTE,
        Status.ANSWERED,
        Status.IN_PROGRESS,
        _REPORTER,
        (
            *_stop_clocks(ClockKind.REPORTER_REPLY),
            *_start_clocks(ClockKind.FOLLOW_UP),
            ClockEffect(Effect.RESUME, ClockKind.RESOLUTION),
        ),
    ),
    *(
        Transition(
            Action.REOPEN,
            source,
            Status.REOPENED,
            _REPORTER | {Actor.OVERSIGHT},
            (*_start_clocks(ClockKind.RESOLUTION, ClockKind.ACCEPTANCE), *_RUN_ON),
            guards.require_reopening_in_time,
        )
        for source in Status
        if source in CLOSED
    ),
    *(
        Transition(Action.WITHDRAW, source, Status.WITHDRAWN, _REPORTER, _STOP_ALL, guards.require_withdrawable)
        for source in Status
        if source in OPEN
    ),
)

_BESIDE: Final = (
    *(
        Transition(
            Action.ESCALATE,
            status,
            status,
            _REPORTER | _ADMIN | {Actor.COORDINATOR} | _SYSTEM,
            (),
            guards.require_escalation_ground,
        )
        for status in Status
        if status in OPEN
    ),
    *(Transition(Action.SET_PRIVACY, status, status, _GUARDIANS) for status in Status),
)
"""Transitions that keep the status."""

TRANSITIONS: Final = (*_INTAKE, *_HAND_OVERS, *_WORK, *_ENDS, *_BESIDE)

_BY_ACTION_AND_SOURCE: Final = {(row.action, row.source): row for row in TRANSITIONS}
_ACTORS_OF: Final = {
    action: frozenset[Actor]().union(*(row.actors for row in TRANSITIONS if row.action is action))
    for action in {row.action for row in TRANSITIONS}
}


def decide(action: Action | Unlisted, case: Case, actors: frozenset[Actor], limits: Limits) -> Transition | Denial:
    """Return the transition of `action` from the present status, or a Denial.

    Checks in this order: whether any of the actors may ever do it (NOT_ALLOWED), whether the status allows it
    (WRONG_STATUS), whether the actors may do it from this status (NOT_ALLOWED), then the guard of the row.
    """
    if actors.isdisjoint(_ACTORS_OF[action]):
        return Denial("NOT_ALLOWED", f"You may not do {action} with this complaint.")
    row = _BY_ACTION_AND_SOURCE.get((action, case.status))
    if row is None:
        sources = ", ".join(sorted(row.source for row in TRANSITIONS if row.action is action))
        return Denial("WRONG_STATUS", f"{action} cannot be done from {case.status}, only from {sources}.")
    if actors.isdisjoint(row.actors):
        return Denial("NOT_ALLOWED", f"You may not do {action} from {case.status} with this complaint.")
    denial = None if row.guard is None else row.guard(case, actors, limits)
    return denial or row


def list_allowed_actions(case: Case, actors: frozenset[Actor], limits: Limits) -> tuple[Action, ...]:
    """Return the actions that the actors may do now, in the order of ComplaintAction."""
    return tuple(
        action
        for action in Action
        if action in _ACTORS_OF and isinstance(decide(action, case, actors, limits), Transition)
    )
