"""Local cases: which agency's system knows a complaint, and which it may be asked of."""

from collections.abc import Mapping
from typing import Any, Final

from resolvers import policy
from resolvers.context import RequestContext
from resolvers.store.database import Document

_DECIDING: Final = frozenset(policy.KEYS)


def of(context: RequestContext, complaint: Mapping[str, Any]) -> Document | None:
    """The complaint in its holder's own system; None where the holder's subgraph brings no type of LocalCase."""
    type_name = context.local_cases.get(complaint["holder"])
    if type_name is None:
        return None
    return {"__typename": type_name, "id": complaint["_id"], "number": None, "unit": None, "url": None}


async def may_be_sent(context: RequestContext, agency: str, complaint_id: Any) -> bool:
    """Whether the agency's subgraph may be asked of the complaint for who is asking; of none that does not exist."""
    if not isinstance(complaint_id, str):
        return False
    complaint = await context.loaders.complaint.load(complaint_id, _DECIDING)
    return complaint is not None and policy.may_be_sent(context.viewer, agency, complaint, context.proven)
