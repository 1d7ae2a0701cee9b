"""One action on one complaint: who may, from which status, with which effect on clocks, holder and readers."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.domain import lifecycle, search_words, sla, upkeep
from resolvers.domain.lifecycle import Case, ClockEffect, Denial, Effect, Transition
from resolvers.domain.service_policy import ServicePolicy
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import (
    ClockKind,
    ComplaintAction,
    ComplaintStatus,
    FollowUpKind,
    SupervisionGrade,
    TimeZone,
    UnlistedAction,
    Visibility,
)
from resolvers.errors import InvalidInput, LimitReached, NotAllowed, Refused, WrongStatus
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, Beside, update
from resolvers.store.database import NEVER, Document

CASE_KEYS: Final = (
    *policy.KEYS,
    "forwardings",
    "followUps",
    "informationRequests",
    "grade",
    "clocks",
    "hold",
    "holds",
    "reopenings",
    "receivedAt",
    "closedAt",
    "policyVersion",
)
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


async def known(context: RequestContext, complaint_id: str, keys: frozenset[str] | None = None) -> Document | None:
    """The complaint, or None: absent and not to be known of look the same, and cost the same from here on."""
    complaint = await context.loaders.complaint.load(complaint_id, keys)
    return complaint if complaint is not None and policy.may_know(context.viewer, complaint, context.proven) else None


def allowed_actions(context: RequestContext, complaint: Document) -> tuple[ComplaintAction, ...]:
    actors = policy.actors(context.viewer, complaint, context.proven)
    return lifecycle.list_allowed_actions(case_of(context, complaint), actors, policy_of(context, complaint).limits)


async def act(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    action: ComplaintAction | UnlistedAction,
    change: Change,
    *,
    zone: TimeZone | None = None,
    secret: str | None = None,
    beside: Beside | None = None,
) -> Document:
    """The complaint after `action`: `change` gives the keys that the action sets, `zone` is a new holder's.

    `beside` writes to other documents, in one transaction with this one.

    Raises NotFound for what the viewer may not know of, and what the table, `change` or the revision refuses.
    """

    def visible(complaint: Document) -> bool:
        prove(context, complaint, secret)
        return policy.may_know(context.viewer, complaint, context.proven)

    def decided(complaint: Document) -> Document:
        actors = policy.actors(context.viewer, complaint, context.proven)
        limits = policy_of(context, complaint).limits
        transition = lifecycle.decide(action, case_of(context, complaint), actors, limits)
        if isinstance(transition, Denial):
            current = complaint if transition.code == WrongStatus.code else None
            raise _REFUSALS[transition.code](transition.message, document=current)
        changes = change(complaint, transition)
        return changes | follow_through(context, complaint, changes, transition, zone)

    return await update(
        context,
        context.store.complaints,
        complaint_id,
        attempt,
        visible=visible,
        change=decided,
        record=audit_trail.AuditRecord(context, action),
        beside=beside,
    )


def _first_word(complaint: Document, changes: Document) -> tuple[ClockEffect, ...]:
    """Stops the follow-up clock where the action added what the reporter waits for."""
    added = changes.get("followUps", [])[len(complaint["followUps"]) :]
    by_agency = any(is_substantive(row) and row["byAgency"] is not None for row in added)
    return (ClockEffect(Effect.STOP, ClockKind.FOLLOW_UP),) if by_agency else ()


def follow_through(
    context: RequestContext,
    before: Document,
    changes: Document,
    transition: Transition,
    zone: TimeZone | None = None,
) -> Document:
    """What every action sets besides its own `changes`: status, clocks, instants, and who may know."""
    complaint = before | changes
    clocks = _clocks(context, before, changes, transition, zone or zone_of(before))
    set_: Document = {"status": transition.target, "clocks": clocks, "updatedAt": context.now}
    set_["nextDueAt"] = sla.find_next_due(clocks) or NEVER
    if transition.target in lifecycle.OPEN:
        set_["closedAt"] = None
    elif before["closedAt"] is None:
        set_["closedAt"] = context.now
    if before["status"] == ComplaintStatus.ON_HOLD and transition.target is not ComplaintStatus.ON_HOLD:
        *past, last = before["holds"]
        set_ |= {"hold": None, "holds": [*past, {**last, "end": context.now}]}
    after = complaint | set_
    if any(after.get(key) != before.get(key) for key in upkeep.KEYS):
        set_["wakeAt"] = wake_at(context, after)
    readers = policy.readers({**complaint, **set_})
    words = search_words.renew_marks(complaint["words"], published=policy.is_public(readers))
    return set_ | {"readers": readers, "words": words}


def wake_at(context: RequestContext, complaint: Document) -> datetime:
    """When the system takes its next step by itself; NEVER where it has none to take."""
    due = upkeep.find_next_step(complaint, policy_of(context, complaint), context.calendar)
    return NEVER if due is None else due.at


def _clocks(
    context: RequestContext, before: Document, changes: Document, transition: Transition, zone: TimeZone
) -> list[ClockDoc]:
    """A new class or grade counts from receipt; a new holder's days count for RESOLUTION where the policy says so."""
    service, complaint = policy_of(context, before), before | changes
    grade = None if complaint["grade"] is None else SupervisionGrade(complaint["grade"])
    reclassified = complaint["class"] != before["class"] or before["grade"] not in (None, complaint["grade"])
    clocks = sla.apply_effects(
        before["clocks"],
        (*transition.clocks, *_first_word(before, changes)),
        now=context.now,
        zone=zone,
        calendars=context.calendar,
        policy=service,
        grade=grade,
        resolution_since=before["receivedAt"] if reclassified else None,
    )
    if service.resolution_keeps_first_due or complaint["holder"] == before["holder"]:
        return clocks
    calendar = context.calendar(zone)
    return [
        sla.recount_clock(clock, calendar, service, grade)
        if clock["kind"] == ClockKind.RESOLUTION and clock["stoppedAt"] is None
        else clock
        for clock in clocks
    ]


