"""The mutation that changes an agency: its short name, its units, and whether it is connected."""

import strawberry

from resolvers.agencies import agency_changes as agencies
from resolvers.documents import AgencyDoc
from schema.agency import Agency
from schema.binding import action, object_type
from schema.errors import UserError, make_attempt
from schema.input_values import to_dict
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
    connected: bool | None = strawberry.field(
        default=None, description="Only the national desk may change it; null leaves it unchanged."
    )
    units: list[OrgUnitInput] | None = strawberry.field(
        default=None,
        description="All units of the agency: a unit that is left out is removed, unless something still refers to it.",
    )
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(AgencyPayload)
async def update_agency(info: ContextInfo, input: UpdateAgencyInput) -> AgencyDoc:
    """Changes an agency. A null field leaves its value unchanged."""
    changes = agencies.AgencyChanges(
        short_name=input.short_name,
        connected=input.connected,
        units=None if input.units is None else [to_dict(unit) for unit in input.units],
    )
    return await agencies.change_agency(info.context, make_attempt(info, input), input.agency, changes)
