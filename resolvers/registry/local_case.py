"""Local cases: the complaint in the system of its holder, and whether that system may be asked about it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from resolvers import policy
from resolvers.documents import ComplaintDoc
from resolvers.request.context import RequestContext
from resolvers.results import LocalCaseResult

_DECIDING: Final = frozenset(policy.KEYS)


def find_local_case(context: RequestContext, complaint: ComplaintDoc) -> LocalCaseResult | None:
    """Return the reference to the complaint in the holder's system.

    None when the holder's subgraph has no type that implements LocalCase.
    """
    type_name = context.local_cases.by_agency.get(complaint["holder"])
    if type_name is None:
        return None
    return {"__typename": type_name, "id": complaint["_id"], "number": None, "unit": None, "url": None}


async def may_be_sent(
    context: RequestContext, agency: str, representations: Sequence[Mapping[str, Any]]
) -> Sequence[bool]:
    """Return, for each representation, whether the gateway may ask the agency's subgraph about it for this viewer.

    False for a complaint that does not exist.
    """
    complaints = context.local_cases.entities
    # All loads begin before the first is awaited, so that the loader reads one batch.
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
