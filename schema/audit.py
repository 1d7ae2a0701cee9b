"""AuditEntry: who did what with a complaint; AuditVerification: whether the record is complete and unaltered."""

from datetime import datetime

import strawberry

from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import Role
from schema.lazy import LazyAgency
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count


@object_type()
class AuditEntry:
    """[jejak audit] One change of a complaint: who made it and when, without any text of the complaint."""

    complaint: strawberry.ID
    sequence: int = column("sequence", description="1, 2, …: the entry's place in the audit of its complaint.")
    at: datetime
    action: str = column(
        "action",
        description=(
            "A ComplaintAction, or LAPSE, REFUSE_CLOSURE, REPORTER_CORRECTED, CONSENT_WITHDRAWN, REPORTER_ERASED."
        ),
    )
    role: Role
    subject: str | None = column("subject", description="The account, if it was staff; null for a reporter.")
    agency: LazyAgency | None = loaded(agencies.by_id, key="agency")
    before: str | None = column(
        "before", description="Digest of the complaint before the change; null for the submission."
    )
    after: str = column("after", description="Digest of the complaint after the change.")
    previous_hash: str | None = column("previousHash", description="Hash of the entry before; null for the first one.")
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
    """The result of recomputing the audit of a complaint from its first entry."""

    valid: bool = column("valid", description="Whether no entry was altered or is missing.")
    length: int = column("length", description="How many entries there are.")
    first_invalid_sequence: int | None = column(
        "firstInvalidSequence", description="The first entry that was altered or is missing; null if there is none."
    )
    continuous: bool = column(
        "continuous",
        description=(
            "Whether each `before` is the previous `after`, and the last `after` is the complaint's present state."
        ),
    )
