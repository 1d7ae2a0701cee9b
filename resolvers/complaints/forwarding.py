"""Hand-overs between agencies: forward, return, and the links of the chain of custody."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from resolvers import policy
from resolvers.agencies import reference
from resolvers.complaints.follow_up import UNASSIGNED
from resolvers.complaints.transition import act, known
from resolvers.documents import DESK
from resolvers.domain import custody_chain, routing
from resolvers.domain.lifecycle import Actor, Transition
from resolvers.domain.routing import RuleId
from resolvers.domain.vocabulary import ComplaintAction, ComplaintStatus, ReturnReason, Role
from resolvers.errors import InvalidInput, NotAllowed
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document


class By(NamedTuple):
    """Who hands over, and when."""

    role: Role
    subject: str | None
    at: datetime


def link(
    links: Sequence[Mapping[str, Any]],
    by: By,
    *,
    from_: str,
    to: str,
    action: ComplaintAction,
    reason: ReturnReason | None = None,
    suggested: str | None = None,
    note: str | None = None,
    rule: RuleId | None = None,
) -> Document:
    """The next link of the chain of custody; `rule` is the routing rule that decided, where no person did."""
    salt = "" if note is None else secrets.token_hex(16)
    made: Document = {
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
    }
    return made | {"hash": custody_chain.hash_link(made)}


def handed_over(
    context: RequestContext, complaint: Document, holder: Document, action: ComplaintAction, **why: Any
) -> Document:
    """The keys that a hand-over sets: the new holder, nobody assigned, and one more link of the chain."""
    links = complaint["forwardings"]
    by = By(context.viewer.role, context.viewer.subject, context.now)
    made = link(links, by, from_=complaint["holder"], to=holder["_id"], action=action, **why)
    return {**reference.make_holder_keys(holder, complaint["holders"]), **UNASSIGNED, "forwardings": [*links, made]}


def check_conflict(complaint: Mapping[str, Any], to: str, supporting: Sequence[str], *, field: str) -> None:
    """An agency that returned it because it is complained of itself never holds it alone again."""
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
) -> Document:
    """Hands over to the agency, or to the province that stands in for one that is not connected."""
    holder = await reference.find_holding_agency(context, to, "to")
    noted = text.clean_optional(note, "note")
    zone = await reference.find_zone(context, holder)

    def change(complaint: Document, transition: Transition) -> Document:
        if complaint["status"] == ComplaintStatus.ROUTED and complaint["holder"] == holder["_id"]:
            raise InvalidInput(f"{holder['_id']} holds it already.", field=("input", "to"))
        actors = policy.actors(context.viewer, complaint, context.proven)
        within = context.viewer.agency in (holder["_id"], holder["province"])
        if Actor.NATIONAL_ADMIN not in actors and not within:
            raise NotAllowed(
                f"{holder['_id']} lies outside your province: return it to the national desk's attention.",
                field=("input", "to"),
            )
        check_conflict(complaint, holder["_id"], complaint["supporting"], field="to")
        return handed_over(context, complaint, holder, ComplaintAction.FORWARD, note=noted)

    return await act(context, attempt, complaint_id, ComplaintAction.FORWARD, change, zone=zone)


async def give_back(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    *,
    reason: ReturnReason,
    suggested: str | None,
    note: str,
) -> Document:
    """Returns it: to the regency's or city's province, else to the national desk; the total clock runs on."""
    noted = text.clean_required(note, "note")
    proposed = None if suggested is None else await reference.require_agency(context, suggested, "suggested")
    complaint = await known(context, complaint_id)
    province = None if complaint is None else complaint["holderProvince"]
    receiver = await reference.require_agency(context, province or DESK)
    zone = await reference.find_zone(context, receiver)

    def change(complaint: Document, transition: Transition) -> Document:
        suggestion = None if proposed is None else proposed["_id"]
        return handed_over(
            context,
            complaint,
            receiver,
            ComplaintAction.RETURN,
            reason=reason,
            suggested=suggestion,
            note=noted,
        )

    return await act(context, attempt, complaint_id, ComplaintAction.RETURN, change, zone=zone)
