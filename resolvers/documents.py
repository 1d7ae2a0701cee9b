"""The stored documents' shapes, as TypedDicts; keys are the contract's names.

Instants are aware UTC datetimes, calendar dates ISO 8601 strings, references the other document's `_id`.
"""

from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict, get_args, get_type_hints, is_typeddict

from resolvers.domain.sla import ClockDoc, PauseDoc

DESK = "kemenpanrb"
"""The national desk: the agency that holds what no rule has routed yet."""


class OrgUnitDoc(TypedDict):
    id: str
    """`<agency>/<slug>`, so that a unit names its agency."""
    name: str
    parent: str | None


class ProcessedDoc(TypedDict):
    """An idempotency key that has made, or done its work on, the document that holds this."""

    key: str
    """SHA-256 of subject, mutation and key."""
    digest: str
    """SHA-256 of the canonical input."""


class AgencyDoc(TypedDict):
    _id: str
    kind: str
    name: str
    shortName: str
    code: str | None
    region: str | None
    """The region it governs; null for ministries and institutions."""
    province: str | None
    """The province's agency, for a regency or city."""
    connected: bool
    pilot: bool
    units: list[OrgUnitDoc]
    revision: int
    custodian: str | None
    """Who works on its complaints while it is not connected, or has no team in force."""
    custodianSince: NotRequired[datetime]
    wakeAt: NotRequired[datetime]
    """When the system looks at its custodian next."""
    processed: NotRequired[list["ProcessedDoc"]]


class RegionDoc(TypedDict):
    _id: str
    """The Kemendagri code of 2022: 51 is Bali, 51.03 Badung."""
    level: str
    name: str
    parent: str | None
    timeZone: str
    population: int | None
    populationYear: int | None
    government: str | None


class CategoryNameDoc(TypedDict):
    ID: str
    EN: str


class CategoryDoc(TypedDict):
    _id: str
    """Dotted code: ROAD.POTHOLE lies in ROAD."""
    parent: str | None
    name: CategoryNameDoc
    sensitive: bool
    defaultGrade: str


class DecreeDoc(TypedDict):
    number: str
    issuer: str
    issuedOn: str | None
    title: str


TeamMemberDoc = TypedDict(
    "TeamMemberDoc",
    {
        "id": str,  # `<team>/<n>`, so that a member names its team
        "name": str | None,
        "role": str,
        "unit": str | None,
        "from": str,
        "to": str | None,
        "primary": bool,
        "trainings": list[str],
        "subject": str | None,  # the `sub` claim of the person's tokens
    },
)


class TeamDoc(TypedDict):
    _id: str
    """`TM-…`"""
    agency: str
    agencyProvince: str | None
    """The agency's province (itself for a province), for the coordinator's reach."""
    kind: str
    name: str
    decree: DecreeDoc | None
    termFrom: str
    termTo: str | None
    """Last day of the term; null where the decree does not publish it."""
    members: list[TeamMemberDoc]
    supersedes: str | None
    supersededBy: str | None
    standing: str
    """As the system has last taken note of it."""
    wakeAt: datetime
    """When it changes next; NEVER where it does not by itself."""
    synthetic: bool
    processed: list[ProcessedDoc]
    creation: NotRequired[ProcessedDoc]
    revision: int


class MeasurementDoc(TypedDict):
    value: float
    on: str
    note: str | None
    bySubject: str | None
    at: datetime


class MilestoneDoc(TypedDict):
    id: str
    """`<plan>/<n>`"""
    title: str
    dueOn: str
    weight: float
    kpi: str | None
    baseline: float | None
    target: float | None
    unit: str | None
    """Whose liaisons may record its progress, beside the agency's admin."""
    dropped: bool
    measurements: list[MeasurementDoc]


class ActionPlanDoc(TypedDict):
    _id: str
    """`PL-…`"""
    agency: str
    decree: DecreeDoc | None
    title: str
    periodFrom: str
    periodTo: str
    milestones: list[MilestoneDoc]
    processed: list[ProcessedDoc]
    creation: NotRequired[ProcessedDoc]
    revision: int


