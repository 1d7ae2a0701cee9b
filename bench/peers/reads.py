"""The lists' filter and order, under the same policy and over the same index as ours."""

from typing import Any, Final

from resolvers import policy
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.store.database import Store
from resolvers.viewer import Viewer

ORDER: Final = [("receivedAt", -1), ("_id", -1)]
INDEX: Final = "readers_province_status_receivedAt"
ALL: Final = sorted(ComplaintStatus)


def newest(
    store: Store,
    viewer: Viewer,
    provinces: list[str],
    statuses: list[ComplaintStatus],
    limit: int,
    projection: dict[str, int] | None = None,
) -> Any:
    """A cursor over what the viewer may know of."""
    wanted = {
        "readers": {"$in": list(policy.groups(viewer))},
        "status": {"$in": statuses},
        "province": {"$in": provinces},
    }
    return store.complaints.find(wanted, projection, limit=limit).sort(ORDER).hint(INDEX)
