"""FollowUp: what an agency answered and when."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import ClosureCode, FollowUpKind, Role, Visibility
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count
from schema.scalars import Date

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]


@object_type()
class Commitment:
    """What the agency undertakes to do."""

    action: str
    unit: str | None
    due_on: Date | None


@object_type()
class FollowUp:
    """[tindak lanjut] What an agency, or the reporter, wrote on a complaint."""

    id: strawberry.ID
    kind: FollowUpKind
    body: str | None
    visibility: Visibility
    by_agency: LazyAgency | None = loaded(agencies.by_id, key="byAgency", description="Null for the reporter.")
    by_role: Role
    commitment: Commitment | None
    closure_code: ClosureCode | None
    evidence: list[str]
    approved: bool = column("approved", description="False while a FINAL follow-up is a draft.")
    at: datetime


@object_type()
class FollowUpEdge:
    node: FollowUp = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class FollowUpConnection:
    edges: list[FollowUpEdge] = edges(FollowUpEdge)
    nodes: list[FollowUp] = nodes(FollowUp)
    page_info: PageInfo = page_info()
    total_count: int = total_count(int)
