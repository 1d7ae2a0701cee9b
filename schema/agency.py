"""Agency, its units, and the lists of agencies."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Parent

from resolvers.agencies import action_plan as plans
from resolvers.agencies import agency as agencies
from resolvers.agencies import region as regions
from resolvers.agencies import team as teams
from resolvers.documents import AgencyDoc, OrgUnitDoc
from schema.binding import Document, called, column, loaded, object_type
from schema.complaint_filter import complaints_within
from schema.enums import AgencyKind
from schema.node import Node
from schema.page import ContextInfo, PageInfo, cursor, edges, nodes, page_info, total_count

if TYPE_CHECKING:
    from schema.action_plan import ActionPlan
    from schema.region import Region
    from schema.team import Team, TeamMember

LazyActionPlan = Annotated["ActionPlan", strawberry.lazy("schema.action_plan")]
LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]
LazyOrgUnit = Annotated["OrgUnit", strawberry.lazy("schema.agency")]
LazyRegion = Annotated["Region", strawberry.lazy("schema.region")]
LazyTeam = Annotated["Team", strawberry.lazy("schema.team")]
LazyTeamMember = Annotated["TeamMember", strawberry.lazy("schema.team")]


@object_type()
class OrgUnit:
    """[unit kerja / perangkat daerah]"""

    id: strawberry.ID
    name: str
    parent: LazyOrgUnit | None = loaded(agencies.unit, key="parent")

    @called(list[LazyTeamMember], needs=("id",), commands=1)
    async def liaisons(unit: Parent[OrgUnitDoc], info: ContextInfo) -> list[Document]:
        """The present liaisons of the agency's active teams in this unit."""
        return await teams.liaisons(info.context, unit["id"])


@object_type()
class TeamHealth:
    """How the seats of an agency's active teams are filled; of the last team where none is active."""

    seats_filled: int
    seats_total: int = column("seatsTotal", description="A coordinator, an admin, and a liaison for each unit.")
    liaisons_per_unit: float | None = column("liaisonsPerUnit", description="Null where the agency has no units.")
    trained_share: float | None = column(
        "trainedShare", description="Members with a training, 0 to 1; null without members."
    )
    days_to_expiry: int | None = column(
        "daysToExpiry", description="Negative once the term is over; null where its end is not published."
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
        description="Kemendagri code for a regional government (51.03), BKN code where published, else null.",
    )
    region: LazyRegion | None = loaded(regions.by_code, key="region")
    province: LazyAgency | None = loaded(
        agencies.by_id, key="province", description="The province of a regency or city; null otherwise."
    )
    connected: bool
    pilot: bool
    units: list[OrgUnit]
    custodian: LazyAgency | None = loaded(
        agencies.by_id,
        key="custodian",
        description="Who works on its complaints while it is not connected, or has no team in force; else null.",
    )
    revision: int

    @called(list[LazyAgency], needs=("_id", "kind"), commands=1, register=agencies.by_id)
    def regencies(agency: Parent[AgencyDoc], info: ContextInfo) -> Awaitable[list[Document]]:
        """The regencies and cities of a province; empty otherwise."""
        return agencies.regencies(info.context, agency)

    @called(list[LazyTeam], needs=("_id",), commands=1)
    async def teams(agency: Parent[AgencyDoc], info: ContextInfo, active_only: bool | None = False) -> list[Document]:
        return await teams.by_agency(info.context, agency["_id"], active_only=bool(active_only))

    @called(list[LazyActionPlan], needs=("_id",), commands=1)
    async def action_plans(agency: Parent[AgencyDoc], info: ContextInfo) -> list[Document]:
        """The earliest first."""
        return await plans.by_agency(info.context, agency["_id"])

    @called(TeamHealth | None, needs=("_id", "units"), commands=1)
    async def team_health(agency: Parent[AgencyDoc], info: ContextInfo) -> Document | None:
        """Seats filled, trained share, days until the decree's term ends; null without a team."""
        return await teams.health(info.context, agency)

    complaints = complaints_within("holder", "What this agency holds now, newest first unless ordered otherwise.")


@strawberry.input
class AgencyFilter:
    kinds: list[AgencyKind] | None = None
    province: strawberry.ID | None = None
    connected: bool | None = None
    pilot: bool | None = None
    search: str | None = strawberry.field(default=None, description="Part of the name or short name, in any case.")


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
