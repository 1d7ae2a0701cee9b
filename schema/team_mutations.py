"""The mutations that set up a team by decree, change it, and add and end memberships."""

import strawberry

from resolvers.agencies import team_changes as teams
from resolvers.documents import TeamDoc
from schema.binding import action, object_type
from schema.enums import TeamKind, TeamRole
from schema.errors import UserError, make_attempt
from schema.input_values import to_dict
from schema.page import ContextInfo
from schema.scalars import Date
from schema.team import Team


@object_type(subject="team")
class TeamPayload:
    team: Team | None
    user_errors: list[UserError]


@strawberry.input
class DecreeInput:
    number: str
    issuer: str
    issued_on: Date | None = None
    title: str


@strawberry.input
class TeamMemberInput:
    name: str
    role: TeamRole
    unit: strawberry.ID | None = None
    from_: Date = strawberry.field(name="from")
    to: Date | None = None
    primary: bool | None = False
    subject: str | None = strawberry.field(
        default=None, description="The `sub` claim of the person's tokens; null if they have no account."
    )
    trainings: list[str] | None = None


@strawberry.input
class CreateTeamInput:
    agency: strawberry.ID
    kind: TeamKind
    name: str
    decree: DecreeInput
    term_from: Date
    term_to: Date | None = None
    supersedes: strawberry.ID | None = None
    members: list[TeamMemberInput]
    idempotency_key: str | None = None


@action(TeamPayload)
async def create_team(info: ContextInfo, input: CreateTeamInput) -> TeamDoc:
    """Sets up a team by decree. `supersedes` names the team that it replaces."""
    return await teams.create_team(
        info.context,
        make_attempt(info, input),
        agency=input.agency,
        kind=input.kind,
        name=input.name,
        decree=to_dict(input.decree),
        term_from=input.term_from,
        term_to=input.term_to,
        supersedes=input.supersedes,
        members=[to_dict(member) for member in input.members],
    )


@strawberry.input
class UpdateTeamInput:
    team: strawberry.ID
    name: str | None = None
    term_to: Date | None = None
    decree: DecreeInput | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(TeamPayload)
async def update_team(info: ContextInfo, input: UpdateTeamInput) -> TeamDoc:
    """Changes a team. A null field leaves its value unchanged."""
    return await teams.change_team(
        info.context,
        make_attempt(info, input),
        input.team,
        name=input.name,
        term_to=input.term_to,
        decree=None if input.decree is None else to_dict(input.decree),
    )


@strawberry.input
class AddTeamMemberInput:
    team: strawberry.ID
    member: TeamMemberInput
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(TeamPayload)
async def add_team_member(info: ContextInfo, input: AddTeamMemberInput) -> TeamDoc:
    """Adds a member to a team."""
    return await teams.add_member(info.context, make_attempt(info, input), input.team, to_dict(input.member))


@strawberry.input
class EndTeamMembershipInput:
    team: strawberry.ID
    member: strawberry.ID
    on: Date
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(TeamPayload)
async def end_team_membership(info: ContextInfo, input: EndTeamMembershipInput) -> TeamDoc:
    """Ends a membership; `on` is its last day."""
    return await teams.end_membership(info.context, make_attempt(info, input), input.team, input.member, on=input.on)
