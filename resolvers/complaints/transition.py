"""One action on one complaint: who may perform it, from which status, and its effect on clocks, holder and readers."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.documents import Changes, ComplaintDoc, FollowUpDoc, apply_changes
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
from resolvers.request.update import Attempt, CompanionWrite, update_complaint
from resolvers.store.database import NEVER

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
"""The keys of a complaint that decide which actions are allowed."""

_REFUSALS: Final[dict[str, type[Refused]]] = {
    refused.code: refused for refused in (InvalidInput, LimitReached, NotAllowed, WrongStatus)
}

ActionEffect = Callable[[ComplaintDoc, Transition], Changes]
"""Takes the complaint before an action and the row of the table; returns the keys that the action itself sets."""


def derive_secret(context: RequestContext, complaint_id: str) -> str:
    """Return the secret that opens a complaint. It is derived, so a repeated submission returns the same one."""
    return hmac.digest(context.secret_key, b"complaint\0" + complaint_id.encode(), hashlib.sha256).hex()[:32]


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def prove_reporter(context: RequestContext, complaint: ComplaintDoc, secret: str | None) -> None:
    """Make the caller this complaint's reporter for the rest of the request, if the secret is the complaint's."""
    if secret is not None and hmac.compare_digest(hash_secret(secret), complaint["secretHash"]):
        context.proven.add(complaint["_id"])


async def find_known(
    context: RequestContext, complaint_id: str, keys: frozenset[str] | None = None
) -> ComplaintDoc | None:
    """Return the complaint; None where it does not exist or the viewer may not know that it does.

    The two cases look the same to the client and take the same time from here on.
    """
    complaint = await context.loaders.complaint.load(complaint_id, keys)
    return complaint if complaint is not None and policy.may_know(context.viewer, complaint, context.proven) else None


def list_allowed_actions(context: RequestContext, complaint: ComplaintDoc) -> tuple[ComplaintAction, ...]:
    actors = policy.find_actors(context.viewer, complaint, context.proven)
    return lifecycle.list_allowed_actions(
        build_case(context, complaint), actors, find_policy(context, complaint).limits
    )


async def act(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    action: ComplaintAction | UnlistedAction,
    change: ActionEffect,
    *,
    zone: TimeZone | None = None,
    secret: str | None = None,
    companion: CompanionWrite[ComplaintDoc] | None = None,
) -> ComplaintDoc:
    """Perform `action` and return the complaint after it.

    `change` gives the keys that the action itself sets; `complete_changes` adds those that follow. `zone` is the time
    zone of the new holder, where the action changes the holder. `companion` writes other documents in one transaction
    with the complaint.

    Raises NotFound where the viewer may not know of the complaint, and the refusals of the table, of `change` and of
    the expected revision.
    """

    def is_visible(complaint: ComplaintDoc) -> bool:
        prove_reporter(context, complaint, secret)
        return policy.may_know(context.viewer, complaint, context.proven)

    def decide(complaint: ComplaintDoc) -> Changes:
        actors = policy.find_actors(context.viewer, complaint, context.proven)
        limits = find_policy(context, complaint).limits
        transition = lifecycle.decide(action, build_case(context, complaint), actors, limits)
        if isinstance(transition, Denial):
            current = complaint if transition.code == WrongStatus.code else None
            raise _REFUSALS[transition.code](transition.message, document=current)
        changes = change(complaint, transition)
        return changes | complete_changes(context, complaint, changes, transition, zone)

    return await update_complaint(
        context,
        complaint_id,
        attempt,
        is_visible=is_visible,
        change=decide,
        record=audit_trail.AuditRecord(context, action),
        companion=companion,
    )


def complete_changes(
    context: RequestContext,
    before: ComplaintDoc,
    changes: Changes,
    transition: Transition,
    zone: TimeZone | None = None,
) -> Changes:
    """Return the keys that every action sets in addition to its own `changes`: status, clocks, instants, readers."""
    complaint = apply_changes(before, changes)
    clocks = _apply_clock_effects(context, before, complaint, transition, zone or find_zone(before))
    derived: Changes = {"status": transition.target, "clocks": clocks, "updatedAt": context.now}
    derived["nextDueAt"] = sla.find_next_due(clocks) or NEVER
    if transition.target in lifecycle.OPEN:
        derived["closedAt"] = None
    elif before["closedAt"] is None:
        derived["closedAt"] = context.now
    if before["status"] == ComplaintStatus.ON_HOLD and transition.target is not ComplaintStatus.ON_HOLD:
        *past, last = before["holds"]
        derived |= {"hold": None, "holds": [*past, {**last, "end": context.now}]}
    after = apply_changes(complaint, derived)
    # The system's next step is computed only where a key that it depends on has changed: it reads calendars.
    if any(after.get(key) != before.get(key) for key in upkeep.KEYS):
        derived["wakeAt"] = compute_wake_at(context, after)
    readers = policy.compute_readers(after)
    words = search_words.renew_marks(complaint["words"], published=policy.is_public(readers))
    return derived | {"readers": readers, "words": words}


def compute_wake_at(context: RequestContext, complaint: ComplaintDoc) -> datetime:
    """Return the instant of the system's next step on the complaint; NEVER where it has none to take."""
    due = upkeep.find_next_step(complaint, find_policy(context, complaint), context.calendar)
    return NEVER if due is None else due.at


