"""Agency and its units, and the lists of agencies."""

from collections.abc import Awaitable

import strawberry
from strawberry import Parent

from resolvers.agencies import action_plan as plans
from resolvers.agencies import agency as agencies
from resolvers.agencies import region as regions
from resolvers.agencies import team as teams
from resolvers.documents import ActionPlanDoc, AgencyDoc, OrgUnitDoc, TeamDoc, TeamMemberDoc
from resolvers.results import TeamHealthResult
from schema.binding import called, column, loaded, object_type
from schema.complaint_filter import complaints_within
from schema.enums import AgencyKind
from schema.lazy import LazyActionPlan, LazyAgency, LazyOrgUnit, LazyRegion, LazyTeam, LazyTeamMember
from schema.node import Node
from schema.page import ContextInfo, PageInfo, cursor, edges, nodes, page_info, total_count


@object_type()
class OrgUnit:
    """[unit kerja / perangkat daerah] A unit of an agency."""

    id: strawberry.ID
    name: str
    parent: LazyOrgUnit | None = loaded(
        agencies.find_unit, key="parent", description="The unit that it belongs to; null if it is at the top."
    )

    @called(list[LazyTeamMember], needs=("id",), commands=1)
    async def liaisons(unit: Parent[OrgUnitDoc], info: ContextInfo) -> list[TeamMemberDoc]:
        """The current liaisons of this unit in the agency's active teams."""
        return await teams.find_liaisons(info.context, unit["id"])


@object_type()
class TeamHealth:
    """How the seats of an agency's active teams are filled; if no team is active, those of its last team."""

    seats_filled: int
    seats_total: int = column("seatsTotal", description="One coordinator, one admin, and one liaison for each unit.")
    liaisons_per_unit: float | None = column("liaisonsPerUnit", description="Null if the agency has no units.")
    trained_share: float | None = column(
        "trainedShare", description="The share of members with a training, 0 to 1; null without members."
    )
    days_to_expiry: int | None = column(
        "daysToExpiry", description="Days until the term ends, negative afterwards; null if the end is not published."
    )


@object_type(keys=("id",))
class Agency(Node):
    """[instansi] A government body that receives complaints."""

    id: strawberry.ID = column("_id")
    kind: AgencyKind
    name: str
    short_name: str
    code: str | None = column(
        "code",
        description="The Kemendagri code of a regional government (51.03), or a published BKN code; otherwise null.",
    )
    region: LazyRegion | None = loaded(
        regions.by_code, key="region", description="The region that it governs; null for ministries and institutions."
    )
    province: LazyAgency | None = loaded(
        agencies.by_id, key="province", description="The provincial government of a regency or city; otherwise null."
    )
    connected: bool = column("connected", description="Whether it works on its complaints in this system.")
    pilot: bool
    units: list[OrgUnit]
    custodian: LazyAgency | None = loaded(
        agencies.by_id,
        key="custodian",
        description=(
            "The agency that works on its complaints while it is not connected or has no active team; otherwise null."
        ),
    )
    revision: int

    @called(list[LazyAgency], needs=("_id", "kind"), commands=1, register=agencies.by_id)
    def regencies(agency: Parent[AgencyDoc], info: ContextInfo) -> Awaitable[list[AgencyDoc]]:
        """The regencies and cities of a province, by name; empty for other agencies."""
        return agencies.list_regencies(info.context, agency)

    @called(list[LazyTeam], needs=("_id",), commands=1)
    async def teams(agency: Parent[AgencyDoc], info: ContextInfo, active_only: bool | None = False) -> list[TeamDoc]:
        return await teams.by_agency(info.context, agency["_id"], active_only=bool(active_only))

    @called(list[LazyActionPlan], needs=("_id",), commands=1)
    async def action_plans(agency: Parent[AgencyDoc], info: ContextInfo) -> list[ActionPlanDoc]:
        """Its action plans, by the first day of their period."""
        return await plans.by_agency(info.context, agency["_id"])

    @called(TeamHealth | None, needs=("_id", "units"), commands=1)
    async def team_health(agency: Parent[AgencyDoc], info: ContextInfo) -> TeamHealthResult | None:
        """How its teams are staffed and how long their term lasts; null if it has no team."""
        return await teams.compute_health(info.context, agency)

    complaints = complaints_within("holder", "Complaints that this agency holds now; newest first by default.")


@strawberry.input
class AgencyFilter:
    kinds: list[AgencyKind] | None = None
    province: strawberry.ID | None = None
    connected: bool | None = None
    pilot: bool | None = None
    search: str | None = strawberry.field(
        default=None, description="Part of the name or short name; upper and lower case are equal."
    )


@object_type()
class AgencyEdge:
    node: Agency = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class AgencyConnection:
    edges: list[AgencyEdge] = edges(AgencyEdge)
    nodes: list[Agency] = nodes(Agency)
    page_info: PageInfo = page_info()
    total_count: int = total_count(int)