class LimitsDoc(TypedDict):
    handOvers: int
    informationRequests: int
    holds: int
    holdDays: int
    holdDaysInAll: int
    reopenings: int
    reopenDays: int
    restoreDays: int
    ombudsmanDays: int


class RungDoc(TypedDict):
    level: int
    workingDays: int


class EscalationDoc(TypedDict):
    warningShare: float
    rungs: list[RungDoc]


class PolicyDoc(TypedDict):
    """What `resolvers.domain.service_policy` reads."""

    _id: str
    """The version: the regulation's number and year, 5/2025."""
    validFrom: str
    validTo: str | None
    workingDays: dict[str, int]
    resolutionWorkingDays: dict[str, int]
    reporterReplyDays: int
    resolutionKeepsFirstDue: bool
    rulesForwardAfterWorkingDays: int | None
    limits: LimitsDoc
    escalation: EscalationDoc


class HolidayOverrideDoc(TypedDict):
    """A day that a decree changed after the year's table was published."""

    _id: str
    """The day, ISO 8601."""
    name: str | None
    """Of the holiday; null where the day is worked after all."""
    decree: str


class LocationDoc(TypedDict):
    text: str | None
    region: str
    latitude: float | None
    longitude: float | None


ForwardingDoc = TypedDict(
    "ForwardingDoc",
    {
        "sequence": int,  # 1, 2, …
        "from": str | None,
        "to": str,
        "action": str,
        "reason": str | None,
        "suggested": str | None,  # whom a returning agency thinks competent
        "note": str | None,
        "noteSalt": str,
        "noteDigest": str | None,  # what the chain hashes in place of the note
        "ruleId": str | None,  # the routing rule that decided; null where a person did
        "ruleVersion": str | None,
        "byRole": str,
        "bySubject": str | None,
        "at": datetime,
        "previousHash": str | None,
        "hash": str,
    },
)


class CommitmentDoc(TypedDict):
    action: str
    unit: str | None
    dueOn: str | None


class FollowUpDoc(TypedDict):
    id: str
    """`<complaint>/<n>`"""
    kind: str
    body: str
    visibility: str
    byAgency: str | None
    byRole: str
    bySubject: str | None
    commitment: CommitmentDoc | None
    closureCode: str | None
    evidence: list[str]
    approved: bool
    """A FINAL follow-up is a draft until approved; every other kind is approved from the start."""
    rejection: str | None
    """Why the draft went back to its author."""
    at: datetime


class RatingDoc(TypedDict):
    stars: int
    comment: str | None
    at: datetime


class ClosureDoc(TypedDict):
    code: str | None
    evidence: list[str]
    archiveReason: str | None
    referral: str | None
    ground: str | None
    alternative: str | None
    at: datetime


class HoldDoc(TypedDict):
    reason: str
    reviewOn: str


class ClosureProposalDoc(TypedDict):
    """A closure without a remedy that waits for consent."""

    code: str
    ground: str
    alternative: str
    byAgency: str | None
    byRole: str
    bySubject: str | None
    at: datetime


class PrivacyChangeDoc(TypedDict):
    anonymous: bool
    confidential: bool
    reason: str
    byRole: str
    bySubject: str | None
    at: datetime


class AuditEntryDoc(TypedDict):
    """Who did what, without a word of what was written: resolvers/audit_log/audit_chain.py."""

    complaint: str
    sequence: int
    at: datetime
    action: str
    role: str
    subject: str | None
    """The account of staff; null for a reporter."""
    agency: str | None
    readers: list[str]
    before: str | None
    after: str | None
    previousHash: str | None
    hash: str


class AuditHeadDoc(TypedDict):
    """The last entry of a complaint's audit."""

    sequence: int
    hash: str


class ReporterDoc(TypedDict):
    _id: str
    """`RP-…`"""
    complaint: str
    fields: dict[str, bytes]
    """name, email, phone, nik: each encrypted under the reporter's own key."""
    inclusion: bytes | None
    """sex, ageBand, disability, likewise; only with consent."""
    consentAt: datetime | None
    sealedAt: datetime
    erasedAt: datetime | None
    wakeAt: NotRequired[datetime]
    """When it is asked whether the complaint was stored; not there once it was."""