def policy_of(context: RequestContext, complaint: Document) -> ServicePolicy:
    """The version that it was received under."""
    return context.policies.by_version(complaint["policyVersion"])


def zone_of(complaint: Document) -> TimeZone:
    """The working time of the clock that was started last: the holder's."""
    return TimeZone(complaint["clocks"][-1]["zone"]) if complaint["clocks"] else TimeZone.WIB


def case_of(context: RequestContext, complaint: Document) -> Case:
    """What the state machine's guards look at."""
    links, follow_ups, clocks = complaint["forwardings"], complaint["followUps"], complaint["clocks"]
    held_since = links[-1]["at"] if links else complaint["receivedAt"]
    waiting = [row for row in follow_ups if not row["approved"] and row["rejection"] is None]
    proposal, hold, ended = complaint["proposal"], complaint["hold"], complaint["closedAt"]
    calendar = context.calendar(zone_of(complaint))
    today = calendar.to_local_day(context.now)
    return Case(
        status=ComplaintStatus(complaint["status"]),
        grade=None if complaint["grade"] is None else SupervisionGrade(complaint["grade"]),
        hand_overs=sum(link["action"] != ComplaintAction.RETURN for link in links),
        information_requests=complaint["informationRequests"],
        has_substantive_follow_up=any(is_substantive(row) and row["at"] >= held_since for row in follow_ups),
        drafts=len(waiting),
        others_drafts=sum(not policy.is_author(context.viewer, row) for row in waiting),
        holds=len(complaint["holds"]),
        hold_is_over=hold is not None and today > date.fromisoformat(hold["reviewOn"]),
        is_proposed=proposal is not None,
        is_own_proposal=proposal is not None and policy.is_author(context.viewer, proposal),
        reply_is_overdue=any(_is_unanswered(clock, context.now) for clock in clocks),
        is_breached=any(clock["kind"] in sla.AGENCY_KINDS and sla.is_breached(clock, context.now) for clock in clocks),
        escalation_level=complaint["escalationLevel"],
        days_since_receipt=(today - calendar.to_local_day(complaint["receivedAt"])).days,
        days_since_end=0 if ended is None else (today - calendar.to_local_day(ended)).days,
        reopenings=complaint["reopenings"],
        followers=len(complaint["followers"]),
    )


def _is_unanswered(clock: ClockDoc, now: datetime) -> bool:
    return clock["kind"] == ClockKind.REPORTER_REPLY and sla.is_running(clock) and sla.is_breached(clock, now)


def is_substantive(follow_up: Mapping[str, Any]) -> bool:
    """Whether the reporter could read in it what is being done: what the follow-up clock waits for."""
    return (
        follow_up["kind"] in (FollowUpKind.CLARIFY, FollowUpKind.PROGRESS, FollowUpKind.FINAL)
        and follow_up["approved"]
        and follow_up["visibility"] != Visibility.INTERNAL
    )
