"""From submission to the first hand-over: submit, ask back, supply, verify, archive."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import reference
from resolvers.agencies import team as teams
from resolvers.audit_log import audit_trail
from resolvers.complaints import forwarding
from resolvers.complaints.follow_up import appended, closed_by
from resolvers.complaints.transition import act, follow_through, prove, secret_hash, secret_of
from resolvers.documents import DESK
from resolvers.domain import lifecycle, redaction, tracking_id
from resolvers.domain.lifecycle import Actor, Transition
from resolvers.domain.routing import RuleId
from resolvers.domain.vocabulary import (
    ArchiveReason,
    Channel,
    ComplaintAction,
    ComplaintClass,
    ComplaintStatus,
    FollowUpKind,
    SupervisionGrade,
    Visibility,
)
from resolvers.errors import InvalidInput, NotAllowed
from resolvers.personal_data import publication, text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, conflict
from resolvers.store.database import MAX_TIME_MS, NEVER, Document, DuplicateKeyError
from resolvers.vault import vault

MIN_BODY: Final = 20

UNTOUCHED: Final[Mapping[str, Any]] = {
    "status": ComplaintStatus.SUBMITTED,
    "grade": None,
    "supporting": [],
    "team": None,
    "unit": None,
    "assignee": None,
    "assigneeSubject": None,
    "hold": None,
    "holds": [],
    "proposal": None,
    "forwardings": [],
    "followUps": [],
    "clocks": [],
    "nextDueAt": NEVER,
    "wakeAt": NEVER,
    "rulesAsked": None,
    "ombudsmanOfferedAt": None,
    "custodian": None,
    "informationRequests": 0,
    "escalationLevel": 0,
    "mergedInto": None,
    "followers": [],
    "followerSubjects": [],
    "reopenings": 0,
    "privacyChanges": [],
    "rating": None,
    "closure": None,
    "reporter": None,
    "verifiedAt": None,
    "firstFollowUpAt": None,
    "closedAt": None,
    "auditHead": None,
    "auditPending": [],
    "processed": [],
    "synthetic": False,
    "revision": 1,
}
"""What a complaint has before anybody has worked on it."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a reporter, or staff on a reporter's behalf, hands in; ids as the input gave them."""

    class_: ComplaintClass
    title: str
    body: str
    category: str | None
    location: Mapping[str, Any] | None
    occurred_on: str | None
    named_agency: str | None
    anonymous: bool
    confidential: bool | None
    channel: Channel
    reporter: Mapping[str, Any] | None


async def submit(context: RequestContext, attempt: Attempt, submission: Submission) -> tuple[Document, str]:
    """The complaint, which has an id and a holder at once, and its secret.

    The same idempotency key gives the same complaint and secret again.
    """
    if not policy.may_submit(context.viewer, submission.channel):
        raise NotAllowed(
            f"Role {context.viewer.role} cannot submit over channel {submission.channel}.", field=("input", "channel")
        )
    token = attempt.token(context)
    complaint = await _new(context, submission)
    if token is not None:
        complaint["creation"] = {"key": token, "digest": attempt.digest}
    if submission.reporter is not None:
        complaint["reporter"] = await vault.seal(context, complaint["_id"], submission.reporter)
    complaint |= audit_trail.make_audit_keys(context, None, complaint, ComplaintAction.SUBMIT)
    try:
        await context.store.complaints.insert_one(complaint)
    except DuplicateKeyError:
        await vault.discard(context, complaint["reporter"])
        return await _made_before(context, attempt, token)
    return _opened(context, complaint)


async def _made_before(context: RequestContext, attempt: Attempt, token: str | None) -> tuple[Document, str]:
    complaint = await context.store.complaints.find_one({"creation.key": {"$eq": token}}, max_time_ms=MAX_TIME_MS)
    if complaint is None or complaint["creation"]["digest"] != attempt.digest:
        raise conflict(attempt)
    return _opened(context, complaint)


def _opened(context: RequestContext, complaint: Document) -> tuple[Document, str]:
    """The submitter reads the own complaint at once, as its reporter or as the staff that took it in."""
    secret = secret_of(context, complaint["_id"])
    if complaint["takenInBy"] is None:
        prove(context, complaint, secret)
    return complaint, secret


