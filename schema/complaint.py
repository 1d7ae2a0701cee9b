"""Complaint and its parts, and the lists of complaints."""

from datetime import datetime

import strawberry
from strawberry import Parent

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.agencies import category as categories
from resolvers.agencies import region as regions
from resolvers.agencies import team as teams
from resolvers.complaints import complaint as complaints
from resolvers.complaints import complaint_view as view
from resolvers.complaints import transition
from resolvers.documents import ComplaintDoc
from resolvers.paging.listing import Arguments, Listing
from resolvers.registry import local_case
from resolvers.results import ReporterResult
from resolvers.vault import vault
from schema.binding import Masked, called, column, derived, loaded, object_type
from schema.enums import (
    ArchiveReason,
    Channel,
    ClockKind,
    ClosureCode,
    ComplaintAction,
    ComplaintClass,
    ComplaintStatus,
    SupervisionGrade,
)
from schema.follow_up import FollowUpConnection
from schema.forwarding import Forwarding
from schema.lazy import (
    LazyAgency,
    LazyCategory,
    LazyComplaint,
    LazyOrgUnit,
    LazyRegion,
    LazyReporter,
    LazyTeam,
    LazyTeamMember,
)
from schema.local_case import LocalCase
from schema.node import Node
from schema.page import ContextInfo, PageInfo, cursor, edges, nodes, page_info, total_count
from schema.scalars import Date


@object_type()
class Location:
    """Where it happened: exact in custody; for others without text, and with coordinates to three decimals (100 m).

    Complaints of sensitive categories show no coordinates outside custody.
    """

    text: str | None = column("text", description="The reporter's own description; null outside custody.")
    region: LazyRegion = loaded(regions.by_code, key="region")
    latitude: float | None = column("latitude", description="Degrees, WGS 84; null if not given or not shown.")
    longitude: float | None = column("longitude", description="Degrees, WGS 84; null if not given or not shown.")


@object_type()
class Hold:
    """[ditunda] Why work waits, and until when."""

    reason: str
    review_on: Date = column("reviewOn", description="After this day work resumes by itself.")


@object_type()
class Clock:
    """One service-level clock, counted in working time of the holder's region."""

    kind: ClockKind
    started_at: datetime
    due_at: datetime | None = column("dueAt", description="Null if the clock has no due time.")
    stopped_at: datetime | None = column("stoppedAt", description="Null while it runs.")
    paused: bool = derived(view.is_clock_paused, needs=("pauses", "stoppedAt"))
    breached: bool = derived(view.is_clock_breached, needs=("dueAt", "stoppedAt", "pauses"))
    working_days_left: float | None = derived(
        view.compute_working_days_left,
        needs=("dueAt", "stoppedAt", "pauses", "zone"),
        description="Working days until the due time, negative when late; null if the clock has no due time.",
    )
    provisional: bool = column(
        "provisional", description="True if the public holidays of the due year are not known yet."
    )


@object_type()
class Rating:
    """The reporter's rating of the answer."""

    stars: int = column("stars", description="1 to 5.")
    comment: str | None = column("comment", description="The reporter's words; null outside custody.")
    at: datetime


@object_type()
class Closure:
    """How the complaint ended. Its texts and attachments are shown only in custody."""

    code: ClosureCode | None = column("code", description="Null if it was archived.")
    evidence: list[str] = column("evidence", description="Attachments of the answer; empty outside custody.")
    archive_reason: ArchiveReason | None = column("archiveReason", description="Null unless it was archived.")
    referral: str | None = column("referral", description="Where the reporter was referred to; null outside custody.")
    ground: str | None = column("ground", description="Why there is no remedy; null outside custody.")
    alternative: str | None = column(
        "alternative", description="What the reporter can do instead; null outside custody."
    )
    at: datetime


@object_type()
class ClosureProposal:
    """A closure without a remedy that waits for the consent of the coordinator (province or national)."""

    code: ClosureCode
    ground: str
    alternative: str
    at: datetime


