"""The reporter's rights by law (UU 27/2022): access, correction, erasure, withdrawal of consent.

Each mutation changes the vault first and then writes the complaint's audit. Both steps may be repeated: after a crash
between the two, the reporter sends the request again.
"""

from collections.abc import Mapping
from typing import Any

from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.complaints.complaint import by_tracking_id
from resolvers.complaints.transition import prove_reporter
from resolvers.documents import Changes, ComplaintDoc, FollowUpDoc, PrivacyChangeDoc, Update, apply_changes
from resolvers.domain import tracking_id
from resolvers.domain.vocabulary import AuditAction
from resolvers.errors import InvalidInput, NotAllowed, NotFound
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, check_revision, is_done, update_complaint
from resolvers.results import ReporterRecordResult
from resolvers.store.database import MAX_TIME_MS
from resolvers.vault import vault


async def read_record(
    context: RequestContext, complaint_id: str, *, secret: str | None = None
) -> ReporterRecordResult | None:
    """Return everything that is stored about the reporter, for the reporter; None for everybody else.

    The read itself goes to the log of identity reads.
    """
    complaint = await by_tracking_id(context, complaint_id, secret=secret)
    if complaint is None or complaint["reporter"] is None:
        return None
    if not policy.may_exercise_rights(context.viewer, complaint, context.proven):
        return None
    keys = frozenset({*vault.LIMITS, *vault.INCLUSION})
    await vault.record_read(context, complaint, complaint["reporter"], vault.parse_purpose(context), keys)
    reporter = await context.loaders.reporter.load(complaint["reporter"])
    if reporter is None:
        return None
    stored = await vault.read_fields(context, complaint["reporter"])
    return {
        "complaint": complaint["_id"],
        "name": stored.get("name"),
        "email": stored.get("email"),
        "phone": stored.get("phone"),
        "nik": stored.get("nik"),
        "sex": stored.get("sex"),
        "ageBand": stored.get("ageBand"),
        "disability": stored.get("disability"),
        "consentAt": reporter["consentAt"],
        "sealedAt": reporter["sealedAt"],
        "erasedAt": reporter["erasedAt"],
    }


async def correct(
    context: RequestContext, attempt: Attempt, complaint_id: str, given: Mapping[str, Any], *, secret: str | None
) -> ComplaintDoc:
    """Replace the given fields and keep the others. Raises NotAllowed if nothing is stored, or it was erased."""
    fields = vault.check_fields(given)
    if not fields:
        raise InvalidInput("Nothing to correct: give a name, email, phone or nik.", field=("input", "reporter"))
    complaint, is_repeated = await _find_own(context, attempt, complaint_id, secret)
    if is_repeated:
        return complaint
    reporter_id = complaint["reporter"] or ""
    wrapped = await context.loaders.reporter_key.load(reporter_id)
    if wrapped is None:
        raise NotAllowed("Nothing is stored about this complaint's reporter: there is nothing to correct.")
    sealed = vault.encrypt_fields(context.key_ring.unwrap(wrapped, reporter_id), reporter_id, fields)
    changes = {f"fields.{key}": value for key, value in sealed.items()}
    await context.store.reporters.update_one({"_id": reporter_id, "erasedAt": None}, {"$set": changes})
    return await _record_action(context, attempt, complaint, AuditAction.REPORTER_CORRECTED)


async def withdraw_consent(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, secret: str | None
) -> ComplaintDoc:
    """Delete sex, age band and disability, which are kept only with consent."""
    complaint, is_repeated = await _find_own(context, attempt, complaint_id, secret)
    if is_repeated:
        return complaint
    withdrawn: Changes = {"inclusion": None, "consentAt": None}
    await context.store.reporters.update_one({"_id": complaint["reporter"]}, {"$set": withdrawn})
    return await _record_action(context, attempt, complaint, AuditAction.CONSENT_WITHDRAWN)


