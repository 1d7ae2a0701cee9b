"""Follow-ups: an agency's posts on a complaint, and the approval of its final answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import team as teams
from resolvers.complaints.transition import act, find_known, is_substantive
from resolvers.documents import (
    AssignmentDoc,
    Changes,
    ClosureDoc,
    CommitmentDoc,
    ComplaintDoc,
    FollowUpDoc,
    apply_changes,
)
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ArchiveReason, ClosureCode, ComplaintAction, FollowUpKind, Visibility
from resolvers.errors import InvalidInput, LimitReached, NotAllowed, NotFound, TeamNotActive
from resolvers.personal_data import publication, text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt

MAX_FOLLOW_UPS: Final = 300
MAX_EVIDENCE: Final = 20

UNABLE: Final = frozenset({ClosureCode.UNABLE_LEGAL, ClosureCode.UNABLE_BUDGET, ClosureCode.UNABLE_TECHNICAL})
"""The closure codes of a complaint that ends without a remedy (closure.py)."""

UNASSIGNED: Final[AssignmentDoc] = {
    "team": None,
    "unit": None,
    "assignee": None,
    "assigneeSubject": None,
    "proposal": None,
}
"""The assignment of a complaint that has a new holder or was reopened."""


def append_follow_up(
    context: RequestContext,
    complaint: ComplaintDoc,
    kind: FollowUpKind,
    body: str,
    visibility: Visibility,
    **further: Any,
) -> Changes:
    """Return the keys that add a follow-up to the complaint; `further` replaces keys of the follow-up.

    Raises LimitReached for a complaint with MAX_FOLLOW_UPS follow-ups.
    """
    follow_ups = complaint["followUps"]
    if len(follow_ups) >= MAX_FOLLOW_UPS:
        raise LimitReached(f"{complaint['_id']} has {MAX_FOLLOW_UPS} follow-ups; more are not taken.")
    follow_up: FollowUpDoc = {
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
    }
    return {"followUps": [*follow_ups, apply_changes(follow_up, further) if further else follow_up]}


def append_reason(context: RequestContext, complaint: ComplaintDoc, reason: str) -> Changes:
    """Return the keys that add the reason for an action: the reporter's as a reply, others' as an internal note."""
    if policy.is_reporter(context.viewer, complaint, context.proven):
        return append_follow_up(context, complaint, FollowUpKind.REPLY, reason, Visibility.REPORTER)
    return append_follow_up(context, complaint, FollowUpKind.NOTE, reason, Visibility.INTERNAL)


def build_closure(
    context: RequestContext,
    *,
    code: ClosureCode | None = None,
    evidence: Sequence[str] = (),
    archive_reason: ArchiveReason | None = None,
    referral: str | None = None,
    ground: str | None = None,
    alternative: str | None = None,
) -> ClosureDoc:
    """Return the closure of a complaint that ends now: how and why."""
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
class FollowUpDraft:
    """A follow-up as the input gives it; a FINAL one also says how the matter ended."""

    kind: FollowUpKind
    body: str
    visibility: Visibility
    commitment: Mapping[str, Any] | None
    closure_code: ClosureCode | None
    evidence: Sequence[str]


async def add(context: RequestContext, attempt: Attempt, complaint_id: str, draft: FollowUpDraft) -> ComplaintDoc:
    """Add a follow-up, which readers see at once; a FINAL one is a draft until it is approved.

    The first substantive follow-up stops the follow-up clock.
    """
    body = text.clean_required(draft.body, "body")
    further = _validate_draft(draft)
    visibility = Visibility.INTERNAL if draft.kind is FollowUpKind.NOTE else draft.visibility

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        if visibility is Visibility.PUBLIC:
            _check_publishable(complaint, body, further["commitment"])
        changes = append_follow_up(context, complaint, draft.kind, body, visibility, **further)
        if is_substantive(changes["followUps"][-1]) and complaint["firstFollowUpAt"] is None:
            changes["firstFollowUpAt"] = context.now
        return changes

    return await act(context, attempt, complaint_id, ComplaintAction.FOLLOW_UP, change)


def _validate_draft(draft: FollowUpDraft) -> Changes:
    """Return the checked keys of the follow-up that only some kinds have. Raises InvalidInput."""
    if draft.kind is FollowUpKind.REPLY:
        raise InvalidInput(
            "A REPLY is written by the reporter: use supplyInformation or disputeAnswer.", field=("input", "kind")
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
    return {"commitment": _build_commitment(draft.commitment), "closureCode": draft.closure_code, "evidence": evidence}


def _check_publishable(complaint: ComplaintDoc, body: str, commitment: CommitmentDoc | None) -> None:
    """Raises InvalidInput if a public follow-up repeats personal data that is masked in the complaint."""
    public = [body] if commitment is None else [body, commitment["action"], commitment["unit"] or ""]
    kinds = publication.find_repeated_kinds(complaint, "\n".join(public))
    if kinds:
        raise InvalidInput(
            f"Everybody would read personal data of the complaint ({', '.join(kinds)}): leave it out, or choose"
            " visibility REPORTER.",
            field=("input", "body"),
        )


def _check_final(draft: FollowUpDraft) -> None:
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


def _build_commitment(commitment: Mapping[str, Any] | None) -> CommitmentDoc | None:
    if commitment is None:
        return None
    return {
        "action": text.clean_required(commitment["action"], "commitment", "action", at_most=1000),
        "unit": text.clean_optional(commitment.get("unit"), "commitment", "unit", at_most=text.MAX_NAME),
        "dueOn": commitment.get("dueOn"),
    }


async def approve(context: RequestContext, attempt: Attempt, complaint_id: str, follow_up_id: str) -> ComplaintDoc:
    """Publish the draft as the answer. Raises NotAllowed for its author, TeamNotActive without a working team."""
    known = await find_known(context, complaint_id)
    team = None if known is None or known["team"] is None else await teams.by_id(context, known["team"])
    refusal = await teams.find_refusal(context)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        draft = _find_draft(complaint, follow_up_id)
        if refusal is not None:
            raise refusal
        if policy.is_author(context.viewer, draft):
            raise NotAllowed("You cannot approve your own draft: another admin of the agency can.")
        if team is None or team["_id"] != complaint["team"] or not teams.may_work(context, team):
            raise TeamNotActive(f"The team {complaint['team']} is not active: its decree's term is over.")
        code = draft["closureCode"]
        assert code is not None  # noqa: S101 - `_check_final` lets no FINAL follow-up pass without one
        return {
            "followUps": _replace_follow_up(complaint, draft, approved=True, at=context.now),
            "firstFollowUpAt": complaint["firstFollowUpAt"] or context.now,
            "closure": build_closure(context, code=ClosureCode(code), evidence=draft["evidence"]),
            "proposal": None,
        }

    return await act(context, attempt, complaint_id, ComplaintAction.APPROVE, change)


async def reject(
    context: RequestContext, attempt: Attempt, complaint_id: str, follow_up_id: str, *, reason: str
) -> ComplaintDoc:
    """Send the draft back with a reason. It stays in the list; its author writes a new one."""
    written = text.clean_required(reason, "reason")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        draft = _find_draft(complaint, follow_up_id)
        rejected = apply_changes(complaint, {"followUps": _replace_follow_up(complaint, draft, rejection=written)})
        return append_follow_up(context, rejected, FollowUpKind.NOTE, written, Visibility.INTERNAL)

    return await act(context, attempt, complaint_id, ComplaintAction.REJECT, change)


def _find_draft(complaint: ComplaintDoc, follow_up_id: str) -> FollowUpDoc:
    draft = next((row for row in complaint["followUps"] if row["id"] == follow_up_id), None)
    if draft is None or draft["approved"] or draft["rejection"] is not None:
        raise NotFound(f"{follow_up_id} is not a draft that waits for approval.", field=("input", "followUp"))
    return draft


def _replace_follow_up(complaint: ComplaintDoc, draft: FollowUpDoc, **changes: Any) -> list[FollowUpDoc]:
    return [apply_changes(row, changes) if row is draft else row for row in complaint["followUps"]]
