"""Teams: set up by decree, changed, joined and left."""

import strawberry

from resolvers.agencies import team_changes as teams
from schema.binding import Document, action, object_type
from schema.enums import TeamKind, TeamRole
from schema.errors import UserError, attempt
from schema.given import given
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
    subject: str | None = strawberry.field(default=None, description="The `sub` claim of the person's tokens.")
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
async def create_team(info: ContextInfo, input: CreateTeamInput) -> Document:
    return await teams.create(
        info.context,
        attempt(info, input),
        agency=input.agency,
        kind=input.kind,
        name=input.name,
        decree=given(input.decree),
        term_from=input.term_from,
        term_to=input.term_to,
        supersedes=input.supersedes,
        members=[given(member) for member in input.members],
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
async def update_team(info: ContextInfo, input: UpdateTeamInput) -> Document:
    """What is null stays as it is."""
    return await teams.change(
        info.context,
        attempt(info, input),
        input.team,
        name=input.name,
        term_to=input.term_to,
        decree=None if input.decree is None else given(input.decree),
    )


@strawberry.input
class AddTeamMemberInput:
    team: strawberry.ID
    member: TeamMemberInput
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(TeamPayload)
async def add_team_member(info: ContextInfo, input: AddTeamMemberInput) -> Document:
    return await teams.add_member(info.context, attempt(info, input), input.team, given(input.member))


@strawberry.input
class EndTeamMembershipInput:
    team: strawberry.ID
    member: strawberry.ID
    on: Date
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(TeamPayload)
async def end_team_membership(info: ContextInfo, input: EndTeamMembershipInput) -> Document:
    """`on` is the last day of membership."""
    return await teams.end_membership(info.context, attempt(info, input), input.team, input.member, on=input.on)