async def erase(context: RequestContext, attempt: Attempt, complaint_id: str, *, secret: str | None) -> ComplaintDoc:
    """Destroy the reporter's key, so that nobody can read the reporter again, not even in a backup.

    The complaint stays. It is unlinked from the reporter's account, and its secret still opens it.
    """
    complaint, is_repeated = await _find_own(context, attempt, complaint_id, secret)
    if is_repeated:
        return complaint
    reporter_id = complaint["reporter"]
    if reporter_id is not None:
        await context.store.reporter_keys.delete_one({"_id": reporter_id})
        erased: Changes = {"fields": {}, "inclusion": None, "consentAt": None, "erasedAt": context.now}
        await context.store.reporters.update_one({"_id": reporter_id}, {"$set": erased})
    subject = complaint["reporterSubject"]
    if subject is not None and complaint["mergedInto"] is not None:
        unlink: Update = {"$pull": {"followerSubjects": subject}}
        await context.store.complaints.update_one({"_id": complaint["mergedInto"]}, unlink)
    # Without the account this request could not read the complaint in its own answer.
    context.proven.add(complaint["_id"])
    return await _record_action(context, attempt, complaint, AuditAction.REPORTER_ERASED, unlinks=True)


async def _find_complaint(context: RequestContext, complaint_id: str, secret: str | None) -> ComplaintDoc | None:
    parsed = tracking_id.parse_id(complaint_id)
    wanted = {"_id": {"$eq": parsed}}
    complaint = None if parsed is None else await context.store.complaints.find_one(wanted, max_time_ms=MAX_TIME_MS)
    if complaint is not None:
        prove_reporter(context, complaint, secret)
    return complaint


async def _find_own(
    context: RequestContext, attempt: Attempt, complaint_id: str, secret: str | None
) -> tuple[ComplaintDoc, bool]:
    """Return the viewer's own complaint, and whether the call repeats one that succeeded.

    Raises NotFound, NotAllowed, IdempotencyConflict, and ChangedMeanwhile, all before anything is changed.
    """
    token = attempt.derive_token(context)
    complaint = await _find_complaint(context, complaint_id, secret)
    if complaint is not None and token is not None and is_done(complaint, token, attempt):
        return complaint, True
    if complaint is None or not policy.may_know(context.viewer, complaint, context.proven):
        raise NotFound(f"{complaint_id} does not exist, or is not yours to see.")
    if not policy.may_exercise_rights(context.viewer, complaint, context.proven):
        raise NotAllowed("Only the reporter may decide about what is stored about them.")
    check_revision(complaint, attempt)
    return complaint, False


async def _record_action(
    context: RequestContext, attempt: Attempt, complaint: ComplaintDoc, action: AuditAction, *, unlinks: bool = False
) -> ComplaintDoc:
    """Put the action on the complaint's audit; `unlinks` also removes the reporter's account from the complaint."""

    def change(current: ComplaintDoc) -> Changes:
        changes: Changes = {"updatedAt": context.now, **(_unlink_account(current) if unlinks else {})}
        return changes | {"readers": policy.compute_readers(apply_changes(current, changes))}

    return await update_complaint(
        context,
        complaint["_id"],
        attempt,
        is_visible=lambda current: True,
        change=change,
        record=audit_trail.AuditRecord(context, action),
    )


def _unlink_account(complaint: ComplaintDoc) -> Changes:
    """Return the keys that remove the reporter's account from the complaint and from what the reporter wrote."""
    subject = complaint["reporterSubject"]
    follow_ups: list[FollowUpDoc] = [
        {**row, "bySubject": None} if row["bySubject"] == subject else row for row in complaint["followUps"]
    ]
    privacy_changes: list[PrivacyChangeDoc] = [
        {**row, "bySubject": None} if row["bySubject"] == subject else row for row in complaint["privacyChanges"]
    ]
    return {"reporterSubject": None, "followUps": follow_ups, "privacyChanges": privacy_changes}
