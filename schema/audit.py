"""AuditEntry: who did what with a complaint, and whether the record is whole."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import Role
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]


@object_type()
class AuditEntry:
    """[jejak audit] One change of a complaint, without a word of what was written."""

    complaint: strawberry.ID
    sequence: int
    at: datetime
    action: str = column(
        "action",
        description="A ComplaintAction, LAPSE, REFUSE_CLOSURE, REPORTER_CORRECTED, CONSENT_WITHDRAWN, REPORTER_ERASED.",
    )
    role: Role
    subject: str | None = column("subject", description="The account of staff; null for a reporter.")
    agency: LazyAgency | None = loaded(agencies.by_id, key="agency")
    before: str | None = column("before", description="Digest of the complaint before; null at submission.")
    after: str
    previous_hash: str | None
    hash: str


@object_type()
class AuditEdge:
    node: AuditEntry = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class AuditConnection:
    edges: list[AuditEdge] = edges(AuditEdge)
    nodes: list[AuditEntry] = nodes(AuditEntry)
    page_info: PageInfo = page_info()
    total_count: int = total_count(int)


@object_type()
class AuditVerification:
    valid: bool
    length: int
    first_invalid_sequence: int | None = column(
        "firstInvalidSequence", description="The first entry that was altered, or is missing."
    )
    continuous: bool = column(
        "continuous",
        description="Each entry begins where the one before ended, and the complaint is as the last one left it.",
    )
