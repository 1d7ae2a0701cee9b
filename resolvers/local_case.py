"""Local cases: which agency's system knows a complaint."""

from collections.abc import Mapping
from typing import Any

from resolvers.context import RequestContext
from resolvers.store.database import Document


def of(context: RequestContext, complaint: Mapping[str, Any]) -> Document | None:
    """The complaint in its holder's own system; None where the holder's subgraph brings no type of LocalCase."""
    type_name = context.local_cases.get(complaint["holder"])
    if type_name is None:
        return None
    return {"__typename": type_name, "id": complaint["_id"], "number": None, "unit": None, "url": None}
