"""Reporter: who reported, as the viewer may know it, all that is kept of them, and who has read it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import policy
from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import AgeBand, Role, Sex
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]


@object_type()
class Reporter:
    """[pelapor] Liaisons read how to reach them, the holder's own system a token to relay to: the id."""

    id: strawberry.ID
    name: str | None
    email: str | None
    phone: str | None


@object_type()
class ReporterRecord:
    """All that is kept of a reporter, for the reporter (UU 27/2022); fields are null once erased."""

    complaint: strawberry.ID
    name: str | None
    email: str | None
    phone: str | None
    nik: str | None
    sex: Sex | None
    age_band: AgeBand | None
    disability: bool | None
    consent_at: datetime | None
    sealed_at: datetime
    erased_at: datetime | None


@object_type()
class IdentityRead:
    """One reading of who reported a complaint. Its reporter sees role and time."""

    complaint: strawberry.ID
    at: datetime
    role: Role
    agency: LazyAgency | None = loaded(agencies.by_id, key="agency", visible=policy.WATCHED)
    subject: str | None = column("subject", visible=policy.WATCHED)
    purpose: str | None = column("purpose", visible=policy.WATCHED, description="As the header x-purpose stated it.")


@object_type()
class IdentityReadEdge:
    node: IdentityRead = column("node", passes=True)
    cursor: str = cursor()


@object_type()
class IdentityReadConnection:
    edges: list[IdentityReadEdge] = edges(IdentityReadEdge)
    nodes: list[IdentityRead] = nodes(IdentityRead)
    page_info: PageInfo = page_info()
    total_count: int | None = total_count(int | None)
