"""Reads the logs of a complaint: who changed it (the audit), and who read the identity of its reporter."""

from typing import Final

from resolvers import policy
from resolvers.audit_log import audit_chain
from resolvers.audit_log.audit_chain import AuditVerification
from resolvers.audit_log.audit_trail import merge_waiting
from resolvers.complaints.complaint import by_tracking_id
from resolvers.documents import AuditEntryDoc, ComplaintDoc, Filter
from resolvers.domain import tracking_id
from resolvers.paging.listing import Arguments, Cursors, Listing, encode_scope, of_rows
from resolvers.request.context import RequestContext
from resolvers.store import indexes, pages
from resolvers.store.database import MAX_TIME_MS, Store

_NEWEST: Final = pages.Order("at", descending=True)


async def list_entries(context: RequestContext, complaint_id: str, arguments: Arguments) -> Listing | None:
    """Return the audit of one complaint, oldest entry first; None if the viewer may not read it."""
    complaint = await _find_audited(context, complaint_id)
    if complaint is None:
        return None
    rows = await _read_entries(context.store, complaint["_id"])
    cursors = Cursors(context.secret_key, encode_scope("auditLog", complaint["_id"]))
    return of_rows(rows, arguments, cursors, position=lambda row: [row["sequence"]])


async def verify(context: RequestContext, complaint_id: str) -> AuditVerification | None:
    """Verify the audit of one complaint; None if the viewer may not read it."""
    complaint = await _find_audited(context, complaint_id)
    return None if complaint is None else await verify_stored(context.store, complaint["_id"])


async def _find_audited(context: RequestContext, complaint_id: str) -> ComplaintDoc | None:
    parsed = tracking_id.parse_id(complaint_id)
    complaint = None if parsed is None else await context.loaders.complaint.load(parsed)
    return complaint if complaint is not None and policy.may_audit(context.viewer, complaint) else None


async def verify_stored(store: Store, complaint_id: str) -> AuditVerification | None:
    """Verify the stored entries against each other, the complaint's head and the complaint; None if it is gone.

    The complaint must be as its last entry says (`after` is a digest of it).
    """
    # The head is read before the entries: an entry that is added in between comes after the head and is left out below.
    keys = dict.fromkeys((*audit_chain.DIGESTED, "auditHead", "auditPending"), True)
    complaint = await store.complaints.find_one({"_id": {"$eq": complaint_id}}, keys, max_time_ms=MAX_TIME_MS)
    if complaint is None:
        return None
    head = complaint.get("auditHead")
    moved = await _read_moved(store, complaint_id)
    entries = merge_waiting(moved, complaint.get("auditPending", []))
    entries = [entry for entry in entries if head is None or entry["sequence"] <= head["sequence"]]
    verification = audit_chain.verify_entries(entries, head)
    is_as_left = not entries or entries[-1]["after"] == audit_chain.compute_digest(complaint)
    return verification._replace(continuous=verification.continuous and is_as_left)


async def _read_entries(store: Store, complaint_id: str) -> list[AuditEntryDoc]:
    # Read in the order in which entries move: one that moves meanwhile is then found twice, never missed.
    waiting = await store.complaints.find_one(
        {"_id": {"$eq": complaint_id}}, {"auditPending": True}, max_time_ms=MAX_TIME_MS
    )
    moved = await _read_moved(store, complaint_id)
    return merge_waiting(moved, [] if waiting is None else waiting.get("auditPending", []))


async def _read_moved(store: Store, complaint_id: str) -> list[AuditEntryDoc]:
    found = store.audit.find({"complaint": {"$eq": complaint_id}}, max_time_ms=MAX_TIME_MS).sort("sequence")
    return await found.to_list(None)


async def list_identity_reads(
    context: RequestContext, complaint_id: str | None, arguments: Arguments, *, secret: str | None = None
) -> Listing:
    """Return who read the identity of reporters, newest first.

    With a complaint, its reporter also reads the list, without the names of the readers. The list is empty for a viewer
    who may read none of it.
    """
    bounds: Filter = {"readers": {"$in": list(policy.list_watched_groups(context.viewer))}}
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
        Cursors(context.secret_key, encode_scope("identityReads", complaint_id)),
    )
