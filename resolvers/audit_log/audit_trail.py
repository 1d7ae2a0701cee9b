"""Writes the audit: an entry is part of the update that it records, and moves to its own collection afterwards.

A crash between the two steps loses nothing: entries that wait on the complaint are read as part of the audit, and the
next process moves them.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from resolvers import policy
from resolvers.audit_log import audit_chain
from resolvers.documents import AuditEntryDoc, AuditHeadDoc, Changes, ComplaintDoc
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, Store
from resolvers.store.indexes import AUDIT_PENDING
from resolvers.viewer import Viewer

MOVED_AT_ONCE: Final = 200
"""Most complaints whose entries one call of `move_entries` moves."""

_NUMBERS: Final = random.Random()  # noqa: S311 - they tell entries apart, and guard nothing


def make_audit_keys(context: RequestContext, before: ComplaintDoc | None, after: ComplaintDoc, action: str) -> Changes:
    """Return the keys that add the entry to the complaint, for the update that `action` makes."""
    entry = make_entry(context.viewer, context.now, before, after, action)
    waiting = [] if before is None else before.get("auditPending", [])
    return {"auditHead": make_head(entry), "auditPending": [*waiting, entry]}


def make_entry(
    viewer: Viewer, now: datetime, before: ComplaintDoc | None, after: ComplaintDoc, action: str
) -> AuditEntryDoc:
    """Return the entry that follows the head of the complaint, with its hash."""
    head = None if before is None else before.get("auditHead")
    then, since = (
        (None, audit_chain.compute_digest(after)) if before is None else audit_chain.compute_digests(before, after)
    )
    entry: AuditEntryDoc = {
        "complaint": after["_id"],
        "sequence": 1 if head is None else head["sequence"] + 1,
        "at": now,
        "action": str(action),
        "role": str(viewer.role),
        "subject": policy.find_log_subject(viewer),
        "agency": viewer.agency,
        "readers": list(policy.list_watchers(after)),
        "before": then,
        "after": since,
        "previousHash": None if head is None else head["hash"],
        "hash": "",
    }
    entry["hash"] = audit_chain.hash_entry(entry)
    # Two callers may do the same in the same millisecond, and one of them is refused. The mark tells whose entry it is.
    entry["mark"] = f"{_NUMBERS.getrandbits(64):016x}"
    return entry


def make_head(entry: AuditEntryDoc) -> AuditHeadDoc:
    """Return what the complaint keeps of its last entry."""
    return {"sequence": entry["sequence"], "hash": entry["hash"]}


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Records an `action` on a complaint that exists already."""

    context: RequestContext
    action: str

    def keys(self, before: ComplaintDoc, after: ComplaintDoc) -> Changes:
        return make_audit_keys(self.context, before, after, self.action)

    async def is_written(self, changes: Changes) -> bool:
        """Whether the entry of the changes is stored, on its complaint or already moved."""
        store, entry = self.context.store, changes["auditPending"][-1]
        # Read in the order in which entries move: an entry that moves between the reads is found at least once.
        places = (
            (store.complaints, {"_id": entry["complaint"], "auditPending.mark": entry["mark"]}),
            (store.audit, {"_id": make_entry_id(entry), "mark": entry["mark"]}),
        )
        for collection, wanted in places:
            if await collection.find_one(wanted, {"_id": True}, max_time_ms=MAX_TIME_MS) is not None:
                return True
        return False


async def move_entries(store: Store) -> int:
    """Move entries that wait on complaints to the audit; return how many. Safe to run again and by many at once."""
    waiting = store.complaints.find(
        {"auditPending.sequence": {"$gte": 1}}, {"auditPending": True}, limit=MOVED_AT_ONCE, max_time_ms=MAX_TIME_MS
    )
    rows = await waiting.hint(AUDIT_PENDING).to_list(MOVED_AT_ONCE)
    entries = [entry for row in rows for entry in row["auditPending"]]
    if entries:
        written = [UpdateOne({"_id": make_entry_id(entry)}, {"$setOnInsert": entry}, upsert=True) for entry in entries]
        await store.audit.bulk_write(written, ordered=False)
        await store.complaints.bulk_write([_make_removal(row) for row in rows], ordered=False)
    return len(entries)


def _make_removal(row: ComplaintDoc) -> UpdateOne:
    moved = [entry["sequence"] for entry in row["auditPending"]]
    return UpdateOne({"_id": row["_id"]}, {"$pull": {"auditPending": {"sequence": {"$in": moved}}}})


def make_entry_id(entry: AuditEntryDoc) -> str:
    return f"{entry['complaint']}/{entry['sequence']}"


def merge_waiting(moved: Sequence[AuditEntryDoc], waiting: Sequence[AuditEntryDoc]) -> list[AuditEntryDoc]:
    """Return the audit of one complaint, oldest first, from its moved and its waiting entries."""
    by_sequence = {entry["sequence"]: entry for entry in (*waiting, *moved)}
    return [by_sequence[sequence] for sequence in sorted(by_sequence)]