async def _new(context: RequestContext, submission: Submission) -> Document:
    taken_in_by = policy.takes_in_for(context.viewer)
    holder = await reference.find_holding_agency(context, taken_in_by or DESK)
    category = None if submission.category is None else await reference.require_category(context, submission.category)
    place, region = await _place(context, submission.location)
    named = submission.named_agency
    if named is not None:
        named = (await reference.require_agency(context, named, "namedAgency"))["_id"]
    sensitive = bool(category and category["sensitive"])
    title = text.clean_required(submission.title, "title", at_most=text.MAX_TITLE)
    body = text.clean_required(submission.body, "body", at_least=MIN_BODY)
    reading = publication.scan_texts(title, body)
    guarded = sensitive or reading.names_a_person
    complaint_id = tracking_id.make_id("LP", secrets.token_bytes(16))
    complaint: Document = {
        **UNTOUCHED,
        "_id": complaint_id,
        "class": submission.class_,
        "category": submission.category,
        "sensitive": sensitive,
        "title": title,
        "originalTitle": title,
        "publicTitle": public_title(category, None if region is None else region["name"]),
        "regionName": None if region is None else region["name"],
        "body": body,
        **reading.make_keys(),
        "channel": submission.channel,
        "location": place,
        "region": None if region is None else region["_id"],
        "province": None if region is None else region["parent"] or region["_id"],
        "occurredOn": _past(context, submission.occurred_on),
        "anonymous": submission.anonymous,
        "confidential": _confidential(submission, guarded, on_behalf=taken_in_by is not None),
        "namedAgency": named,
        "takenInBy": taken_in_by,
        **reference.make_holder_keys(holder, ()),
        "reporterSubject": policy.reporter_subject(context.viewer),
        "secretHash": secret_hash(secret_of(context, complaint_id)),
        "receivedAt": context.now,
    }
    zone = await reference.find_zone(context, holder)
    complaint["policyVersion"] = context.policies.by_day(context.calendar(zone).to_local_day(context.now)).version
    return complaint | follow_through(context, complaint, {}, lifecycle.SUBMISSION, zone)


def _confidential(submission: Submission, guarded: bool, *, on_behalf: bool) -> bool:
    """What the reporter says; where nobody says, or staff would say less: as the category and the text ask for."""
    if submission.confidential is None or on_behalf:
        return bool(submission.confidential) or guarded
    return submission.confidential


def public_title(category: Mapping[str, Any] | None, region_name: str | None) -> str:
    """What is read outside custody in place of the reporter's title: "[category, region]"."""
    subject = "Belum berkategori" if category is None else category["name"]["ID"]
    return f"[{subject}, {region_name or 'Indonesia'}]"


async def _place(
    context: RequestContext, location: Mapping[str, Any] | None
) -> tuple[Document | None, Document | None]:
    if location is None:
        return None, None
    region = await reference.require_region(context, location["region"], "location", "region")
    for key, limit in (("latitude", 90), ("longitude", 180)):
        value = location[key]
        if value is not None and not -limit <= value <= limit:
            raise InvalidInput(
                f"{key} {value} is not between -{limit} and {limit} degrees.", field=("input", "location", key)
            )
    described = text.clean_optional(location["text"], "location", "text", at_most=500)
    place = {key: location[key] for key in ("latitude", "longitude")}
    return {"text": described, "region": region["_id"], **place}, region


def _past(context: RequestContext, day: str | None) -> str | None:
    # The clocks of the reporter's region may be a day ahead of UTC's.
    if day is not None and date.fromisoformat(day) > context.now.date() + timedelta(days=1):
        raise InvalidInput(f"occurredOn {day} lies in the future.", field=("input", "occurredOn"))
    return day


async def request_information(context: RequestContext, attempt: Attempt, complaint_id: str, question: str) -> Document:
    asked = text.clean_required(question, "question")

    def change(complaint: Document, transition: Transition) -> Document:
        return {
            "informationRequests": complaint["informationRequests"] + 1,
            **appended(context, complaint, FollowUpKind.CLARIFY, asked, Visibility.REPORTER),
        }

    return await act(context, attempt, complaint_id, ComplaintAction.REQUEST_INFORMATION, change)


