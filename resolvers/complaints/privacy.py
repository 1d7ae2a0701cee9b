"""Anonymity and confidentiality: tightened by whoever handles a complaint, loosened by its reporter or the desk."""

from typing import Final

from resolvers import policy
from resolvers.complaints.transition import act
from resolvers.domain.guards import LOOSENERS
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction
from resolvers.errors import InvalidInput, NotAllowed
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document

KEPT_CHANGES: Final = 50


async def set_privacy(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    *,
    anonymous: bool | None,
    confidential: bool | None,
    reason: str,
    secret: str | None,
) -> Document:
    """What is None stays. Who changed what, when and why is kept with the complaint."""
    written = text.clean_required(reason, "reason", at_most=1000)
    if anonymous is None and confidential is None:
        raise InvalidInput("Neither anonymous nor confidential is given: name what to change.", field=("input",))

    def change(complaint: Document, transition: Transition) -> Document:
        wanted = {"anonymous": anonymous, "confidential": confidential}
        flags = {key: complaint[key] if value is None else value for key, value in wanted.items()}
        loosened = [key for key, value in flags.items() if complaint[key] and not value]
        if loosened and LOOSENERS.isdisjoint(policy.actors(context.viewer, complaint, context.proven)):
            raise NotAllowed(
                "Only its reporter and the national desk take protection away.", field=("input", loosened[0])
            )
        viewer = context.viewer
        made = {**flags, "reason": written, "byRole": viewer.role, "bySubject": viewer.subject, "at": context.now}
        return {**flags, "privacyChanges": [*complaint["privacyChanges"][-KEPT_CHANGES + 1 :], made]}

    return await act(context, attempt, complaint_id, ComplaintAction.SET_PRIVACY, change, secret=secret)
