"""Holds [ditunda]: work that waits for something, to a day of review; the reporter's total clock runs on."""

from datetime import date

from resolvers.complaints.transition import act, policy_of, zone_of
from resolvers.domain.lifecycle import Transition
from resolvers.domain.vocabulary import ComplaintAction
from resolvers.errors import InvalidInput, LimitReached
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document


async def hold(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, review_on: str
) -> Document:
    written = text.clean_required(reason, "reason", at_most=1000)
    review = date.fromisoformat(review_on)

    def change(complaint: Document, transition: Transition) -> Document:
        _check_length(context, complaint, review)
        held = {"start": context.now, "end": None}
        return {"hold": {"reason": written, "reviewOn": review_on}, "holds": [*complaint["holds"], held]}

    return await act(context, attempt, complaint_id, ComplaintAction.HOLD, change)


def _check_length(context: RequestContext, complaint: Document, review: date) -> None:
    calendar, limits = context.calendar(zone_of(complaint)), policy_of(context, complaint).limits
    planned = (review - calendar.to_local_day(context.now)).days
    field = ("input", "reviewOn")
    if not 1 <= planned <= limits.hold_days:
        raise InvalidInput(f"reviewOn {review} is not within the next {limits.hold_days} days.", field=field)
    held = sum(
        (calendar.to_local_day(past["end"]) - calendar.to_local_day(past["start"])).days for past in complaint["holds"]
    )
    if held + planned > limits.hold_days_in_all:
        raise LimitReached(
            f"It was on hold for {held} days: {planned} more are above {limits.hold_days_in_all} in all.", field=field
        )


async def resume(context: RequestContext, attempt: Attempt, complaint_id: str) -> Document:
    """By its holder at any time, by the system after the day of review."""
    return await act(context, attempt, complaint_id, ComplaintAction.RESUME, lambda complaint, transition: {})