async def supply_information(
    context: RequestContext, attempt: Attempt, complaint_id: str, supplied: str, *, secret: str | None
) -> Document:
    words = text.clean_required(supplied, "text")

    def change(complaint: Document, transition: Transition) -> Document:
        return appended(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER)

    return await act(context, attempt, complaint_id, ComplaintAction.SUPPLY_INFORMATION, change, secret=secret)


@dataclass(frozen=True, slots=True)
class Verification:
    """What verification decides: class, category, grade, and who is competent."""

    class_: ComplaintClass
    category: str
    grade: SupervisionGrade
    holder: str
    supporting: Sequence[str]
    title: str | None
    note: str | None
    rule: RuleId | None = None
    """The routing rule that decided, where no person did."""


async def verify(context: RequestContext, attempt: Attempt, complaint_id: str, verification: Verification) -> Document:
    """Classifies, grades and hands over to the competent agency, or to the province that stands in for it.

    Confidentiality is tightened where the category is sensitive or the grade supervisory, never loosened.
    """
    category = await reference.require_category(context, verification.category)
    holder = await reference.find_holding_agency(context, verification.holder, "holder")
    supporting = await reference.check_supporting(context, verification.supporting)
    title = text.clean_optional(verification.title, "title", at_most=text.MAX_TITLE)
    note = text.clean_optional(verification.note, "note")
    zone = await reference.find_zone(context, holder)
    refusal = await teams.find_refusal(context)

    def change(complaint: Document, transition: Transition) -> Document:
        if refusal is not None:
            raise refusal
        forwarding.check_conflict(complaint, holder["_id"], supporting, field="holder")
        guarded = category["sensitive"] or verification.grade is SupervisionGrade.SUPERVISORY
        rewritten = None if title is None else publication.scan_texts(title, complaint["body"])
        guarded = guarded or bool(rewritten and redaction.names_a_person(rewritten.in_title))
        return {
            "class": verification.class_,
            "category": category["_id"],
            "sensitive": category["sensitive"],
            "grade": verification.grade,
            "confidential": complaint["confidential"] or guarded,
            "supporting": [agency for agency in supporting if agency != holder["_id"]],
            "title": title or complaint["title"],
            **(rewritten.make_keys() if rewritten else {}),
            "publicTitle": public_title(category, complaint["regionName"]),
            "verifiedAt": context.now,
            **forwarding.handed_over(
                context, complaint, holder, ComplaintAction.VERIFY, note=note, rule=verification.rule
            ),
        }

    return await act(context, attempt, complaint_id, ComplaintAction.VERIFY, change, zone=zone)


async def archive(
    context: RequestContext,
    attempt: Attempt,
    complaint_id: str,
    *,
    reason: ArchiveReason,
    referral: str | None,
    note: str | None,
) -> Document:
    """OUT_OF_SCOPE is the national desk's to say, and names where to go instead."""
    referred = text.clean_optional(referral, "referral", at_most=500)
    noted = text.clean_optional(note, "note")
    if reason is ArchiveReason.OUT_OF_SCOPE and referred is None:
        raise InvalidInput(
            "OUT_OF_SCOPE needs a referral: name the body that is competent.", field=("input", "referral")
        )

    def change(complaint: Document, transition: Transition) -> Document:
        actors = policy.actors(context.viewer, complaint, context.proven)
        if reason is ArchiveReason.OUT_OF_SCOPE and Actor.NATIONAL_ADMIN not in actors:
            raise NotAllowed("OUT_OF_SCOPE is for the national desk to decide.", field=("input", "reason"))
        closure = closed_by(context, archive_reason=reason, referral=referred)
        noting = appended(context, complaint, FollowUpKind.NOTE, noted, Visibility.INTERNAL) if noted else {}
        return {"closure": closure, **noting}

    return await act(context, attempt, complaint_id, ComplaintAction.ARCHIVE, change)
