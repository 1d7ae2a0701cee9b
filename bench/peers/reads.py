"""Reads of lists for the Python peers, with the policy, the order and the index of ours."""

from typing import Any, Final

from resolvers import policy
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.store.database import Store
from resolvers.viewer import Viewer

ORDER: Final = [("receivedAt", -1), ("_id", -1)]
INDEX: Final = "readers_province_status_receivedAt"
ALL: Final = sorted(ComplaintStatus)


def find_newest(
    store: Store,
    viewer: Viewer,
    provinces: list[str],
    statuses: list[ComplaintStatus],
    limit: int,
    projection: dict[str, int] | None = None,
) -> Any:
    """Returns a cursor over the newest complaints that the viewer may know of."""
    wanted = {
        "readers": {"$in": list(policy.list_groups(viewer))},
        "status": {"$in": statuses},
        "province": {"$in": provinces},
    }
    return store.complaints.find(wanted, projection, limit=limit).sort(ORDER).hint(INDEX)
