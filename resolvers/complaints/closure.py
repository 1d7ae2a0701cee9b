"""Closing without a remedy: the holder proposes it with a ground and an alternative, the coordinator consents."""

from resolvers.complaints.follow_up import UNABLE, append_follow_up, build_closure
from resolvers.complaints.transition import act
from resolvers.documents import Changes, ClosureProposalDoc, ComplaintDoc, apply_changes
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import (
    ClosureCode,
    ComplaintAction,
    FollowUpKind,
    UnlistedAction,
    Visibility,
)
from resolvers.errors import InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt

MAX_GROUND = 2000


async def propose(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, code: ClosureCode, ground: str, alternative: str
) -> ComplaintDoc:
    """Store a proposal, which waits until the coordinator consents to it or sends it back with a reason."""
    if code not in UNABLE:
        raise InvalidInput(f"{code} is an answer: write it as a FINAL follow-up.", field=("input", "code"))
    proposal: ClosureProposalDoc = {
        "code": code,
        "ground": text.clean_required(ground, "ground", at_most=MAX_GROUND),
        "alternative": text.clean_required(alternative, "alternative", at_most=MAX_GROUND),
        "byAgency": context.viewer.agency,
        "byRole": context.viewer.role,
        "bySubject": context.viewer.subject,
        "at": context.now,
    }

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        return {"proposal": proposal}

    return await act(context, attempt, complaint_id, ComplaintAction.PROPOSE_CLOSURE, change)


async def consent(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, consents: bool, reason: str | None
) -> ComplaintDoc:
    """Close the complaint with the proposal as the answer, or remove the proposal, which needs a reason."""
    written = text.clean_optional(reason, "reason") if consents else text.clean_required(reason or "", "reason")

    def close(complaint: ComplaintDoc, transition: Transition) -> Changes:
        proposal = complaint["proposal"]
        assert proposal is not None  # noqa: S101 - the table allows this action only on a complaint with a proposal
        words = f"{proposal['ground']}\n\n{proposal['alternative']}"
        answer = append_follow_up(
            context,
            complaint,
            FollowUpKind.FINAL,
            words,
            Visibility.REPORTER,
            approved=True,
            closureCode=proposal["code"],
            # The answer is its proposer's, not the coordinator's who consents now.
            byAgency=proposal["byAgency"],
            byRole=proposal["byRole"],
            bySubject=proposal["bySubject"],
        )
        answered = apply_changes(complaint, answer)
        return {
            **answer,
            **(append_follow_up(context, answered, FollowUpKind.NOTE, written, Visibility.INTERNAL) if written else {}),
            "proposal": None,
            "firstFollowUpAt": complaint["firstFollowUpAt"] or context.now,
            "closure": build_closure(
                context,
                code=ClosureCode(proposal["code"]),
                ground=proposal["ground"],
                alternative=proposal["alternative"],
            ),
        }

    def refuse(complaint: ComplaintDoc, transition: Transition) -> Changes:
        noted = append_follow_up(context, complaint, FollowUpKind.NOTE, written or "", Visibility.INTERNAL)
        return {**noted, "proposal": None}

    if consents:
        return await act(context, attempt, complaint_id, ComplaintAction.CONSENT_TO_CLOSURE, close)
    return await act(context, attempt, complaint_id, UnlistedAction.REFUSE_CLOSURE, refuse)
