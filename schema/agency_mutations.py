"""Agencies: their short name, their units, and whether they are connected."""

import strawberry

from resolvers.agencies import agency_changes as agencies
from schema.agency import Agency
from schema.binding import Document, action, object_type
from schema.errors import UserError, attempt
from schema.given import given
from schema.page import ContextInfo


@object_type(subject="agency")
class AgencyPayload:
    agency: Agency | None
    user_errors: list[UserError]


@strawberry.input
class OrgUnitInput:
    id: strawberry.ID | None = strawberry.field(default=None, description="Null for a new unit.")
    name: str
    parent: strawberry.ID | None = None


@strawberry.input
class UpdateAgencyInput:
    agency: strawberry.ID
    short_name: str | None = None
    connected: bool | None = strawberry.field(default=None, description="For the national desk to say.")
    units: list[OrgUnitInput] | None = strawberry.field(
        default=None, description="The whole list: what it leaves out is removed, where nobody needs it any more."
    )
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(AgencyPayload)
async def update_agency(info: ContextInfo, input: UpdateAgencyInput) -> Document:
    """What is null stays as it is."""
    changes = agencies.Changes(
        short_name=input.short_name,
        connected=input.connected,
        units=None if input.units is None else [given(unit) for unit in input.units],
    )
    return await agencies.change(info.context, attempt(info, input), input.agency, changes)
