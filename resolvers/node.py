"""Nodes: anything by its readable id."""

from resolvers import agency, complaint, team
from resolvers.context import RequestContext
from resolvers.store.database import Document


async def by_id(context: RequestContext, node_id: str, keys: frozenset[str] | None = None) -> Document | None:
    """A complaint (LP-…), a team (TM-…) or an agency; None where there is none that the viewer may know of."""
    match node_id.partition("-")[0].upper():
        case "LP":
            return await complaint.by_tracking_id(context, node_id, keys=keys)
        case "TM":
            return await team.by_id(context, node_id)
        case _:
            return await agency.by_id(context, node_id)
