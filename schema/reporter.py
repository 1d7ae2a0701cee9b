"""Reporter: who reported a complaint, the data stored about them, and the log of who read those data."""

from datetime import datetime

import strawberry

from resolvers import policy
from resolvers.agencies import agency as agencies
from schema.binding import column, loaded, object_type
from schema.enums import AgeBand, Role, Sex
from schema.lazy import LazyAgency
from schema.page import PageInfo, cursor, edges, nodes, page_info, total_count


@object_type()
class Reporter:
    """[pelapor] Who reported, as far as the viewer may know: fields that the viewer may not read are null.

    A liaison reads how to reach them. The holder's own system reads only the id, a token for relaying messages.
    """

    id: strawberry.ID
    name: str | None
    email: str | None
    phone: str | None


@object_type()
class ReporterRecord:
    """All personal data stored about a reporter, for the reporter (UU 27/2022). Null: not given, or erased."""

    complaint: strawberry.ID
    name: str | None
    email: str | None
    phone: str | None
    nik: str | None
    sex: Sex | None
    age_band: AgeBand | None
    disability: bool | None
    consent_at: datetime | None = column(
        "consentAt",
        description="When the reporter agreed that sex, age band and disability are stored; null without consent.",
    )
    sealed_at: datetime = column("sealedAt", description="When the data were encrypted and stored.")
    erased_at: datetime | None = column("erasedAt", description="Null unless they were erased.")


@object_type()
class IdentityRead:
    """One time that somebody read who reported a complaint. The reporter sees only its role and time."""

    complaint: strawberry.ID
    at: datetime
    role: Role
    agency: LazyAgency | None = loaded(agencies.by_id, key="agency", visible=policy.WATCHED)
    subject: str | None = column("subject", visible=policy.WATCHED)
    purpose: str | None = column(
        "purpose", visible=policy.WATCHED, description="As stated in the header x-purpose; null if it was not sent."
    )


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
