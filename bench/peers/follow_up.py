"""The write of the Python peers. It reads, decides and audits as ours does; the bare form is one update without audit.

Both check policy, status and revision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import ReturnDocument

from bench.operations import BARE
from resolvers import policy
from resolvers.audit_log import audit_chain, audit_trail
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.domain.vocabulary import ComplaintAction, ComplaintStatus
from resolvers.personal_data import text
from resolvers.store.database import Document, Store
from resolvers.viewer import Viewer

_READ: Final = (*audit_chain.DIGESTED, "revision", "readers", "holderProvince", "firstFollowUpAt", "auditHead")
"""Keys of a complaint that the audit entry needs."""


@dataclass(frozen=True, slots=True)
class Write:
    """A follow-up for a complaint at a revision. `keys` are what the answer shows; None shows all."""

    complaint: str
    revision: int
    added: Mapping[str, Any]
    keys: tuple[str, ...] | None = None


async def add(store: Store, viewer: Viewer, headers: Mapping[str, str], write: Write) -> ComplaintDoc | None:
    """Returns the changed complaint; None if the viewer may not work on it or its revision is another one."""
    now = datetime.now(UTC)
    follow_up = {
        "kind": write.added["kind"],
        "body": text.clean_required(write.added["body"], "body"),
        "visibility": write.added["visibility"],
        "byAgency": viewer.agency,
        "byRole": viewer.role,
        "bySubject": viewer.subject,
        "commitment": None,
        "closureCode": None,
        "evidence": [],
        "approved": True,
        "rejection": None,
        "at": now,
    }
    make = _write_bare if headers.get(BARE.name) == BARE.value else _write_recorded
    return await make(store, viewer, write, follow_up, now)


async def _write_recorded(
    store: Store, viewer: Viewer, write: Write, follow_up: Document, now: datetime
) -> ComplaintDoc | None:
    before = await store.complaints.find_one(
        {"_id": write.complaint}, write.keys and _make_projection(_READ, write.keys)
    )
    if before is None or not _may_follow_up(viewer, before, write.revision):
        return None
    added = {"id": f"{write.complaint}/{len(before['followUps']) + 1}", **follow_up}
    changes = {"firstFollowUpAt": before["firstFollowUpAt"] or now, "updatedAt": now}
    changed = {**changes, "revision": write.revision + 1, "followUps": [*before["followUps"], added]}
    after = apply_changes(before, changed)
    entry = audit_trail.make_entry(viewer, now, before, after, ComplaintAction.FOLLOW_UP)
    made = await store.complaints.update_one(
        {"_id": write.complaint, "revision": write.revision, "status": before["status"]},
        {
            "$set": changes | {"auditHead": audit_trail.make_head(entry)},
            "$push": {"followUps": added, "auditPending": entry},
            "$inc": {"revision": 1},
        },
    )
    return after if made.matched_count else None


def _may_follow_up(viewer: Viewer, complaint: ComplaintDoc, revision: int) -> bool:
    is_own = complaint["holder"] == viewer.agency and policy.may_know(viewer, complaint)
    return is_own and complaint["status"] == ComplaintStatus.IN_PROGRESS and complaint["revision"] == revision


async def _write_bare(
    store: Store, viewer: Viewer, write: Write, follow_up: Document, now: datetime
) -> ComplaintDoc | None:
    numbered = {"$concat": ["$_id", "/", {"$toString": {"$add": [{"$size": "$followUps"}, 1]}}]}
    literal = {key: {"$literal": value} for key, value in follow_up.items()}
    changes = {
        "followUps": {"$concatArrays": ["$followUps", [{"id": numbered, **literal}]]},
        "firstFollowUpAt": {"$ifNull": ["$firstFollowUpAt", now]},
        "updatedAt": now,
        "revision": {"$add": ["$revision", 1]},
    }
    unchanged = {
        "_id": write.complaint,
        "revision": write.revision,
        "status": ComplaintStatus.IN_PROGRESS,
        "holder": viewer.agency,
        "readers": {"$in": list(policy.list_groups(viewer))},
    }
    found: ComplaintDoc | None = await store.complaints.find_one_and_update(
        unchanged,
        [{"$set": changes}],
        projection=write.keys and _make_projection(write.keys),
        return_document=ReturnDocument.AFTER,
    )
    return found


def _make_projection(*keys: Iterable[str]) -> dict[str, int]:
    return {key: 1 for each in keys for key in each}
