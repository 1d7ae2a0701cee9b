"""The shapes of stored documents, as TypedDicts; the keys are the names that the contract uses.

Instants are aware UTC datetimes, calendar dates are ISO 8601 strings, references are the `_id` of the other document.
A read with a projection gives only the keys that it names: the function that reads says which.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict, TypeVar, cast, get_args, get_type_hints, is_typeddict

from resolvers.domain.sla import ClockDoc, PauseDoc

Document = dict[str, Any]
"""A document of any kind: only where the code treats all kinds alike."""

Filter = dict[str, Any]
"""A MongoDB filter: which documents a command selects."""

Update = dict[str, Any]
"""A MongoDB update: operators such as `$set`, with their keys and values."""

Changes = dict[str, Any]
"""New values for some of the top-level keys of a document."""

Pipeline = list[dict[str, Any]]
"""The stages of a MongoDB aggregation."""

StoredDoc = TypeVar("StoredDoc", bound=Mapping[str, Any])

DESK = "kemenpanrb"
"""The national desk: the agency that holds a complaint until a rule or a person has routed it."""


def apply_changes(document: StoredDoc, changes: Changes) -> StoredDoc:
    """Return a new document: `document` with the values of `changes`. Neither argument is altered."""
    # The type system has no "some of the keys of StoredDoc", so that only this cast can say it.
    return cast("StoredDoc", {**document, **changes})


class OrgUnitDoc(TypedDict):
    id: str
    """`<agency>/<slug>`, so that a unit names its agency."""
    name: str
    parent: str | None


class ProcessedDoc(TypedDict):
    """An idempotency key whose mutation has created or changed the document that carries this record."""

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
    """Works on its complaints while the agency is not connected or has no team in force."""
    custodianSince: NotRequired[datetime]
    wakeAt: NotRequired[datetime]
    """When the system checks the custodian again."""
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
    """Dotted code: ROAD.POTHOLE is below ROAD."""
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
    """As the system noted it last: resolvers.domain.teams."""
    wakeAt: datetime
    """When `standing` changes next; NEVER where time does not change it."""
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
    """The unit whose liaisons may record progress, in addition to the agency's admin."""
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
        "suggested": str | None,  # the agency that the returning agency thinks competent
        "note": str | None,
        "noteSalt": str,
        "noteDigest": str | None,  # the chain hashes this in place of the note
        "ruleId": str | None,  # the routing rule that decided; null where a person decided
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
    """A FINAL follow-up is a draft until it is approved; the other kinds are approved from the start."""
    rejection: str | None
    """Why the draft was sent back to its author."""
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
    """A closure without a remedy that waits for the coordinator's consent."""

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
    """Who did what, without the texts that were written: resolvers/audit_log/audit_chain.py."""

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
    mark: NotRequired[str]
    """Random: tells two entries apart that have the same content."""
    _id: NotRequired[str]
    """`<complaint>/<sequence>`, once the entry is in the audit's collection."""


class AuditHeadDoc(TypedDict):
    """The last entry of a complaint's audit, kept on the complaint."""

    sequence: int
    hash: str


class ReporterDoc(TypedDict):
    _id: str
    """`RP-…`"""
    complaint: str
    fields: dict[str, bytes]
    """name, email, phone, nik: each encrypted with the reporter's own key."""
    inclusion: bytes | None
    """sex, ageBand, disability, encrypted with the same key; only with consent."""
    consentAt: datetime | None
    sealedAt: datetime
    erasedAt: datetime | None
    wakeAt: NotRequired[datetime]
    """When the system checks that the complaint was stored; absent after that."""


class WrappedKeyDoc(TypedDict):
    """A reporter's own key, encrypted with a key of the ring (key_ring.py)."""

    ring: str
    """The id of the ring's key."""
    wrapped: bytes


class ReporterKeyDoc(WrappedKeyDoc):
    """Once it is deleted, nobody can read the reporter's fields again."""

    _id: str
    """The reporter's."""


class IdentityReadDoc(TypedDict):
    """One read of a reporter's identity: a row of the log."""

    _id: str
    """`IR-…`"""
    complaint: str
    reporter: str
    at: datetime
    role: str
    subject: str | None
    agency: str | None
    purpose: str | None
    keys: list[str]
    """The reporter's fields that were read."""
    readers: list[str]
    """The groups that may read this row in full."""


