"""Holds [ditunda]: work waits until a day of review, while the TOTAL clock, which the reporter sees, runs on."""

from datetime import date

from resolvers.complaints.transition import act, find_policy, find_zone
from resolvers.documents import Changes, ComplaintDoc, HoldDoc
from resolvers.domain.lifecycle import Transition
from resolvers.domain.sla import PauseDoc
from resolvers.domain.vocabulary import ComplaintAction
from resolvers.errors import InvalidInput, LimitReached
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt


async def hold(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, reason: str, review_on: str
) -> ComplaintDoc:
    """Put the complaint on hold until the day `review_on` (ISO 8601)."""
    written = text.clean_required(reason, "reason", at_most=1000)
    review = date.fromisoformat(review_on)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        _check_length(context, complaint, review)
        hold: HoldDoc = {"reason": written, "reviewOn": review_on}
        span: PauseDoc = {"start": context.now, "end": None}
        return {"hold": hold, "holds": [*complaint["holds"], span]}

    return await act(context, attempt, complaint_id, ComplaintAction.HOLD, change)


def _check_length(context: RequestContext, complaint: ComplaintDoc, review: date) -> None:
    calendar, limits = context.calendar(find_zone(complaint)), find_policy(context, complaint).limits
    planned = (review - calendar.to_local_day(context.now)).days
    field = ("input", "reviewOn")
    if not 1 <= planned <= limits.hold_days:
        raise InvalidInput(f"reviewOn {review} is not within the next {limits.hold_days} days.", field=field)
    spans = [(past["start"], past["end"]) for past in complaint["holds"]]
    past_days = sum((calendar.to_local_day(end) - calendar.to_local_day(start)).days for start, end in spans if end)
    if past_days + planned > limits.hold_days_in_all:
        raise LimitReached(
            f"It was on hold for {past_days} days: {planned} more are above {limits.hold_days_in_all} in all.",
            field=field,
        )


async def resume(context: RequestContext, attempt: Attempt, complaint_id: str) -> ComplaintDoc:
    """Continue the work: the holder at any time, the system after the day of review."""
    return await act(context, attempt, complaint_id, ComplaintAction.RESUME, lambda complaint, transition: {})
