"""What a reporter may ask for by law (UU 27/2022): access, correction, erasure, withdrawal of consent.

The vault is changed first and the complaint's audit after it: each can be repeated, so that a crash between the two is
mended by asking again.
"""

from collections.abc import Mapping
from typing import Any

from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.complaints.complaint import by_tracking_id
from resolvers.complaints.transition import prove
from resolvers.domain import tracking_id
from resolvers.domain.vocabulary import AuditAction
from resolvers.errors import InvalidInput, NotAllowed, NotFound
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, check_revision, is_done, update
from resolvers.store.database import MAX_TIME_MS, Document
from resolvers.vault import vault


async def access(context: RequestContext, complaint_id: str, *, secret: str | None = None) -> Document | None:
    """All that is kept of the reporter, for the reporter; None for everybody else."""
    complaint = await by_tracking_id(context, complaint_id, secret=secret)
    if complaint is None or complaint["reporter"] is None:
        return None
    if not policy.may_exercise_rights(context.viewer, complaint, context.proven):
        return None
    keys = frozenset({*vault.LIMITS, *vault.INCLUSION})
    await vault.record_read(context, complaint, vault.parse_purpose(context), keys)
    reporter = await context.loaders.reporter.load(complaint["reporter"])
    if reporter is None:
        return None
    found = await vault.read_fields(context, complaint["reporter"])
    return {"complaint": complaint["_id"], **dict.fromkeys(keys), **found, **_dates(reporter)}


def _dates(reporter: Document) -> Document:
    return {key: reporter[key] for key in ("consentAt", "sealedAt", "erasedAt")}


async def correct(
    context: RequestContext, attempt: Attempt, complaint_id: str, given: Mapping[str, Any], *, secret: str | None
) -> Document:
    """Replaces the fields that are given, and keeps the others."""
    fields = vault.check_fields(given)
    if not fields:
        raise InvalidInput("Nothing is corrected: give a name, email, phone or nik.", field=("input", "reporter"))
    complaint, done = await _own(context, attempt, complaint_id, secret)
    if done:
        return complaint
    wrapped = await context.loaders.reporter_key.load(complaint["reporter"] or "")
    if wrapped is None:
        raise NotAllowed("Nothing is kept of this complaint's reporter: there is nothing to correct.")
    reporter_id = complaint["reporter"]
    sealed = vault.encrypt_fields(context.key_ring.unwrap(wrapped, reporter_id), reporter_id, fields)
    changes = {f"fields.{key}": value for key, value in sealed.items()}
    await context.store.reporters.update_one({"_id": reporter_id, "erasedAt": None}, {"$set": changes})
    return await _noted(context, attempt, complaint, AuditAction.REPORTER_CORRECTED)


async def withdraw_consent(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, secret: str | None
) -> Document:
    """Sex, age band and disability are gone at once."""
    complaint, done = await _own(context, attempt, complaint_id, secret)
    if done:
        return complaint
    nothing: Document = {"inclusion": None, "consentAt": None}
    await context.store.reporters.update_one({"_id": complaint["reporter"]}, {"$set": nothing})
    return await _noted(context, attempt, complaint, AuditAction.CONSENT_WITHDRAWN)


async def erase(context: RequestContext, attempt: Attempt, complaint_id: str, *, secret: str | None) -> Document:
    """Destroys the reporter's key: nothing of the reporter can be read again, in backups either. The complaint stays.

    An account that reported it is unlinked; its secret still opens it.
    """
    complaint, done = await _own(context, attempt, complaint_id, secret)
    if done:
        return complaint
    reporter_id = complaint["reporter"]
    if reporter_id is not None:
        await context.store.reporter_keys.delete_one({"_id": reporter_id})
        erased: Document = {"fields": {}, "inclusion": None, "consentAt": None, "erasedAt": context.now}
        await context.store.reporters.update_one({"_id": reporter_id}, {"$set": erased})
    subject = complaint["reporterSubject"]
    if subject is not None and complaint["mergedInto"] is not None:
        followed = {"_id": complaint["mergedInto"]}
        await context.store.complaints.update_one(followed, {"$pull": {"followerSubjects": subject}})
    context.proven.add(complaint["_id"])
    return await _noted(context, attempt, complaint, AuditAction.REPORTER_ERASED, unlinks=True)


async def _known(context: RequestContext, complaint_id: str, secret: str | None) -> Document | None:
    parsed = tracking_id.parse_id(complaint_id)
    wanted = {"_id": {"$eq": parsed}}
    complaint = None if parsed is None else await context.store.complaints.find_one(wanted, max_time_ms=MAX_TIME_MS)
    if complaint is not None:
        prove(context, complaint, secret)
    return complaint


async def _own(
    context: RequestContext, attempt: Attempt, complaint_id: str, secret: str | None
) -> tuple[Document, bool]:
    """The viewer's own complaint, and whether the idempotency key has done its work on it.

    Raises NotFound, NotAllowed, IdempotencyConflict, and ChangedMeanwhile before anything is changed.
    """
    token = attempt.token(context)
    complaint = await _known(context, complaint_id, secret)
    if complaint is not None and token is not None and is_done(complaint, token, attempt):
        return complaint, True
    if complaint is None or not policy.may_know(context.viewer, complaint, context.proven):
        raise NotFound(f"{complaint_id} does not exist, or is not yours to see.")
    if not policy.may_exercise_rights(context.viewer, complaint, context.proven):
        raise NotAllowed("What is kept of a reporter is the reporter's own to decide.")
    check_revision(complaint, attempt)
    return complaint, False


async def _noted(
    context: RequestContext, attempt: Attempt, complaint: Document, action: AuditAction, *, unlinks: bool = False
) -> Document:
    def change(current: Document) -> Document:
        changes: Document = {"updatedAt": context.now, **(_unlinked(current) if unlinks else {})}
        return changes | {"readers": policy.readers(current | changes)}

    return await update(
        context,
        context.store.complaints,
        complaint["_id"],
        attempt,
        visible=lambda current: True,
        change=change,
        record=audit_trail.AuditRecord(context, action),
    )


def _unlinked(complaint: Document) -> Document:
    subject = complaint["reporterSubject"]

    def without(rows: list[Document]) -> list[Document]:
        return [{**row, "bySubject": None} if row["bySubject"] == subject else row for row in rows]

    nameless = {key: without(complaint[key]) for key in ("followUps", "privacyChanges")}
    return {"reporterSubject": None, **nameless}
