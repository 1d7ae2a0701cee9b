"""Restores an archived complaint or reopens a closed one; its TOTAL clock was never stopped."""

from resolvers.complaints.follow_up import UNASSIGNED, append_reason
from resolvers.complaints.transition import act
from resolvers.documents import Changes, ComplaintDoc
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt


async def restore(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, secret: str | None
) -> ComplaintDoc:
    """Bring an archived complaint back to verification; `reason` is the information that was missing."""
    written = text.clean_required(reason, "reason")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        return {**append_reason(context, complaint, written), "closure": None}

    return await act(context, attempt, complaint_id, ComplaintAction.RESTORE, change, secret=secret)


async def reopen(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, secret: str | None
) -> ComplaintDoc:
    """Give a closed complaint back to the agency that closed it; any of its liaisons may accept it."""
    written = text.clean_required(reason, "reason")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        follow_up = append_reason(context, complaint, written)
        return {**follow_up, **UNASSIGNED, "closure": None, "reopenings": complaint["reopenings"] + 1}

    return await act(context, attempt, complaint_id, ComplaintAction.REOPEN, change, secret=secret)
