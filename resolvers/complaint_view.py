"""A complaint as this viewer may read it: what custody reads in full, everybody else in part or not at all."""

from collections.abc import Mapping
from typing import Any, Final

from resolvers import policy, publication
from resolvers.context import RequestContext
from resolvers.domain import sla
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import TimeZone
from resolvers.listing import Arguments, Cursors, Listing, of_rows, scope
from resolvers.store.database import Document

PUBLIC_COORDINATE_DECIMALS: Final = 3
"""About a hundred metres."""


def _in_custody(context: RequestContext, complaint: Mapping[str, Any]) -> bool:
    return policy.in_custody(context.viewer, complaint, context.proven)


def title(context: RequestContext, complaint: Document) -> str:
    if _in_custody(context, complaint):
        return str(complaint["title"])
    return str(complaint["redactedTitle"] or complaint["publicTitle"])


def body(context: RequestContext, complaint: Document) -> str | None:
    found: str | None = complaint["body" if _in_custody(context, complaint) else "redactedBody"]
    return found


def personal_data_found(context: RequestContext, payload: Document) -> list[Document]:
    """What the scan finds in a complaint that was just submitted."""
    submitted = payload["complaint"]
    return [] if submitted is None else publication.read(submitted["originalTitle"], submitted["body"]).findings()


def location(context: RequestContext, complaint: Document) -> Document | None:
    found: Document | None = complaint["location"]
    if found is None or _in_custody(context, complaint):
        return found
    shown = {"text": None, "region": found["region"], "latitude": None, "longitude": None}
    if not complaint["sensitive"]:
        for key in ("latitude", "longitude"):
            shown[key] = None if found[key] is None else round(found[key], PUBLIC_COORDINATE_DECIMALS)
    return shown


def forwardings(context: RequestContext, complaint: Document) -> list[Document]:
    found: list[Document] = complaint["forwardings"]
    return found if _in_custody(context, complaint) else [{**link, "note": None} for link in found]


def follow_ups(context: RequestContext, complaint: Document, arguments: Arguments) -> Listing:
    """What the viewer may read of the follow-ups, oldest first."""
    rows = [
        follow_up
        for follow_up in complaint["followUps"]
        if policy.may_read_follow_up(context.viewer, complaint, follow_up, context.proven)
    ]
    cursors = Cursors(context.secret_key, scope("followUps", complaint["_id"]))
    return of_rows(rows, arguments, cursors, position=lambda row: [row["id"]])


def rating(context: RequestContext, complaint: Document) -> Document | None:
    found: Document | None = complaint["rating"]
    return found if found is None or _in_custody(context, complaint) else {**found, "comment": None}


def closure_proposal(context: RequestContext, complaint: Document) -> Document | None:
    """What waits for consent: read by those who work on it and those who consent, not yet by the reporter."""
    if policy.is_reporter(context.viewer, complaint, context.proven) or not _in_custody(context, complaint):
        return None
    found: Document | None = complaint["proposal"]
    return found


def closure(context: RequestContext, complaint: Document) -> Document | None:
    """Why and how it ended; what was written and attached to that is read inside custody."""
    found: Document | None = complaint["closure"]
    if found is None or _in_custody(context, complaint):
        return found
    return {**found, "evidence": [], "referral": None, "ground": None, "alternative": None}


def overdue(context: RequestContext, complaint: Document) -> bool:
    return bool(complaint["nextDueAt"] < context.now)


def clock_is_paused(context: RequestContext, clock: ClockDoc) -> bool:
    return sla.is_paused(clock)


def clock_is_breached(context: RequestContext, clock: ClockDoc) -> bool:
    return sla.is_breached(clock, context.now)


def working_days_left(context: RequestContext, clock: ClockDoc) -> float | None:
    return sla.working_days_left(clock, context.now, context.calendar(TimeZone(clock["zone"])))
