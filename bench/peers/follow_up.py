"""The write of the Python peers: one conditional update, whose filter holds policy, status and revision."""

from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument

from resolvers import policy, text
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.store.database import Document, Store
from resolvers.viewer import Viewer


async def add(
    store: Store,
    viewer: Viewer,
    complaint_id: str,
    added: dict[str, Any],
    revision: int,
    projection: dict[str, int] | None = None,
) -> Document | None:
    """The complaint after it; None where it is not the viewer's to work on, or was changed meanwhile."""
    now = datetime.now(UTC)
    body = text.required(added["body"], "body")
    follow_up = {
        "id": {"$concat": ["$_id", "/", {"$toString": {"$add": [{"$size": "$followUps"}, 1]}}]},
        "kind": added["kind"],
        "body": {"$literal": body},
        "visibility": added["visibility"],
        "byAgency": {"$literal": viewer.agency},
        "byRole": viewer.role,
        "bySubject": {"$literal": viewer.subject},
        "commitment": None,
        "closureCode": None,
        "evidence": [],
        "approved": True,
        "rejection": None,
        "at": now,
    }
    changes = {
        "followUps": {"$concatArrays": ["$followUps", [follow_up]]},
        "firstFollowUpAt": {"$ifNull": ["$firstFollowUpAt", now]},
        "updatedAt": now,
        "revision": {"$add": ["$revision", 1]},
    }
    unchanged = {
        "_id": complaint_id,
        "revision": revision,
        "status": ComplaintStatus.IN_PROGRESS,
        "holder": viewer.agency,
        "readers": {"$in": list(policy.groups(viewer))},
    }
    found: Document | None = await store.complaints.find_one_and_update(
        unchanged, [{"$set": changes}], projection=projection, return_document=ReturnDocument.AFTER
    )
    return found
