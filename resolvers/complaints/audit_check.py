"""The audit as a whole: every complaint's record verified, and all entries in a row."""

from collections.abc import AsyncIterator

from resolvers.audit_log.audit_trail import move_entries
from resolvers.complaints.audit import verified
from resolvers.store.database import Document, Store


async def every(store: Store, complaint_id: str | None = None) -> AsyncIterator[tuple[str, str | None]]:
    """Each complaint that has a record, and what is wrong with it; None: nothing.

    An audit whose complaint is gone counts as removed with it.
    """
    wanted: Document = {"_id": {"$eq": complaint_id}} if complaint_id else {"auditHead": {"$ne": None}}
    async for row in store.complaints.find(wanted, {"_id": True}).sort("_id"):
        yield row["_id"], await _fault(store, row["_id"])
    orphans: list[Document] = [
        {"$group": {"_id": "$complaint"}},
        {"$lookup": {"from": store.complaints.name, "localField": "_id", "foreignField": "_id", "as": "found"}},
        {"$match": {"found": [], **({"_id": complaint_id} if complaint_id else {})}},
    ]
    async for row in store.audit.aggregate(orphans, allowDiskUse=True):
        yield row["_id"], "the complaint itself was removed"


async def _fault(store: Store, complaint_id: str) -> str | None:
    found = await verified(store, complaint_id)
    if found is None or (found.first_invalid is None and found.continuous):
        return None
    if found.first_invalid is not None:
        return f"entry {found.first_invalid} of {found.length} is altered or missing"
    return "something was changed beside the record"


async def entries(store: Store) -> AsyncIterator[Document]:
    """All entries by complaint and sequence, those first moved that waited."""
    while await move_entries(store):
        pass
    async for entry in store.audit.find({}, {"_id": False}).sort([("complaint", 1), ("sequence", 1)]):
        yield entry
