"""Viewer: who is asking and what they may do."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Parent

from resolvers.agencies import agency as agencies
from resolvers.agencies import team as teams
from schema.binding import Document, called, loaded, object_type
from schema.enums import Role
from schema.page import ContextInfo

if TYPE_CHECKING:
    from schema.agency import Agency
    from schema.team import Team

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]
LazyTeam = Annotated["Team", strawberry.lazy("schema.team")]


@object_type()
class Viewer:
    """Who is asking, as the credentials say; no token: role PUBLIC."""

    subject: str | None
    role: Role
    agency: LazyAgency | None = loaded(agencies.by_id, key="agency")
    scopes: list[str]

    @called(list[LazyTeam], commands=1)
    async def teams(viewer: Parent[Document], info: ContextInfo) -> list[Document]:
        """The teams that the viewer is a present member of."""
        return await teams.of_subject(info.context, info.context.viewer.subject)
