"""Sets anonymity and confidentiality: every handler may protect more, only the reporter and the desk less."""

from typing import Final

from resolvers import policy
from resolvers.complaints.transition import act
from resolvers.documents import Changes, ComplaintDoc, PrivacyChangeDoc
from resolvers.domain.guards import LOOSENERS
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction
from resolvers.errors import InvalidInput, NotAllowed
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt

KEPT_CHANGES: Final = 50
"""How many privacy changes a complaint keeps."""


async def set_privacy(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    *,
    anonymous: bool | None,
    confidential: bool | None,
    reason: str,
    secret: str | None,
) -> ComplaintDoc:
    """Set the flags that are not None. The complaint keeps who changed them, when and why."""
    written = text.clean_required(reason, "reason", at_most=1000)
    if anonymous is None and confidential is None:
        raise InvalidInput("Neither anonymous nor confidential is given: name what to change.", field=("input",))

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        flags = {
            "anonymous": complaint["anonymous"] if anonymous is None else anonymous,
            "confidential": complaint["confidential"] if confidential is None else confidential,
        }
        loosened = [key for key, value in flags.items() if complaint.get(key) and not value]
        if loosened and LOOSENERS.isdisjoint(policy.find_actors(context.viewer, complaint, context.proven)):
            raise NotAllowed(
                "Only its reporter and the national desk may take protection away.", field=("input", loosened[0])
            )
        viewer = context.viewer
        privacy_change: PrivacyChangeDoc = {
            "anonymous": flags["anonymous"],
            "confidential": flags["confidential"],
            "reason": written,
            "byRole": viewer.role,
            "bySubject": viewer.subject,
            "at": context.now,
        }
        return {**flags, "privacyChanges": [*complaint["privacyChanges"][-KEPT_CHANGES + 1 :], privacy_change]}

    return await act(context, attempt, complaint_id, ComplaintAction.SET_PRIVACY, change, secret=secret)