class ReporterKeyDoc(TypedDict):
    """The reporter's own key, wrapped by the ring; without it nothing of the reporter can be read, ever."""

    _id: str
    ring: str
    wrapped: bytes


ComplaintDoc = TypedDict(
    "ComplaintDoc",
    {
        "_id": str,  # the tracking ID
        "class": str,
        "category": str | None,
        "sensitive": bool,  # of the category
        "title": str,
        "originalTitle": str,  # as submitted; verification may write a clearer one
        "publicTitle": str,  # category and region: what is read outside custody
        "body": str,
        "redactedTitle": str | None,  # with personal data masked: what is read outside custody; null: nothing is
        "redactedBody": str | None,
        "words": list[str],  # stems that it is found by, marked with who may: domain/search_words.py
        "status": str,
        "grade": str | None,
        "channel": str,
        "location": LocationDoc | None,
        "region": str | None,  # the location's, for filters
        "province": str | None,  # the region's province code (itself for a province), for filters
        "regionName": str | None,  # for the public title
        "occurredOn": str | None,
        "anonymous": bool,
        "confidential": bool,
        "namedAgency": str | None,
        "takenInBy": str | None,  # the agency that took it in on the reporter's behalf
        "holder": str,
        "holderKind": str,
        "holderProvince": str | None,  # province agency of a regency or city that holds it
        "holders": list[str],  # everyone who has held it, the present holder last
        "supporting": list[str],
        "team": str | None,
        "unit": str | None,
        "assignee": str | None,
        "assigneeSubject": str | None,
        "hold": HoldDoc | None,
        "holds": list[PauseDoc],  # every time that it was on hold, oldest first
        "proposal": ClosureProposalDoc | None,
        "forwardings": list[ForwardingDoc],
        "followUps": list[FollowUpDoc],
        "clocks": list[ClockDoc],
        "nextDueAt": datetime,  # of the running clocks; NEVER where none runs, so that these sort last
        "wakeAt": datetime,  # when the system takes its next step; NEVER where it has none to take
        "rulesAsked": str | None,  # version of the routing rules that left it to people
        "ombudsmanOfferedAt": datetime | None,
        "custodian": str | None,  # the agency that works on it while the holder has no team in force
        "informationRequests": int,
        "escalationLevel": int,
        "mergedInto": str | None,
        "followers": list[str],  # complaints that were merged into this one
        "followerSubjects": list[str],  # their reporters' accounts
        "reopenings": int,
        "privacyChanges": list[PrivacyChangeDoc],  # the last ones, oldest first
        "policyVersion": str,  # of the service policy that it was received under
        "rating": RatingDoc | None,
        "closure": ClosureDoc | None,
        "reporter": str | None,  # the sealed reporter's id
        "reporterSubject": str | None,  # the `sub` of a reporter with an account
        "secretHash": str,
        "receivedAt": datetime,
        "verifiedAt": datetime | None,
        "firstFollowUpAt": datetime | None,
        "closedAt": datetime | None,
        "updatedAt": datetime,
        "revision": int,
        "readers": list[str],  # policy.readers(): who may know that it exists
        "auditHead": AuditHeadDoc | None,
        "auditPending": list[AuditEntryDoc],  # not moved to the audit yet
        "processed": list[ProcessedDoc],
        "creation": NotRequired[ProcessedDoc],
        "synthetic": bool,
    },
)


def _holds_instants(shape: Any) -> bool:
    """Whether a value of this type may be an instant, or have one inside: not where that is not said."""
    if shape is None or shape in (str, int, float, bool, type(None)):
        return False
    inside = get_type_hints(shape).values() if is_typeddict(shape) else get_args(shape)
    return not inside or any(map(_holds_instants, inside))


INSTANTS: Final = frozenset(key for key, shape in get_type_hints(ComplaintDoc).items() if _holds_instants(shape))
"""The keys of a complaint under which there may be instants."""