@object_type(keys=("id",))
class Complaint(Node):
    """[laporan] A citizen's complaint, aspiration or request for information, from submission to closure.

    *Custody* in the descriptions: the staff who work on the complaint, and its reporter. Others see less, as
    docs/privacy.md says.
    """

    id: strawberry.ID = column(
        "_id", description="The tracking ID [nomor pelacakan]: random, with a check digit, not sequential."
    )
    class_: ComplaintClass = column("class", name="class")
    category: LazyCategory | None = loaded(
        categories.by_code, key="category", description="Null until the reporter or verification names one."
    )
    title: str = column(
        "title",
        visible=policy.CUSTODY,
        masked=Masked(view.mask_title, ("redactedTitle", "publicTitle")),
        description=(
            "In full in custody. For others personal data are masked; where no redacted text exists, the title is the "
            "category and the region."
        ),
    )
    body: str | None = column(
        "body",
        visible=policy.CUSTODY,
        masked=Masked(view.mask_body, ("redactedBody",)),
        description=(
            "In full in custody. For others personal data are masked ([nama], [telepon]); null where no redacted text "
            "exists."
        ),
    )
    status: ComplaintStatus
    grade: SupervisionGrade | None = column("grade", description="Null until it is verified.")
    channel: Channel = column("channel", description="How it was submitted.")
    location: Location | None = column(
        "location", visible=policy.CUSTODY, masked=Masked(view.mask_location, ("location", "sensitive"))
    )
    occurred_on: Date | None = column("occurredOn", description="The day that it is about; null if not given.")
    anonymous: bool = column("anonymous", description="Whether the agency must not know who reported.")
    confidential: bool = column("confidential", description="Whether the public may not know of it.")
    named_agency: LazyAgency | None = loaded(
        agencies.by_id, key="namedAgency", description="The agency that the reporter named; null if none was."
    )
    holder: LazyAgency = loaded(
        agencies.by_id,
        key="holder",
        description=(
            "The one agency that is responsible now. Until the complaint is routed, it is the national desk "
            "(kemenpanrb), or the agency whose counter or system took it in. After a return, it is the province of the "
            "regency or city that returned it, otherwise the national desk."
        ),
    )
    custodian: LazyAgency | None = loaded(
        agencies.by_id,
        key="custodian",
        description=(
            "The agency that works on it while the holder has no active team: its province, or the national desk; "
            "otherwise null."
        ),
    )
    supporting: list[LazyAgency] = loaded(
        agencies.by_id, key="supporting", description="Agencies that work on it with the holder."
    )
    team: LazyTeam | None = loaded(
        teams.by_id, key="team", description="The holder's team that accepted it; null before that."
    )
    unit: LazyOrgUnit | None = loaded(
        agencies.find_unit, key="unit", description="The holder's unit that it is assigned to; null if to none."
    )
    assignee: LazyTeamMember | None = loaded(
        teams.find_member,
        key="assignee",
        visible=policy.CUSTODY,
        description=(
            "[penugasan] The assigned liaison, shown only in custody; null if any liaison of the team may work on it."
        ),
    )
    hold: Hold | None = column(
        "hold", visible=policy.CUSTODY, description="Null unless it is on hold; shown only in custody."
    )
    forwardings: list[Forwarding] = column(
        "forwardings",
        visible=policy.CUSTODY,
        masked=Masked(view.mask_forwardings, ("forwardings",)),
        description=("[disposisi] The hand-overs between agencies, oldest first; each has the hash of the one before."),
    )
    clocks: list[Clock]
    overdue: bool = derived(
        view.is_overdue, needs=("nextDueAt",), description="Whether a running clock is past its due time."
    )
    escalation_level: int = column("escalationLevel", description="0: not escalated; 5: with the Ombudsman.")
    local_case: LocalCase | None = derived(
        local_case.find_local_case,
        needs=("_id", "holder"),
        description="The complaint in the holder's own system; null if the holder has none in this graph.",
    )
    merged_into: LazyComplaint | None = loaded(
        complaints.by_id, key="mergedInto", description="The complaint that it was merged into; null unless it was."
    )
    rating: Rating | None = column("rating", visible=policy.CUSTODY, masked=Masked(view.mask_rating, ("rating",)))
    closure: Closure | None = column("closure", visible=policy.CUSTODY, masked=Masked(view.mask_closure, ("closure",)))
    closure_proposal: ClosureProposal | None = derived(
        view.find_closure_proposal,
        needs=("proposal", "reporterSubject", *policy.CUSTODY.keys),
        description=(
            "Null unless a proposal waits for consent. Shown to the agency and to those who may consent, not to the "
            "reporter."
        ),
    )

    @called(LazyReporter | None, needs=("reporter", "anonymous", "holders", *policy.KEYS), commands=1)
    async def reporter(complaint: Parent[ComplaintDoc], info: ContextInfo) -> ReporterResult | None:
        """Who reported; null unless the viewer may know. Every read is logged with the request's purpose.

        The purpose comes from the header x-purpose; the national desk must send one.
        """
        return await vault.read_identity(info.context, complaint)

    received_at: datetime
    verified_at: datetime | None = column("verifiedAt", description="Null until it is verified.")
    first_follow_up_at: datetime | None = column("firstFollowUpAt", description="Null until an agency has followed up.")
    closed_at: datetime | None = column("closedAt", description="Null while it is open.")
    updated_at: datetime
    revision: int = column(
        "revision",
        description="Grows with every change. Send it as expectedRevision to change only what you have read.",
    )
    allowed_actions: list[ComplaintAction] = derived(
        transition.list_allowed_actions,
        needs=transition.CASE_KEYS,
        description="What this viewer may do with this complaint now.",
    )

    @called(FollowUpConnection, needs=("followUps", "reporterSubject", *policy.KNOWN.keys), paged=True)
    def follow_ups(
        complaint: Parent[ComplaintDoc], info: ContextInfo, first: int | None = None, after: str | None = None
    ) -> Listing:
        """The follow-ups that the viewer may read, oldest first."""
        return view.list_follow_ups(info.context, complaint, Arguments(first, after))


@object_type()
class ComplaintEdge:
    node: Complaint = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class ComplaintConnection:
    edges: list[ComplaintEdge] = edges(ComplaintEdge)
    nodes: list[Complaint] = nodes(Complaint)
    page_info: PageInfo = page_info()
    total_count: int | None = total_count(int | None, "Counted only if selected; null if counting took too long.")
