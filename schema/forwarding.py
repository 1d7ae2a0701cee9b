"""Forwarding: the hand-overs between agencies."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import ComplaintAction, ReturnReason, Role

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]


@object_type()
class Forwarding:
    """[disposisi] One hand-over, from agency to agency."""

    sequence: int
    from_: LazyAgency | None = loaded(agencies.by_id, key="from", name="from")
    to: LazyAgency = loaded(agencies.by_id, key="to")
    action: ComplaintAction
    reason: ReturnReason | None
    note: str | None = column(
        "note", description="Inside custody only; the chain hashes a salted digest of it, never the text."
    )
    by_role: Role
    at: datetime
    previous_hash: str | None
    hash: str