def _apply_clock_effects(
    context: RequestContext, before: ComplaintDoc, after: ComplaintDoc, transition: Transition, zone: TimeZone
) -> list[ClockDoc]:
    """Return the clocks after the transition.

    After a change of class or grade, RESOLUTION counts from the day of receipt. After a change of holder it counts the
    new holder's working days, unless the service policy keeps the first due time.
    """
    service = find_policy(context, before)
    grade = None if after["grade"] is None else SupervisionGrade(after["grade"])
    is_reclassified = after["class"] != before["class"] or before["grade"] not in (None, after["grade"])
    clocks = sla.apply_effects(
        before["clocks"],
        (*transition.clocks, *_stop_follow_up_clock(before, after)),
        now=context.now,
        zone=zone,
        calendars=context.calendar,
        policy=service,
        grade=grade,
        resolution_since=before["receivedAt"] if is_reclassified else None,
    )
    if service.resolution_keeps_first_due or after["holder"] == before["holder"]:
        return clocks
    calendar = context.calendar(zone)
    return [
        sla.recount_clock(clock, calendar, service, grade)
        if clock["kind"] == ClockKind.RESOLUTION and clock["stoppedAt"] is None
        else clock
        for clock in clocks
    ]


def _stop_follow_up_clock(before: ComplaintDoc, after: ComplaintDoc) -> tuple[ClockEffect, ...]:
    """Return the effect that stops the follow-up clock, if the agency added a substantive follow-up."""
    added = after["followUps"][len(before["followUps"]) :]
    is_answered = any(is_substantive(row) and row["byAgency"] is not None for row in added)
    return (ClockEffect(Effect.STOP, ClockKind.FOLLOW_UP),) if is_answered else ()


def find_policy(context: RequestContext, complaint: ComplaintDoc) -> ServicePolicy:
    """Return the version of the service policy under which the complaint was received."""
    return context.policies.by_version(complaint["policyVersion"])


def find_zone(complaint: ComplaintDoc) -> TimeZone:
    """Return the holder's time zone: that of the clock which was started last."""
    return TimeZone(complaint["clocks"][-1]["zone"]) if complaint["clocks"] else TimeZone.WIB


def build_case(context: RequestContext, complaint: ComplaintDoc) -> Case:
    """Return what the guards of the state machine look at (domain/guards.py)."""
    links, follow_ups, clocks = complaint["forwardings"], complaint["followUps"], complaint["clocks"]
    held_since = links[-1]["at"] if links else complaint["receivedAt"]
    drafts = [row for row in follow_ups if not row["approved"] and row["rejection"] is None]
    proposal, hold, ended = complaint["proposal"], complaint["hold"], complaint["closedAt"]
    calendar = context.calendar(find_zone(complaint))
    today = calendar.to_local_day(context.now)
    return Case(
        status=ComplaintStatus(complaint["status"]),
        grade=None if complaint["grade"] is None else SupervisionGrade(complaint["grade"]),
        hand_overs=sum(link["action"] != ComplaintAction.RETURN for link in links),
        information_requests=complaint["informationRequests"],
        has_substantive_follow_up=any(is_substantive(row) and row["at"] >= held_since for row in follow_ups),
        drafts=len(drafts),
        others_drafts=sum(not policy.is_author(context.viewer, row) for row in drafts),
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


def is_substantive(follow_up: FollowUpDoc) -> bool:
    """Whether the follow-up tells the reporter what is being done, which is what the follow-up clock waits for."""
    return (
        follow_up["kind"] in (FollowUpKind.CLARIFY, FollowUpKind.PROGRESS, FollowUpKind.FINAL)
        and follow_up["approved"]
        and follow_up["visibility"] != Visibility.INTERNAL
    )
