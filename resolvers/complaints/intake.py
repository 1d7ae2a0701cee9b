"""A complaint from submission to its first hand-over: submit, request and supply information, verify, archive."""

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
from resolvers.complaints.follow_up import append_follow_up, build_closure
from resolvers.complaints.transition import act, complete_changes, derive_secret, hash_secret, prove_reporter
from resolvers.documents import (
    DESK,
    CategoryDoc,
    Changes,
    ComplaintDoc,
    ComplaintHistoryDoc,
    LocationDoc,
    RegionDoc,
    apply_changes,
)
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
from resolvers.request.update import Attempt, find_created
from resolvers.store.database import NEVER, DuplicateKeyError
from resolvers.vault import vault

MIN_BODY: Final = 20

NEW_HISTORY: Final[ComplaintHistoryDoc] = {
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
"""The history of a complaint that nobody has worked on."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A complaint as the input gives it, from a reporter or from staff on a reporter's behalf; ids are not checked."""

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


async def submit(context: RequestContext, attempt: Attempt, submission: Submission) -> tuple[ComplaintDoc, str]:
    """Store the complaint; return it with its secret. It has an id and a holder at once.

    The same idempotency key gives the same complaint and secret again.
    """
    if not policy.may_submit(context.viewer, submission.channel):
        raise NotAllowed(
            f"Role {context.viewer.role} cannot submit over channel {submission.channel}.", field=("input", "channel")
        )
    creation = attempt.build_creation(context)
    complaint = await _build_complaint(context, submission)
    if creation is not None:
        complaint["creation"] = creation
    if submission.reporter is not None:
        complaint["reporter"] = await vault.seal(context, complaint["_id"], submission.reporter)
    complaint = apply_changes(complaint, audit_trail.make_audit_keys(context, None, complaint, ComplaintAction.SUBMIT))
    try:
        await context.store.complaints.insert_one(complaint)
    except DuplicateKeyError:
        await vault.discard(context, complaint["reporter"])
        complaint = await find_created(context, context.store.complaints, attempt)
    return _open_for_submitter(context, complaint)


def _open_for_submitter(context: RequestContext, complaint: ComplaintDoc) -> tuple[ComplaintDoc, str]:
    """Return the complaint and its secret; unless staff took it in, this request now reads it as its reporter."""
    secret = derive_secret(context, complaint["_id"])
    if complaint["takenInBy"] is None:
        prove_reporter(context, complaint, secret)
    return complaint, secret


async def _build_complaint(context: RequestContext, submission: Submission) -> ComplaintDoc:
    taken_in_by = policy.find_intake_agency(context.viewer)
    holder = await reference.find_holding_agency(context, taken_in_by or DESK)
    category = None if submission.category is None else await reference.require_category(context, submission.category)
    place, region = await _locate(context, submission.location)
    named_agency = submission.named_agency
    if named_agency is not None:
        named_agency = (await reference.require_agency(context, named_agency, "namedAgency"))["_id"]
    sensitive = bool(category and category["sensitive"])
    title = text.clean_required(submission.title, "title", at_most=text.MAX_TITLE)
    body = text.clean_required(submission.body, "body", at_least=MIN_BODY)
    reading = publication.scan_texts(title, body)
    is_guarded = sensitive or reading.names_a_person
    complaint_id = tracking_id.make_id("LP", secrets.token_bytes(16))
    zone = await reference.find_zone(context, holder)
    complaint: ComplaintDoc = {
        **NEW_HISTORY,
        "_id": complaint_id,
        "class": submission.class_,
        "category": submission.category,
        "sensitive": sensitive,
        "title": title,
        "originalTitle": title,
        "publicTitle": build_public_title(category, None if region is None else region["name"]),
        "regionName": None if region is None else region["name"],
        "body": body,
        **reading.make_keys(),
        "channel": submission.channel,
        "location": place,
        "region": None if region is None else region["_id"],
        "province": None if region is None else region["parent"] or region["_id"],
        "occurredOn": _check_past(context, submission.occurred_on),
        "anonymous": submission.anonymous,
        "confidential": _decide_confidentiality(submission, is_guarded, on_behalf=taken_in_by is not None),
        "namedAgency": named_agency,
        "takenInBy": taken_in_by,
        **reference.make_holder_keys(holder, ()),
        "reporterSubject": policy.find_reporter_subject(context.viewer),
        "secretHash": hash_secret(derive_secret(context, complaint_id)),
        "policyVersion": context.policies.by_day(context.calendar(zone).to_local_day(context.now)).version,
        "receivedAt": context.now,
        "updatedAt": context.now,
        "readers": [],
    }
    return apply_changes(complaint, complete_changes(context, complaint, {}, lifecycle.SUBMISSION, zone))


def _decide_confidentiality(submission: Submission, is_guarded: bool, *, on_behalf: bool) -> bool:
    """Whether the complaint is confidential: as its reporter says.

    Without a word from the reporter it is confidential if category or text ask for it (`is_guarded`); staff who submit
    on a reporter's behalf may only protect more than that.
    """
    if submission.confidential is None or on_behalf:
        return bool(submission.confidential) or is_guarded
    return submission.confidential


def build_public_title(category: CategoryDoc | None, region_name: str | None) -> str:
    """Return the title for viewers outside custody: "[category, region]", in Indonesian."""
    subject = "Belum berkategori" if category is None else category["name"]["ID"]
    return f"[{subject}, {region_name or 'Indonesia'}]"


async def _locate(
    context: RequestContext, location: Mapping[str, Any] | None
) -> tuple[LocationDoc | None, RegionDoc | None]:
    """Return the checked location and its region. Raises InvalidInput."""
    if location is None:
        return None, None
    region = await reference.require_region(context, location["region"], "location", "region")
    for key, limit in (("latitude", 90), ("longitude", 180)):
        value = location[key]
        if value is not None and not -limit <= value <= limit:
            raise InvalidInput(
                f"{key} {value} is not between -{limit} and {limit} degrees.", field=("input", "location", key)
            )
    checked: LocationDoc = {
        "text": text.clean_optional(location["text"], "location", "text", at_most=500),
        "region": region["_id"],
        "latitude": location["latitude"],
        "longitude": location["longitude"],
    }
    return checked, region


def _check_past(context: RequestContext, day: str | None) -> str | None:
    # In the reporter's region it may already be the next day of UTC.
    if day is not None and date.fromisoformat(day) > context.now.date() + timedelta(days=1):
        raise InvalidInput(f"occurredOn {day} lies in the future.", field=("input", "occurredOn"))
    return day


async def request_information(
    context: RequestContext, attempt: Attempt, complaint_id: str, question: str
) -> ComplaintDoc:
    """Ask the reporter a question; the complaint waits for the reply."""
    body = text.clean_required(question, "question")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        return {
            "informationRequests": complaint["informationRequests"] + 1,
            **append_follow_up(context, complaint, FollowUpKind.CLARIFY, body, Visibility.REPORTER),
        }

    return await act(context, attempt, complaint_id, ComplaintAction.REQUEST_INFORMATION, change)


async def supply_information(
    context: RequestContext, attempt: Attempt, complaint_id: str, supplied: str, *, secret: str | None
) -> ComplaintDoc:
    """Add the reporter's reply to a question; the complaint goes back to verification."""
    words = text.clean_required(supplied, "text")

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        return append_follow_up(context, complaint, FollowUpKind.REPLY, words, Visibility.REPORTER)

    return await act(context, attempt, complaint_id, ComplaintAction.SUPPLY_INFORMATION, change, secret=secret)


@dataclass(frozen=True, slots=True)
class VerificationInput:
    """The decisions of a verification: class, category, grade and the competent agency."""

    class_: ComplaintClass
    category: str
    grade: SupervisionGrade
    holder: str
    supporting: Sequence[str]
    title: str | None
    note: str | None
    rule: RuleId | None = None
    """The routing rule that decided; None where a person decided."""


async def verify(
    context: RequestContext, attempt: Attempt, complaint_id: str, verification: VerificationInput
) -> ComplaintDoc:
    """Classify and grade the complaint, and hand it over to the competent agency, or to its province as custodian.

    The complaint becomes confidential if the category is sensitive, the grade supervisory, or the new title names a
    person; verification never makes a confidential complaint public.
    """
    category = await reference.require_category(context, verification.category)
    holder = await reference.find_holding_agency(context, verification.holder, "holder")
    supporting = await reference.check_supporting(context, verification.supporting)
    title = text.clean_optional(verification.title, "title", at_most=text.MAX_TITLE)
    note = text.clean_optional(verification.note, "note")
    zone = await reference.find_zone(context, holder)
    refusal = await teams.find_refusal(context)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        if refusal is not None:
            raise refusal
        forwarding.check_conflict(complaint, holder["_id"], supporting, field="holder")
        is_guarded = category["sensitive"] or verification.grade is SupervisionGrade.SUPERVISORY
        rewritten = None if title is None else publication.scan_texts(title, complaint["body"])
        is_guarded = is_guarded or bool(rewritten and redaction.names_a_person(rewritten.in_title))
        return {
            "class": verification.class_,
            "category": category["_id"],
            "sensitive": category["sensitive"],
            "grade": verification.grade,
            "confidential": complaint["confidential"] or is_guarded,
            "supporting": [agency for agency in supporting if agency != holder["_id"]],
            "title": title or complaint["title"],
            **(rewritten.make_keys() if rewritten else {}),
            "publicTitle": build_public_title(category, complaint["regionName"]),
            "verifiedAt": context.now,
            **forwarding.hand_over(
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
) -> ComplaintDoc:
    """Archive the complaint. OUT_OF_SCOPE is for the national desk to decide, and needs a referral to another body."""
    referred = text.clean_optional(referral, "referral", at_most=500)
    noted = text.clean_optional(note, "note")
    if reason is ArchiveReason.OUT_OF_SCOPE and referred is None:
        raise InvalidInput(
            "OUT_OF_SCOPE needs a referral: name the body that is competent.", field=("input", "referral")
        )

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        actors = policy.find_actors(context.viewer, complaint, context.proven)
        if reason is ArchiveReason.OUT_OF_SCOPE and Actor.NATIONAL_ADMIN not in actors:
            raise NotAllowed("OUT_OF_SCOPE is for the national desk to decide.", field=("input", "reason"))
        closure = build_closure(context, archive_reason=reason, referral=referred)
        follow_up = append_follow_up(context, complaint, FollowUpKind.NOTE, noted, Visibility.INTERNAL) if noted else {}
        return {"closure": closure, **follow_up}

    return await act(context, attempt, complaint_id, ComplaintAction.ARCHIVE, change)
