"""Closing without a remedy: the holder proposes with a ground and an alternative, the coordinator consents."""

from typing import Any

from resolvers.complaints.follow_up import UNABLE, appended, closed_by
from resolvers.complaints.transition import act
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
from resolvers.store.database import Document

MAX_GROUND = 2000


async def propose(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, code: ClosureCode, ground: str, alternative: str
) -> Document:
    """Nothing ends yet: a proposal stands until the coordinator consents to it, or sends it back with a reason."""
    if code not in UNABLE:
        raise InvalidInput(f"{code} is an answer: write it as a FINAL follow-up.", field=("input", "code"))
    proposal = {
        "code": code,
        "ground": text.clean_required(ground, "ground", at_most=MAX_GROUND),
        "alternative": text.clean_required(alternative, "alternative", at_most=MAX_GROUND),
        "byAgency": context.viewer.agency,
        "byRole": context.viewer.role,
        "bySubject": context.viewer.subject,
        "at": context.now,
    }

    def change(complaint: Document, transition: Transition) -> Document:
        return {"proposal": proposal}

    return await act(context, attempt, complaint_id, ComplaintAction.PROPOSE_CLOSURE, change)


async def consent(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, consents: bool, reason: str | None
) -> Document:
    """Ends it with the proposer's words as the answer to the reporter; a refusal needs a reason and removes them."""
    written = text.clean_optional(reason, "reason") if consents else text.clean_required(reason or "", "reason")

    def closed(complaint: Document, transition: Transition) -> Document:
        proposal = complaint["proposal"]
        words = f"{proposal['ground']}\n\n{proposal['alternative']}"
        by: dict[str, Any] = {key: proposal[key] for key in ("byAgency", "byRole", "bySubject")}
        told = appended(
            context,
            complaint,
            FollowUpKind.FINAL,
            words,
            Visibility.REPORTER,
            approved=True,
            closureCode=proposal["code"],
            **by,
        )
        noted = {**complaint, **told}
        return {
            **told,
            **(appended(context, noted, FollowUpKind.NOTE, written, Visibility.INTERNAL) if written else {}),
            "proposal": None,
            "firstFollowUpAt": complaint["firstFollowUpAt"] or context.now,
            "closure": closed_by(
                context,
                code=ClosureCode(proposal["code"]),
                ground=proposal["ground"],
                alternative=proposal["alternative"],
            ),
        }

    def refused(complaint: Document, transition: Transition) -> Document:
        noted = appended(context, complaint, FollowUpKind.NOTE, written or "", Visibility.INTERNAL)
        return {**noted, "proposal": None}

    if consents:
        return await act(context, attempt, complaint_id, ComplaintAction.CONSENT_TO_CLOSURE, closed)
    return await act(context, attempt, complaint_id, UnlistedAction.REFUSE_CLOSURE, refused)
