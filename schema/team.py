"""Team and its members, and the lists of teams."""

import strawberry

from resolvers.agencies import agency as agencies
from resolvers.agencies import team as teams
from schema.binding import column, derived, loaded, object_type
from schema.complaint_filter import complaints_within
from schema.enums import TeamKind, TeamRole, TeamStatus
from schema.lazy import LazyAgency, LazyOrgUnit, LazyTeam
from schema.node import Node
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count
from schema.scalars import Date


@object_type()
class Decree:
    """[surat keputusan] The decree that a team or an action plan is based on."""

    number: str
    issuer: str
    issued_on: Date | None = column("issuedOn", description="Null if it is not published.")
    title: str


@object_type()
class TeamMember:
    """A seat in a team."""

    id: strawberry.ID
    name: str | None = column("name", description="Null if the agency does not publish it.")
    role: TeamRole
    unit: LazyOrgUnit | None = loaded(
        agencies.find_unit, key="unit", description="The unit that a liaison works for; null if the seat is of no unit."
    )
    from_: Date = column("from", name="from")
    to: Date | None = column("to", description="The last day of membership; null if no end is set.")
    primary: bool
    trainings: list[str]


@object_type(keys=("id",))
class Team(Node):
    """[tim koordinasi / tim pengelola] A team that an agency set up by decree, for a term.

    Only members of an active team may verify, approve and answer.
    """

    id: strawberry.ID = column("_id")
    agency: LazyAgency = loaded(agencies.by_id, key="agency")
    kind: TeamKind
    name: str
    decree: Decree | None
    term_from: Date
    term_to: Date | None = column(
        "termTo", description="The last day of the term; null if the decree does not publish it."
    )
    status: TeamStatus = derived(
        teams.derive_status,
        needs=("termFrom", "termTo", "supersededBy"),
        description="Computed from the term and today's date in Jakarta.",
    )
    members: list[TeamMember]
    supersedes: LazyTeam | None = loaded(
        teams.by_id, key="supersedes", description="The team that it replaced; null if it replaced none."
    )
    revision: int

    complaints = complaints_within("team", "Complaints that this team works on; newest first by default.")


@strawberry.input
class TeamFilter:
    agency: strawberry.ID | None = None
    kinds: list[TeamKind] | None = None
    status: list[TeamStatus] | None = None
    province: strawberry.ID | None = strawberry.field(
        default=None, description="Teams of this province and of its regencies and cities."
    )


@object_type()
class TeamEdge:
    node: Team = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class TeamConnection:
    edges: list[TeamEdge] = edges(TeamEdge)
    nodes: list[Team] = nodes(Team)
    page_info: PageInfo = page_info()
    total_count: int = total_count(int)
