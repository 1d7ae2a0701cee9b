"""One action on one complaint: who may, from which status, with which effect on clocks, holder and readers."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from resolvers import policy
from resolvers.context import RequestContext
from resolvers.domain import lifecycle, search_words, sla
from resolvers.domain.lifecycle import Case, ClockEffect, Denial, Effect, Transition
from resolvers.domain.vocabulary import (
    ClockKind,
    ComplaintAction,
    ComplaintStatus,
    FollowUpKind,
    SupervisionGrade,
    TimeZone,
    Visibility,
)
from resolvers.errors import InvalidInput, LimitReached, NotAllowed, Refused, WrongStatus
from resolvers.store.database import NEVER, Document
from resolvers.update import Attempt, update

CASE_KEYS: Final = (*policy.KEYS, "forwardings", "followUps", "informationRequests", "grade", "receivedAt")
"""The keys of a complaint that decide what may be done with it."""

_REFUSALS: Final[dict[str, type[Refused]]] = {
    refused.code: refused for refused in (InvalidInput, LimitReached, NotAllowed, WrongStatus)
}

Change = Callable[[Document, Transition], Document]


def secret_of(context: RequestContext, complaint_id: str) -> str:
    """The secret that opens a complaint: derived, so that a repeated submission returns the same."""
    return hmac.digest(context.secret_key, b"complaint\0" + complaint_id.encode(), hashlib.sha256).hex()[:32]


def secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def prove(context: RequestContext, complaint: Document, secret: str | None) -> None:
    """Makes the caller this complaint's reporter for the request, where the secret is the complaint's."""
    if secret is not None and hmac.compare_digest(secret_hash(secret), complaint["secretHash"]):
        context.proven.add(complaint["_id"])


def allowed_actions(context: RequestContext, complaint: Document) -> tuple[ComplaintAction, ...]:
    actors = policy.actors(context.viewer, complaint, context.proven)
    return lifecycle.allowed_actions(case_of(complaint), actors)


async def act(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    action: ComplaintAction,
    change: Change,
    *,
    zone: TimeZone | None = None,
    secret: str | None = None,
) -> Document:
    """The complaint after `action`: `change` gives the keys that the action sets, `zone` is a new holder's.

    Raises NotFound for what the viewer may not know of, and what the table, `change` or the revision refuses.
    """

    def visible(complaint: Document) -> bool:
        prove(context, complaint, secret)
        return policy.may_know(context.viewer, complaint, context.proven)

    def decided(complaint: Document) -> Document:
        actors = policy.actors(context.viewer, complaint, context.proven)
        transition = lifecycle.decide(action, case_of(complaint), actors)
        if isinstance(transition, Denial):
            current = complaint if transition.code == WrongStatus.code else None
            raise _REFUSALS[transition.code](transition.message, document=current)
        changes = change(complaint, transition)
        return changes | follow_through(context, complaint | changes, transition, zone, _first_word(complaint, changes))

    return await update(context, context.store.complaints, complaint_id, attempt, visible=visible, change=decided)


def _first_word(complaint: Document, changes: Document) -> tuple[ClockEffect, ...]:
    """Stops the follow-up clock where the action added what the reporter waits for."""
    added = changes.get("followUps", [])[len(complaint["followUps"]) :]
    by_agency = any(is_substantive(row) and row["byAgency"] is not None for row in added)
    return (ClockEffect(Effect.STOP, ClockKind.FOLLOW_UP),) if by_agency else ()


def follow_through(
    context: RequestContext,
    complaint: Document,
    transition: Transition,
    zone: TimeZone | None,
    further: Sequence[ClockEffect] = (),
) -> Document:
    """What every action sets besides its own: status, clocks, instants, and who may know."""
    zone = zone or (TimeZone(complaint["clocks"][-1]["zone"]) if complaint["clocks"] else TimeZone.WIB)
    grade = complaint["grade"]
    clocks = sla.apply(
        complaint["clocks"],
        (*transition.clocks, *further),
        now=context.now,
        calendar=context.calendar(zone),
        policy=sla.POLICY_2025,
        grade=None if grade is None else SupervisionGrade(grade),
    )
    set_ = {"status": transition.target, "clocks": clocks, "updatedAt": context.now}
    set_["nextDueAt"] = sla.next_due(clocks) or NEVER
    if transition.target not in lifecycle.OPEN and complaint["closedAt"] is None:
        set_["closedAt"] = context.now
    readers = policy.readers({**complaint, **set_})
    words = search_words.republished(complaint["words"], published=policy.is_public(readers))
    return set_ | {"readers": readers, "words": words}


def case_of(complaint: Document) -> Case:
    """What the state machine's guards look at."""
    links, follow_ups = complaint["forwardings"], complaint["followUps"]
    held_since = links[-1]["at"] if links else complaint["receivedAt"]
    return Case(
        status=ComplaintStatus(complaint["status"]),
        hand_overs=sum(link["action"] != ComplaintAction.RETURN for link in links),
        information_requests=complaint["informationRequests"],
        has_substantive_follow_up=any(is_substantive(row) and row["at"] >= held_since for row in follow_ups),
        drafts=sum(not row["approved"] and row["rejection"] is None for row in follow_ups),
        grade=None if complaint["grade"] is None else SupervisionGrade(complaint["grade"]),
    )


def is_substantive(follow_up: Mapping[str, Any]) -> bool:
    """Whether the reporter could read in it what is being done: what the follow-up clock waits for."""
    return (
        follow_up["kind"] in (FollowUpKind.CLARIFY, FollowUpKind.PROGRESS, FollowUpKind.FINAL)
        and follow_up["approved"]
        and follow_up["visibility"] != Visibility.INTERNAL
    )
