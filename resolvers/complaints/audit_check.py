"""The audit of all complaints: verifies every record, and lists all entries."""

from collections.abc import AsyncIterator

from resolvers.audit_log.audit_trail import move_entries
from resolvers.complaints.audit import verify_stored
from resolvers.documents import AuditEntryDoc, Filter, Pipeline
from resolvers.store.database import Store


async def check_all(store: Store, complaint_id: str | None = None) -> AsyncIterator[tuple[str, str | None]]:
    """Yield each complaint that has an audit, with the fault that was found, or None.

    Entries without their complaint are a fault: the complaint was removed.
    """
    wanted: Filter = {"_id": {"$eq": complaint_id}} if complaint_id else {"auditHead": {"$ne": None}}
    async for row in store.complaints.find(wanted, {"_id": True}).sort("_id"):
        yield row["_id"], await _find_fault(store, row["_id"])
    orphans: Pipeline = [
        {"$group": {"_id": "$complaint"}},
        {"$lookup": {"from": store.complaints.name, "localField": "_id", "foreignField": "_id", "as": "found"}},
        {"$match": {"found": [], **({"_id": complaint_id} if complaint_id else {})}},
    ]
    async for row in store.audit.aggregate(orphans, allowDiskUse=True):
        yield row["_id"], "the complaint itself was removed"


async def _find_fault(store: Store, complaint_id: str) -> str | None:
    verification = await verify_stored(store, complaint_id)
    if verification is None or (verification.first_invalid is None and verification.continuous):
        return None
    if verification.first_invalid is not None:
        return f"entry {verification.first_invalid} of {verification.length} is altered or missing"
    return "the complaint was changed without an entry in its audit"


async def list_entries(store: Store) -> AsyncIterator[AuditEntryDoc]:
    """Yield all entries, by complaint and sequence, after moving those that still wait on complaints."""
    while await move_entries(store):
        pass
    async for entry in store.audit.find({}, {"_id": False}).sort([("complaint", 1), ("sequence", 1)]):
        yield entry
