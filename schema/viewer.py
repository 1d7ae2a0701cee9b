"""Viewer: who sent the request, and what they may do."""

from strawberry import Parent

from resolvers.agencies import agency as agencies
from resolvers.agencies import team as teams
from resolvers.documents import TeamDoc
from resolvers.results import ViewerResult
from schema.binding import called, column, loaded, object_type
from schema.enums import Role
from schema.lazy import LazyAgency, LazyTeam
from schema.page import ContextInfo


@object_type()
class Viewer:
    """Who sent the request, according to the token. Without a token the role is PUBLIC."""

    subject: str | None = column("subject", description="The token's `sub`; null without a token.")
    role: Role
    agency: LazyAgency | None = loaded(
        agencies.by_id, key="agency", description="The agency that the viewer works for; null for citizens and others."
    )
    scopes: list[str]

    @called(list[LazyTeam], commands=1)
    async def teams(viewer: Parent[ViewerResult], info: ContextInfo) -> list[TeamDoc]:
        """The teams that the viewer is a current member of."""
        return await teams.by_subject(info.context, info.context.viewer.subject)
