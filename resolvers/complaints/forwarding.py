"""Hands complaints over between agencies: forward and return, each with a link of the chain of custody."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from resolvers import policy
from resolvers.agencies import reference
from resolvers.complaints.follow_up import UNASSIGNED
from resolvers.complaints.transition import act, find_known
from resolvers.documents import DESK, AgencyDoc, Changes, ComplaintDoc, ForwardingDoc
from resolvers.domain import custody_chain, routing
from resolvers.domain.lifecycle import Actor, Transition
from resolvers.domain.routing import RuleId
from resolvers.domain.vocabulary import ComplaintAction, ComplaintStatus, ReturnReason, Role
from resolvers.errors import InvalidInput, NotAllowed
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt


class HandOverAuthor(NamedTuple):
    """Who hands the complaint over, and when."""

    role: Role
    subject: str | None
    at: datetime


def build_link(
    links: Sequence[ForwardingDoc],
    by: HandOverAuthor,
    *,
    from_: str,
    to: str,
    action: ComplaintAction,
    reason: ReturnReason | None = None,
    suggested: str | None = None,
    note: str | None = None,
    rule: RuleId | None = None,
) -> ForwardingDoc:
    """Return the next link of the chain of custody; `rule` is the routing rule that decided in place of a person."""
    salt = "" if note is None else secrets.token_hex(16)
    next_link: ForwardingDoc = {
        "sequence": len(links) + 1,
        "from": from_,
        "to": to,
        "action": action,
        "reason": reason,
        "suggested": suggested,
        "note": note,
        "noteSalt": salt,
        "noteDigest": custody_chain.hash_note(note, salt),
        "ruleId": rule,
        "ruleVersion": None if rule is None else routing.VERSION,
        "byRole": by.role,
        "bySubject": by.subject,
        "at": by.at,
        "previousHash": links[-1]["hash"] if links else None,
        "hash": "",
    }
    next_link["hash"] = custody_chain.hash_link(next_link)
    return next_link


def hand_over(
    context: RequestContext, complaint: ComplaintDoc, holder: AgencyDoc, action: ComplaintAction, **why: Any
) -> Changes:
    """Return the keys that a hand-over sets: the new holder, no assignment, one more link. `why` goes to the link."""
    links = complaint["forwardings"]
    by = HandOverAuthor(context.viewer.role, context.viewer.subject, context.now)
    next_link = build_link(links, by, from_=complaint["holder"], to=holder["_id"], action=action, **why)
    return {
        **reference.make_holder_keys(holder, complaint["holders"]),
        **UNASSIGNED,
        "forwardings": [*links, next_link],
    }


def check_conflict(complaint: ComplaintDoc, to: str, supporting: Sequence[str], *, field: str) -> None:
    """Raises NotAllowed if `to` would hold alone a complaint that it returned because it is about `to` itself."""
    if not set(supporting) <= {to}:
        return
    if any(
        link["from"] == to and link["reason"] == ReturnReason.CONFLICT_OF_INTEREST for link in complaint["forwardings"]
    ):
        raise NotAllowed(
            f"{to} returned it for a conflict of interest: it goes to its superior, or to it with another in support.",
            field=("input", field),
        )


async def forward(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, to: str, note: str | None
) -> ComplaintDoc:
    """Hand the complaint over to the agency, or to its province if the agency is not connected."""
    holder = await reference.find_holding_agency(context, to, "to")
    noted = text.clean_optional(note, "note")
    zone = await reference.find_zone(context, holder)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        if complaint["status"] == ComplaintStatus.ROUTED and complaint["holder"] == holder["_id"]:
            raise InvalidInput(f"{holder['_id']} holds it already.", field=("input", "to"))
        actors = policy.find_actors(context.viewer, complaint, context.proven)
        is_in_province = context.viewer.agency in (holder["_id"], holder["province"])
        if Actor.NATIONAL_ADMIN not in actors and not is_in_province:
            raise NotAllowed(
                f"{holder['_id']} lies outside your province: return it to the national desk's attention.",
                field=("input", "to"),
            )
        check_conflict(complaint, holder["_id"], complaint["supporting"], field="to")
        return hand_over(context, complaint, holder, ComplaintAction.FORWARD, note=noted)

    return await act(context, attempt, complaint_id, ComplaintAction.FORWARD, change, zone=zone)


async def give_back(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    *,
    reason: ReturnReason,
    suggested: str | None,
    note: str,
) -> ComplaintDoc:
    """Return the complaint to the province of the regency or city, else to the national desk. TOTAL runs on."""
    noted = text.clean_required(note, "note")
    proposed = None if suggested is None else await reference.require_agency(context, suggested, "suggested")
    complaint = await find_known(context, complaint_id)
    province = None if complaint is None else complaint["holderProvince"]
    receiver = await reference.require_agency(context, province or DESK)
    zone = await reference.find_zone(context, receiver)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        suggestion = None if proposed is None else proposed["_id"]
        return hand_over(
            context,
            complaint,
            receiver,
            ComplaintAction.RETURN,
            reason=reason,
            suggested=suggestion,
            note=noted,
        )

    return await act(context, attempt, complaint_id, ComplaintAction.RETURN, change, zone=zone)
