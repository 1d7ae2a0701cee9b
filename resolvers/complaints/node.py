"""Reads an object of any type by its readable id."""

from resolvers.agencies import action_plan, agency, team
from resolvers.complaints import complaint
from resolvers.documents import ActionPlanDoc, AgencyDoc, ComplaintDoc, TeamDoc
from resolvers.request.context import RequestContext


async def by_id(
    context: RequestContext, node_id: str, keys: frozenset[str] | None = None
) -> ComplaintDoc | TeamDoc | ActionPlanDoc | AgencyDoc | None:
    """Return the complaint (LP-…), team (TM-…), action plan (PL-…) or agency; None if the viewer may not know of it."""
    match node_id.partition("-")[0].upper():
        case "LP":
            return await complaint.by_tracking_id(context, node_id, keys=keys)
        case "TM":
            return await team.by_id(context, node_id)
        case "PL":
            return await action_plan.by_id(context, node_id)
        case _:
            return await agency.by_id(context, node_id)
