"""The logs as they are read: who did what with a complaint, and who read who reported it."""

from typing import Final

from resolvers import policy
from resolvers.audit_log import audit_chain
from resolvers.audit_log.audit_chain import AuditVerification
from resolvers.audit_log.audit_trail import merge_waiting
from resolvers.complaints.complaint import by_tracking_id
from resolvers.domain import tracking_id
from resolvers.paging.listing import Arguments, Cursors, Listing, of_rows, scope
from resolvers.request.context import RequestContext
from resolvers.store import indexes, pages
from resolvers.store.database import MAX_TIME_MS, Document, Store

_NEWEST: Final = pages.Order("at", descending=True)


async def of_complaint(context: RequestContext, complaint_id: str, arguments: Arguments) -> Listing | None:
    """The audit of one complaint, oldest first; None where there is none that the viewer may know of, or may audit."""
    complaint = await _audited(context, complaint_id)
    if complaint is None:
        return None
    rows = await _entries(context.store, complaint["_id"])
    cursors = Cursors(context.secret_key, scope("auditLog", complaint["_id"]))
    return of_rows(rows, arguments, cursors, position=lambda row: [row["sequence"]])


async def verify(context: RequestContext, complaint_id: str) -> AuditVerification | None:
    """None where `of_complaint` is."""
    complaint = await _audited(context, complaint_id)
    return None if complaint is None else await verified(context.store, complaint["_id"])


async def _audited(context: RequestContext, complaint_id: str) -> Document | None:
    parsed = tracking_id.parse_id(complaint_id)
    complaint = None if parsed is None else await context.loaders.complaint.load(parsed)
    return complaint if complaint is not None and policy.may_audit(context.viewer, complaint) else None


async def verified(store: Store, complaint_id: str) -> AuditVerification | None:
    """The audit of one complaint against itself, its head and the complaint as it is."""
    # Read first: an entry that comes meanwhile is then beyond the head, and not missing before it.
    keys = dict.fromkeys((*audit_chain.DIGESTED, "auditHead", "auditPending"), True)
    complaint = await store.complaints.find_one({"_id": {"$eq": complaint_id}}, keys, max_time_ms=MAX_TIME_MS)
    if complaint is None:
        return None
    head = complaint.get("auditHead")
    moved = await _moved(store, complaint_id)
    entries = merge_waiting(moved, complaint.get("auditPending", []))
    entries = [entry for entry in entries if head is None or entry["sequence"] <= head["sequence"]]
    found = audit_chain.verify_entries(entries, head)
    as_left = not entries or entries[-1]["after"] == audit_chain.compute_digest(complaint)
    return found._replace(continuous=found.continuous and as_left)


async def _entries(store: Store, complaint_id: str) -> list[Document]:
    # What waits is read first: an entry that moves meanwhile is found in both, never in neither.
    waiting = await store.complaints.find_one(
        {"_id": {"$eq": complaint_id}}, {"auditPending": True}, max_time_ms=MAX_TIME_MS
    )
    moved = await _moved(store, complaint_id)
    return merge_waiting(moved, (waiting or {}).get("auditPending", []))


async def _moved(store: Store, complaint_id: str) -> list[Document]:
    found = store.audit.find({"complaint": {"$eq": complaint_id}}, max_time_ms=MAX_TIME_MS).sort("sequence")
    rows: list[Document] = await found.to_list(None)
    return rows


async def identity_reads(
    context: RequestContext, complaint_id: str | None, arguments: Arguments, *, secret: str | None = None
) -> Listing:
    """Who read who reported, newest first: of one complaint its reporter too, without names; of all the overseers.

    Nothing, rather than a refusal, for whom there is nothing to see.
    """
    bounds: Document = {"readers": {"$in": list(policy.watched_groups(context.viewer))}}
    if complaint_id is not None:
        complaint = await by_tracking_id(context, complaint_id, secret=secret)
        own = complaint is not None and policy.is_reporter(context.viewer, complaint, context.proven)
        wanted = None if complaint is None else complaint["_id"]
        bounds = {"complaint": {"$eq": wanted}, **({} if own else bounds)}
    return pages.build_listing(
        context.store.identity_reads,
        [pages.Part(bounds, indexes.choose(indexes.IDENTITY_READ_LISTS, bounds, "at"))],
        _NEWEST,
        arguments,
        Cursors(context.secret_key, scope("identityReads", complaint_id)),
    )
