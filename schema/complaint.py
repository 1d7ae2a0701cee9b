"""Complaint: its fields, and the lists of complaints."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

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
from resolvers.vault import vault
from schema.binding import Document, Masked, called, column, derived, loaded, object_type
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
from schema.local_case import LocalCase
from schema.node import Node
from schema.page import ContextInfo, PageInfo, cursor, edges, nodes, page_info, total_count
from schema.scalars import Date

if TYPE_CHECKING:
    from schema.agency import Agency, OrgUnit
    from schema.category import Category
    from schema.region import Region
    from schema.reporter import Reporter
    from schema.team import Team, TeamMember

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]
LazyCategory = Annotated["Category", strawberry.lazy("schema.category")]
LazyComplaint = Annotated["Complaint", strawberry.lazy("schema.complaint")]
LazyOrgUnit = Annotated["OrgUnit", strawberry.lazy("schema.agency")]
LazyRegion = Annotated["Region", strawberry.lazy("schema.region")]
LazyReporter = Annotated["Reporter", strawberry.lazy("schema.reporter")]
LazyTeam = Annotated["Team", strawberry.lazy("schema.team")]
LazyTeamMember = Annotated["TeamMember", strawberry.lazy("schema.team")]


@object_type()
class Location:
    """Text and exact coordinates inside custody; outside, no text and coordinates to three decimals.

    Sensitive categories have no coordinates outside custody.
    """

    text: str | None
    region: LazyRegion = loaded(regions.by_code, key="region")
    latitude: float | None
    longitude: float | None


@object_type()
class Hold:
    reason: str
    review_on: Date


@object_type()
class Clock:
    """One service-level clock, in the working time of the holder's region."""

    kind: ClockKind
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    paused: bool = derived(view.clock_is_paused, needs=("pauses", "stoppedAt"))
    breached: bool = derived(view.clock_is_breached, needs=("dueAt", "stoppedAt", "pauses"))
    working_days_left: float | None = derived(
        view.working_days_left,
        needs=("dueAt", "stoppedAt", "pauses", "zone"),
        description="Negative when late; null where the clock has no due time.",
    )
    provisional: bool = column("provisional", description="True where the year's public holidays are not known yet.")


@object_type()
class Rating:
    stars: int = column("stars", description="1 to 5.")
    comment: str | None = column("comment", description="The reporter's own words; null outside custody.")
    at: datetime


@object_type()
class Closure:
    """How it ended; what was written and attached to that is read inside custody."""

    code: ClosureCode | None
    evidence: list[str]
    archive_reason: ArchiveReason | None
    referral: str | None
    ground: str | None
    alternative: str | None
    at: datetime


@object_type()
class ClosureProposal:
    """A closure without a remedy that waits for the coordinator's consent."""

    code: ClosureCode
    ground: str
    alternative: str
    at: datetime


