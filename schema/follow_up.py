"""FollowUp: what an agency, or the reporter, wrote on a complaint."""

from datetime import datetime

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import ClosureCode, FollowUpKind, Role, Visibility
from schema.lazy import LazyAgency
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count
from schema.scalars import Date


@object_type()
class Commitment:
    """What the agency promises to do."""

    action: str
    unit: str | None = column("unit", description="The unit that does it; null if none is named.")
    due_on: Date | None = column("dueOn", description="The day by which it is done; null if none is named.")


@object_type()
class FollowUp:
    """[tindak lanjut] A text that an agency, or the reporter, wrote on a complaint."""

    id: strawberry.ID
    kind: FollowUpKind
    body: str | None
    visibility: Visibility
    by_agency: LazyAgency | None = loaded(
        agencies.by_id, key="byAgency", description="The author's agency; null if the reporter wrote it."
    )
    by_role: Role
    commitment: Commitment | None
    closure_code: ClosureCode | None = column("closureCode", description="Null unless it is a FINAL follow-up.")
    evidence: list[str]
    approved: bool = column("approved", description="False while a FINAL follow-up is a draft; otherwise true.")
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
