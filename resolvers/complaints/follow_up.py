"""Follow-ups: what an agency writes, and who stands for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import team as teams
from resolvers.complaints.transition import act, is_substantive, known
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ArchiveReason, ClosureCode, ComplaintAction, FollowUpKind, Visibility
from resolvers.errors import InvalidInput, LimitReached, NotAllowed, NotFound, TeamNotActive
from resolvers.personal_data import publication, text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document

MAX_FOLLOW_UPS: Final = 300
MAX_EVIDENCE: Final = 20

UNABLE: Final = frozenset({ClosureCode.UNABLE_LEGAL, ClosureCode.UNABLE_BUDGET, ClosureCode.UNABLE_TECHNICAL})
"""How a matter ends without a remedy."""

UNASSIGNED: Final[Document] = {
    "team": None,
    "unit": None,
    "assignee": None,
    "assigneeSubject": None,
    "proposal": None,
}
"""What was arranged for the work, and is not taken over by a new holder or a reopened case."""


def appended(
    context: RequestContext,
    complaint: Document,
    kind: FollowUpKind,
    body: str,
    visibility: Visibility,
    **further: Any,
) -> Document:
    """The keys that one more follow-up sets."""
    follow_ups = complaint["followUps"]
    if len(follow_ups) >= MAX_FOLLOW_UPS:
        raise LimitReached(f"{complaint['_id']} has {MAX_FOLLOW_UPS} follow-ups; more are not taken.")
    follow_up = {
        "id": f"{complaint['_id']}/{len(follow_ups) + 1}",
        "kind": kind,
        "body": body,
        "visibility": visibility,
        "byAgency": context.viewer.agency,
        "byRole": context.viewer.role,
        "bySubject": context.viewer.subject,
        "commitment": None,
        "closureCode": None,
        "evidence": [],
        "approved": kind is not FollowUpKind.FINAL,
        "rejection": None,
        "at": context.now,
        **further,
    }
    return {"followUps": [*follow_ups, follow_up]}


def reasoned(context: RequestContext, complaint: Document, reason: str) -> Document:
    """One more follow-up: the reporter's reason as a reply, anybody else's as an internal note."""
    if policy.is_reporter(context.viewer, complaint, context.proven):
        return appended(context, complaint, FollowUpKind.REPLY, reason, Visibility.REPORTER)
    return appended(context, complaint, FollowUpKind.NOTE, reason, Visibility.INTERNAL)


def closed_by(
    context: RequestContext,
    *,
    code: ClosureCode | None = None,
    evidence: Sequence[str] = (),
    archive_reason: ArchiveReason | None = None,
    referral: str | None = None,
    ground: str | None = None,
    alternative: str | None = None,
) -> Document:
    """Why and how it ended."""
    return {
        "code": code,
        "evidence": list(evidence),
        "archiveReason": archive_reason,
        "referral": referral,
        "ground": ground,
        "alternative": alternative,
        "at": context.now,
    }


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agency adds; a FINAL one says how the matter ended."""

    kind: FollowUpKind
    body: str
    visibility: Visibility
    commitment: Mapping[str, Any] | None
    closure_code: ClosureCode | None
    evidence: Sequence[str]


async def add(context: RequestContext, attempt: Attempt, complaint_id: str, draft: Draft) -> Document:
    """Publishes it at once, a FINAL one as a draft; the first substantive word to the reporter stops the clock."""
    body = text.clean_required(draft.body, "body")
    further = _checked(draft)
    visibility = Visibility.INTERNAL if draft.kind is FollowUpKind.NOTE else draft.visibility

    def change(complaint: Document, transition: Transition) -> Document:
        if visibility is Visibility.PUBLIC:
            _check_publishable(complaint, body, further["commitment"])
        changes = appended(context, complaint, draft.kind, body, visibility, **further)
        substantive = is_substantive(changes["followUps"][-1])
        if substantive and complaint["firstFollowUpAt"] is None:
            changes["firstFollowUpAt"] = context.now
        return changes

    return await act(context, attempt, complaint_id, ComplaintAction.FOLLOW_UP, change)


