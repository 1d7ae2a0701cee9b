"""The fields of a complaint for viewers outside custody, who read them masked or not at all; and derived fields."""

from typing import Any, Final

from resolvers import policy
from resolvers.documents import ClosureDoc, ClosureProposalDoc, ComplaintDoc, ForwardingDoc, LocationDoc, RatingDoc
from resolvers.domain import sla
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import TimeZone
from resolvers.paging.listing import Arguments, Cursors, Listing, encode_scope, of_rows
from resolvers.personal_data import publication
from resolvers.request.context import RequestContext
from resolvers.results import PersonalDataFindingResult

PUBLIC_COORDINATE_DECIMALS: Final = 3
"""Three decimals of a degree are about a hundred metres."""


def mask_title(complaint: ComplaintDoc) -> str:
    return complaint["redactedTitle"] or complaint["publicTitle"]


def mask_body(complaint: ComplaintDoc) -> str | None:
    return complaint["redactedBody"]


def find_personal_data(context: RequestContext, payload: dict[str, Any]) -> list[PersonalDataFindingResult]:
    """Return the personal data in the complaint of a submission's payload, by field and kind."""
    submitted: ComplaintDoc | None = payload["complaint"]
    return (
        []
        if submitted is None
        else publication.scan_texts(submitted["originalTitle"], submitted["body"]).list_findings()
    )


def mask_location(complaint: ComplaintDoc) -> LocationDoc | None:
    """Return the location without its text, its coordinates rounded; without any where the category is sensitive."""
    location = complaint["location"]
    if location is None:
        return None
    is_shown = not complaint["sensitive"]
    return {
        "text": None,
        "region": location["region"],
        "latitude": _round_coordinate(location["latitude"]) if is_shown else None,
        "longitude": _round_coordinate(location["longitude"]) if is_shown else None,
    }


def _round_coordinate(degrees: float | None) -> float | None:
    return None if degrees is None else round(degrees, PUBLIC_COORDINATE_DECIMALS)


def mask_forwardings(complaint: ComplaintDoc) -> list[ForwardingDoc]:
    """Return the links without their notes."""
    return [{**link, "note": None} for link in complaint["forwardings"]]


def list_follow_ups(context: RequestContext, complaint: ComplaintDoc, arguments: Arguments) -> Listing:
    """Return the follow-ups that the viewer may read, oldest first."""
    rows = [
        follow_up
        for follow_up in complaint["followUps"]
        if policy.may_read_follow_up(context.viewer, complaint, follow_up, context.proven)
    ]
    cursors = Cursors(context.secret_key, encode_scope("followUps", complaint["_id"]))
    return of_rows(rows, arguments, cursors, position=lambda row: [row["id"]])


def mask_rating(complaint: ComplaintDoc) -> RatingDoc | None:
    """Return the rating without the reporter's comment."""
    rating = complaint["rating"]
    return None if rating is None else {**rating, "comment": None}


def find_closure_proposal(context: RequestContext, complaint: ComplaintDoc) -> ClosureProposalDoc | None:
    """Return the proposal that waits for consent; None for viewers outside custody, and for the reporter."""
    viewer, proven = context.viewer, context.proven
    if policy.is_reporter(viewer, complaint, proven) or not policy.has_custody(viewer, complaint, proven):
        return None
    return complaint["proposal"]


def mask_closure(complaint: ComplaintDoc) -> ClosureDoc | None:
    """Return the closure without its texts and evidence."""
    closure = complaint["closure"]
    if closure is None:
        return None
    return {**closure, "evidence": [], "referral": None, "ground": None, "alternative": None}


def is_overdue(context: RequestContext, complaint: ComplaintDoc) -> bool:
    return complaint["nextDueAt"] < context.now


def is_clock_paused(context: RequestContext, clock: ClockDoc) -> bool:
    return sla.is_paused(clock)


def is_clock_breached(context: RequestContext, clock: ClockDoc) -> bool:
    return sla.is_breached(clock, context.now)


def compute_working_days_left(context: RequestContext, clock: ClockDoc) -> float | None:
    return sla.count_working_days_left(clock, context.now, context.calendar(TimeZone(clock["zone"])))
