"""The reporter's reply to the answer: confirm it, or dispute it."""

from resolvers.complaints.follow_up import append_follow_up
from resolvers.complaints.transition import act
from resolvers.documents import Changes, ComplaintDoc, RatingDoc
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, Visibility
from resolvers.errors import InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt


async def confirm(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, stars: int, comment: str | None, secret: str | None
) -> ComplaintDoc:
    """Accept the answer, with a rating; the complaint is closed."""
    rating = _build_rating(context, stars, text.clean_optional(comment, "comment"))

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        return {"rating": rating}

    return await act(context, attempt, complaint_id, ComplaintAction.CONFIRM, change, secret=secret)


async def dispute(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, stars: int | None, secret: str | None
) -> ComplaintDoc:
    """Continue the work: the answer no longer closes the complaint."""
    words = text.clean_required(reason, "reason")
    rating = None if stars is None else _build_rating(context, stars, None)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        replied = append_follow_up(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER)
        return {**replied, "closure": None, "rating": rating or complaint["rating"]}

    return await act(context, attempt, complaint_id, ComplaintAction.DISPUTE, change, secret=secret)


def _build_rating(context: RequestContext, stars: int, comment: str | None) -> RatingDoc:
    if not 1 <= stars <= 5:
        raise InvalidInput(f"stars: {stars} is not between 1 and 5.", field=("input", "stars"))
    return {"stars": stars, "comment": comment, "at": context.now}