def _checked(draft: Draft) -> Document:
    if draft.kind is FollowUpKind.REPLY:
        raise InvalidInput(
            "REPLY is the reporter's own word: supplyInformation and disputeAnswer write it.", field=("input", "kind")
        )
    if draft.kind is not FollowUpKind.FINAL and draft.closure_code is not None:
        raise InvalidInput("closureCode goes with kind FINAL.", field=("input", "closureCode"))
    if draft.kind is FollowUpKind.FINAL:
        _check_final(draft)
    if len(draft.evidence) > MAX_EVIDENCE:
        raise InvalidInput(
            f"evidence has {len(draft.evidence)} entries; at most {MAX_EVIDENCE} are taken.",
            field=("input", "evidence"),
        )
    evidence = [text.clean_required(entry, "evidence", at_most=500) for entry in draft.evidence]
    return {"commitment": _commitment(draft.commitment), "closureCode": draft.closure_code, "evidence": evidence}


def _check_publishable(complaint: Document, body: str, commitment: Document | None) -> None:
    """What is masked in the complaint is not published by its answer."""
    told = [body] if commitment is None else [body, commitment["action"], commitment["unit"] or ""]
    kinds = publication.find_repeated_kinds(complaint, "\n".join(told))
    if kinds:
        raise InvalidInput(
            f"Everybody would read personal data of the complaint ({', '.join(kinds)}): leave it out, or choose"
            " visibility REPORTER.",
            field=("input", "body"),
        )


def _check_final(draft: Draft) -> None:
    field = ("input", "closureCode")
    if draft.visibility is Visibility.INTERNAL:
        raise InvalidInput(
            "A FINAL follow-up answers the reporter: it cannot be INTERNAL.", field=("input", "visibility")
        )
    if draft.closure_code is None:
        raise InvalidInput("A FINAL follow-up needs a closureCode: say how the matter ended.", field=field)
    if draft.closure_code in UNABLE:
        raise InvalidInput(f"{draft.closure_code} needs the coordinator's consent: it is not an answer.", field=field)
    if draft.closure_code is ClosureCode.FIXED and not draft.evidence:
        raise InvalidInput("FIXED needs evidence: a photo's or document's reference.", field=("input", "evidence"))


def _commitment(commitment: Mapping[str, Any] | None) -> Document | None:
    if commitment is None:
        return None
    return {
        "action": text.clean_required(commitment["action"], "commitment", "action", at_most=1000),
        "unit": text.clean_optional(commitment.get("unit"), "commitment", "unit", at_most=text.MAX_NAME),
        "dueOn": commitment.get("dueOn"),
    }


async def approve(context: RequestContext, attempt: Attempt, complaint_id: str, follow_up_id: str) -> Document:
    """Publishes the draft: the complaint is answered."""
    found = await known(context, complaint_id)
    team = None if found is None or found["team"] is None else await teams.by_id(context, found["team"])
    refusal = await teams.find_refusal(context)

    def change(complaint: Document, transition: Transition) -> Document:
        draft = _draft(complaint, follow_up_id)
        if refusal is not None:
            raise refusal
        if policy.is_author(context.viewer, draft):
            raise NotAllowed("Nobody approves the own draft: another admin of the agency does.")
        if team is None or team["_id"] != complaint["team"] or not teams.may_work(context, team):
            raise TeamNotActive(f"The team {complaint['team']} is not active: its decree's term is over.")
        return {
            "followUps": _replaced(complaint, draft, approved=True, at=context.now),
            "firstFollowUpAt": complaint["firstFollowUpAt"] or context.now,
            "closure": closed_by(context, code=ClosureCode(draft["closureCode"]), evidence=draft["evidence"]),
            "proposal": None,
        }

    return await act(context, attempt, complaint_id, ComplaintAction.APPROVE, change)


async def reject(
    context: RequestContext, attempt: Attempt, complaint_id: str, follow_up_id: str, *, reason: str
) -> Document:
    """The draft stays with its reason, for its author to write a better one."""
    written = text.clean_required(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        draft = _draft(complaint, follow_up_id)
        noted = {**complaint, "followUps": _replaced(complaint, draft, rejection=written)}
        return appended(context, noted, FollowUpKind.NOTE, written, Visibility.INTERNAL)

    return await act(context, attempt, complaint_id, ComplaintAction.REJECT, change)


def _draft(complaint: Document, follow_up_id: str) -> Document:
    draft: Document | None = next((row for row in complaint["followUps"] if row["id"] == follow_up_id), None)
    if draft is None or draft["approved"] or draft["rejection"] is not None:
        raise NotFound(f"{follow_up_id} is not a draft that waits for approval.", field=("input", "followUp"))
    return draft


def _replaced(complaint: Document, draft: Document, **changes: Any) -> list[Document]:
    return [{**row, **changes} if row is draft else row for row in complaint["followUps"]]
