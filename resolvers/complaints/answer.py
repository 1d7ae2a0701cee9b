"""The reporter's word on the answer: confirm it, or dispute it."""

from resolvers.complaints.follow_up import appended
from resolvers.complaints.transition import act
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, Visibility
from resolvers.errors import InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document


async def confirm(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, stars: int, comment: str | None, secret: str | None
) -> Document:
    rating = _rating(context, stars, text.clean_optional(comment, "comment"))

    def change(complaint: Document, transition: Transition) -> Document:
        return {"rating": rating}

    return await act(context, attempt, complaint_id, ComplaintAction.CONFIRM, change, secret=secret)


async def dispute(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, stars: int | None, secret: str | None
) -> Document:
    """Work goes on: the answer no longer counts as the end."""
    words = text.clean_required(reason, "reason")
    rating = None if stars is None else _rating(context, stars, None)

    def change(complaint: Document, transition: Transition) -> Document:
        replied = appended(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER)
        return {**replied, "closure": None, "rating": rating or complaint["rating"]}

    return await act(context, attempt, complaint_id, ComplaintAction.DISPUTE, change, secret=secret)


def _rating(context: RequestContext, stars: int, comment: str | None) -> Document:
    if not 1 <= stars <= 5:
        raise InvalidInput(f"stars: {stars} is not between 1 and 5.", field=("input", "stars"))
    return {"stars": stars, "comment": comment, "at": context.now}
