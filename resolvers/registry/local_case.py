"""Local cases: which agency's system knows a complaint, and which it may be asked of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from resolvers import policy
from resolvers.request.context import RequestContext
from resolvers.store.database import Document

_DECIDING: Final = frozenset(policy.KEYS)


def find_local_case(context: RequestContext, complaint: Mapping[str, Any]) -> Document | None:
    """The complaint in its holder's own system; None where the holder's subgraph brings no type of LocalCase."""
    type_name = context.local_cases.by_agency.get(complaint["holder"])
    if type_name is None:
        return None
    return {"__typename": type_name, "id": complaint["_id"], "number": None, "unit": None, "url": None}


async def may_be_sent(
    context: RequestContext, agency: str, representations: Sequence[Mapping[str, Any]]
) -> Sequence[bool]:
    """Which of them the agency's subgraph may be asked of for who is asking; of no complaint that does not exist."""
    complaints = context.local_cases.entities
    # All are asked for before the first is awaited: the loader reads them in one batch.
    loading = {
        row["id"]: context.loaders.complaint.load(row["id"], _DECIDING)
        for row in representations
        if row["__typename"] in complaints and isinstance(row.get("id"), str)
    }
    may: dict[Any, bool] = {}
    for complaint_id, found in loading.items():
        complaint = await found
        may[complaint_id] = complaint is not None and policy.may_be_sent(
            context.viewer, agency, complaint, context.proven
        )
    return [row["__typename"] not in complaints or may.get(str(row.get("id")), False) for row in representations]
