"""Ways back: an archived complaint is restored, a closed one reopened; its total clock runs on."""

from resolvers.complaints.follow_up import UNASSIGNED, reasoned
from resolvers.complaints.transition import act
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document


async def restore(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, secret: str | None
) -> Document:
    """Back before verification, with the new information that the reporter gives as the reason."""
    written = text.clean_required(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        return {**reasoned(context, complaint, written), "closure": None}

    return await act(context, attempt, complaint_id, ComplaintAction.RESTORE, change, secret=secret)


async def reopen(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, secret: str | None
) -> Document:
    """Back to the agency that closed it, for any of its liaisons to take on."""
    written = text.clean_required(reason, "reason")

    def change(complaint: Document, transition: Transition) -> Document:
        told = reasoned(context, complaint, written)
        return {**told, **UNASSIGNED, "closure": None, "reopenings": complaint["reopenings"] + 1}

    return await act(context, attempt, complaint_id, ComplaintAction.REOPEN, change, secret=secret)