_ClassDoc = TypedDict("_ClassDoc", {"class": str})  # a keyword of Python's: the class syntax cannot name this key


class HolderDoc(TypedDict):
    """The keys of a complaint that say who holds it; a hand-over sets all of them."""

    holder: str
    holderKind: str
    holderProvince: str | None  # the province's agency, where a regency or city holds it
    holders: list[str]  # every agency that has held it, the present holder last
    custodian: str | None  # the agency that works on it while the holder has no team in force


class AssignmentDoc(TypedDict):
    """The keys of a complaint that say who works on it; a new holder and a reopening clear them."""

    team: str | None
    unit: str | None
    assignee: str | None
    assigneeSubject: str | None
    proposal: ClosureProposalDoc | None


class PublicTextsDoc(TypedDict):
    """The keys of a complaint that follow from its title and body."""

    redactedTitle: str | None  # with personal data masked: for readers outside custody
    redactedBody: str | None
    words: list[str]  # stems for the search, marked with who may find by them: domain/search_words.py


class ComplaintHistoryDoc(AssignmentDoc):
    """The keys of a complaint that record what has happened to it since it was submitted."""

    status: str
    grade: str | None
    supporting: list[str]
    hold: HoldDoc | None
    holds: list[PauseDoc]  # every time that it was on hold, oldest first
    forwardings: list[ForwardingDoc]
    followUps: list[FollowUpDoc]
    clocks: list[ClockDoc]
    nextDueAt: datetime  # the earliest due time of a running clock; NEVER where none runs, so that it sorts last
    wakeAt: datetime  # when the system takes its next step; NEVER where it has none to take
    rulesAsked: str | None  # the version of the routing rules that left the decision to people
    ombudsmanOfferedAt: datetime | None
    informationRequests: int
    escalationLevel: int
    mergedInto: str | None
    followers: list[str]  # the complaints that were merged into this one
    followerSubjects: list[str]  # the accounts of their reporters
    reopenings: int
    privacyChanges: list[PrivacyChangeDoc]  # the latest, oldest first
    rating: RatingDoc | None
    closure: ClosureDoc | None
    reporter: str | None  # the id of the sealed reporter
    verifiedAt: datetime | None
    firstFollowUpAt: datetime | None
    closedAt: datetime | None
    auditHead: AuditHeadDoc | None
    auditPending: list[AuditEntryDoc]  # entries that have not moved to the audit's collection yet
    processed: list[ProcessedDoc]
    creation: NotRequired[ProcessedDoc]
    synthetic: bool
    revision: int


class ComplaintDoc(_ClassDoc, HolderDoc, PublicTextsDoc, ComplaintHistoryDoc):
    _id: str
    """The tracking ID."""
    category: str | None
    sensitive: bool  # as its category
    title: str
    originalTitle: str  # as submitted; verification may replace the title by a clearer one
    publicTitle: str  # category and region: for readers outside custody
    body: str
    channel: str
    location: LocationDoc | None
    region: str | None  # the location's, for filters
    province: str | None  # code of the region's province (the region itself where it is a province), for filters
    regionName: str | None  # for the public title
    occurredOn: str | None
    anonymous: bool
    confidential: bool
    namedAgency: str | None
    takenInBy: str | None  # the agency that took it in on the reporter's behalf
    policyVersion: str  # of the service policy in force when it was received
    reporterSubject: str | None  # the `sub` of a reporter with an account
    secretHash: str
    receivedAt: datetime
    updatedAt: datetime
    readers: list[str]  # policy.compute_readers(): who may know that it exists


def _may_hold_instants(shape: Any) -> bool:
    """Whether a value of this type may be an instant or contain one; True for a type that does not say."""
    if shape is None or shape in (str, int, float, bool, type(None)):
        return False
    inside = get_type_hints(shape).values() if is_typeddict(shape) else get_args(shape)
    return not inside or any(map(_may_hold_instants, inside))


INSTANTS: Final = frozenset(key for key, shape in get_type_hints(ComplaintDoc).items() if _may_hold_instants(shape))
"""The keys of a complaint whose values may contain instants."""