@object_type(keys=("id",))
class Complaint(Node):
    """[laporan] A ticket: one citizen's complaint, aspiration or request, from submission to closure."""

    id: strawberry.ID = column(
        "_id", description="The tracking ID [nomor pelacakan]: random, check digit, not sequential."
    )
    class_: ComplaintClass = column("class", name="class")
    category: LazyCategory | None = loaded(categories.by_code, key="category")
    title: str = column(
        "title",
        visible=policy.CUSTODY,
        masked=Masked(view.shown_title, ("redactedTitle", "publicTitle")),
        description="Redacted like the body outside custody.",
    )
    body: str | None = column(
        "body",
        visible=policy.CUSTODY,
        masked=Masked(view.shown_body, ("redactedBody",)),
        description=(
            "The text as this viewer may read it: full inside custody and for the reporter, for others with personal "
            "data masked ([nama], [telepon]), null while no redacted text exists."
        ),
    )
    status: ComplaintStatus
    grade: SupervisionGrade | None
    channel: Channel
    location: Location | None = column(
        "location", visible=policy.CUSTODY, masked=Masked(view.shown_location, ("location", "sensitive"))
    )
    occurred_on: Date | None
    anonymous: bool
    confidential: bool
    named_agency: LazyAgency | None = loaded(
        agencies.by_id, key="namedAgency", description="The agency that the reporter named, if any."
    )
    holder: LazyAgency = loaded(
        agencies.by_id,
        key="holder",
        description=(
            "The one agency that answers for this complaint now. Until it is routed: the national desk (kemenpanrb), "
            "or the agency at whose counter or in whose system it was taken in. Returned: the regency's province, "
            "else the desk."
        ),
    )
    custodian: LazyAgency | None = loaded(
        agencies.by_id,
        key="custodian",
        description="Who works on it while the holder has no team in force: its province, or the national desk.",
    )
    supporting: list[LazyAgency] = loaded(agencies.by_id, key="supporting")
    team: LazyTeam | None = loaded(teams.by_id, key="team")
    unit: LazyOrgUnit | None = loaded(agencies.unit, key="unit")
    assignee: LazyTeamMember | None = loaded(
        teams.member,
        key="assignee",
        visible=policy.CUSTODY,
        description="The liaison it is assigned to [penugasan]; null: any liaison of the team. Read inside custody.",
    )
    hold: Hold | None = column("hold", visible=policy.CUSTODY, description="Read inside custody.")
    forwardings: list[Forwarding] = column(
        "forwardings",
        visible=policy.CUSTODY,
        masked=Masked(view.shown_forwardings, ("forwardings",)),
        description=(
            "The chain of custody [disposisi], oldest first; each link carries the hash of the one before it."
        ),
    )
    clocks: list[Clock]
    overdue: bool = derived(view.overdue, needs=("nextDueAt",), description="A running clock is past its due time.")
    escalation_level: int
    local_case: LocalCase | None = derived(
        local_case.of,
        needs=("_id", "holder"),
        description="In the holder's own system; null where the holder has none in this graph.",
    )
    merged_into: LazyComplaint | None = loaded(complaints.by_id, key="mergedInto")
    rating: Rating | None = column("rating", visible=policy.CUSTODY, masked=Masked(view.shown_rating, ("rating",)))
    closure: Closure | None = column("closure", visible=policy.CUSTODY, masked=Masked(view.shown_closure, ("closure",)))
    closure_proposal: ClosureProposal | None = derived(
        view.closure_proposal,
        needs=("proposal", "reporterSubject", *policy.CUSTODY.keys),
        description="Stands until it is consented to or sent back. Read by the agency and by those who consent.",
    )

    @called(LazyReporter | None, needs=("reporter", "anonymous", "holders", *policy.KEYS), commands=1)
    async def reporter(complaint: Parent[ComplaintDoc], info: ContextInfo) -> Document | None:
        """Null unless the viewer may know who reported; every read of it is logged with the request's purpose.

        The purpose stands in the header x-purpose; the national desk must state one.
        """
        return await vault.identity(info.context, dict(complaint))

    received_at: datetime
    verified_at: datetime | None
    first_follow_up_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    revision: int = column("revision", description="Grows with every change; send it as expectedRevision.")
    allowed_actions: list[ComplaintAction] = derived(
        transition.allowed_actions,
        needs=transition.CASE_KEYS,
        description="What this viewer may do with this complaint now.",
    )

    @called(FollowUpConnection, needs=("followUps", "reporterSubject", *policy.KNOWN.keys), paged=True)
    def follow_ups(
        complaint: Parent[ComplaintDoc], info: ContextInfo, first: int | None = None, after: str | None = None
    ) -> Listing:
        """What the viewer may read of the follow-ups, oldest first."""
        return view.follow_ups(info.context, dict(complaint), Arguments(first, after))


@object_type()
class ComplaintEdge:
    node: Complaint = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class ComplaintConnection:
    edges: list[ComplaintEdge] = edges(ComplaintEdge)
    nodes: list[Complaint] = nodes(Complaint)
    page_info: PageInfo = page_info()
    total_count: int | None = total_count(
        int | None, "Counted only when asked for; null where counting ran out of time."
    )
