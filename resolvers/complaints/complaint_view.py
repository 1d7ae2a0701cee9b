"""A complaint as it is read: what custody reads in full is shown to everybody else in part, or not at all."""

from typing import Final

from resolvers import policy
from resolvers.domain import sla
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import TimeZone
from resolvers.paging.listing import Arguments, Cursors, Listing, of_rows, scope
from resolvers.personal_data import publication
from resolvers.request.context import RequestContext
from resolvers.results import PersonalDataFindingResult
from resolvers.store.database import Document

PUBLIC_COORDINATE_DECIMALS: Final = 3
"""About a hundred metres."""


def shown_title(complaint: Document) -> str:
    found: str = complaint["redactedTitle"] or complaint["publicTitle"]
    return found


def shown_body(complaint: Document) -> str | None:
    found: str | None = complaint["redactedBody"]
    return found


def personal_data_found(context: RequestContext, payload: Document) -> list[PersonalDataFindingResult]:
    """What the scan finds in a complaint that was just submitted."""
    submitted = payload["complaint"]
    return (
        []
        if submitted is None
        else publication.scan_texts(submitted["originalTitle"], submitted["body"]).list_findings()
    )


def shown_location(complaint: Document) -> Document | None:
    found: Document | None = complaint["location"]
    if found is None:
        return None
    shown = {"text": None, "region": found["region"], "latitude": None, "longitude": None}
    if not complaint["sensitive"]:
        for key in ("latitude", "longitude"):
            shown[key] = None if found[key] is None else round(found[key], PUBLIC_COORDINATE_DECIMALS)
    return shown


def shown_forwardings(complaint: Document) -> list[Document]:
    return [{**link, "note": None} for link in complaint["forwardings"]]


def follow_ups(context: RequestContext, complaint: Document, arguments: Arguments) -> Listing:
    """What the viewer may read of the follow-ups, oldest first."""
    rows = [
        follow_up
        for follow_up in complaint["followUps"]
        if policy.may_read_follow_up(context.viewer, complaint, follow_up, context.proven)
    ]
    cursors = Cursors(context.secret_key, scope("followUps", complaint["_id"]))
    return of_rows(rows, arguments, cursors, position=lambda row: [row["id"]])


def shown_rating(complaint: Document) -> Document | None:
    found: Document | None = complaint["rating"]
    return None if found is None else {**found, "comment": None}


def closure_proposal(context: RequestContext, complaint: Document) -> Document | None:
    """What waits for consent: read by those who work on it and those who consent, not yet by the reporter."""
    viewer, proven = context.viewer, context.proven
    if policy.is_reporter(viewer, complaint, proven) or not policy.in_custody(viewer, complaint, proven):
        return None
    found: Document | None = complaint["proposal"]
    return found


def shown_closure(complaint: Document) -> Document | None:
    """Why and how it ended; what was written and attached to that is read inside custody."""
    found: Document | None = complaint["closure"]
    return None if found is None else {**found, "evidence": [], "referral": None, "ground": None, "alternative": None}


def overdue(context: RequestContext, complaint: Document) -> bool:
    return bool(complaint["nextDueAt"] < context.now)


def clock_is_paused(context: RequestContext, clock: ClockDoc) -> bool:
    return sla.is_paused(clock)


def clock_is_breached(context: RequestContext, clock: ClockDoc) -> bool:
    return sla.is_breached(clock, context.now)


def working_days_left(context: RequestContext, clock: ClockDoc) -> float | None:
    return sla.count_working_days_left(clock, context.now, context.calendar(TimeZone(clock["zone"])))
