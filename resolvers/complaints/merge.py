"""Merges [digabung] a complaint into another about the same matter; its reporter follows that one."""

from typing import Final

from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.complaints.follow_up import append_follow_up
from resolvers.complaints.transition import act
from resolvers.documents import Changes, ComplaintDoc, Update, apply_changes
from resolvers.domain import tracking_id
from resolvers.domain.lifecycle import OPEN, Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, Visibility
from resolvers.errors import InvalidInput, LimitReached, NotFound, WrongStatus
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Session

MAX_FOLLOWERS: Final = 500
MERGED_NOTICE: Final = (
    "Laporan ini digabung dengan laporan lain tentang hal yang sama; jawaban atas laporan itu berlaku juga di sini."
)

_INTO: Final = ("input", "into")


async def merge(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, into: str, note: str | None
) -> ComplaintDoc:
    """End the complaint in favour of `into`, an open one of the same region and category; both change, or neither.

    There are no chains and no cycles: a complaint with followers cannot be merged, and a merged one is not open.
    """
    noted = text.clean_optional(note, "note")
    target_id = tracking_id.parse_id(into)
    if target_id == complaint_id:
        raise InvalidInput("A complaint is not merged into itself.", field=_INTO)

    def change(complaint: ComplaintDoc, transition: Transition) -> Changes:
        changes = append_follow_up(context, complaint, FollowUpKind.ACKNOWLEDGE, MERGED_NOTICE, Visibility.REPORTER)
        if noted:
            merged = apply_changes(complaint, changes)
            changes = append_follow_up(context, merged, FollowUpKind.NOTE, noted, Visibility.INTERNAL)
        return {**changes, "mergedInto": target_id}

    async def follow(source: ComplaintDoc, session: Session) -> None:
        complaints = context.store.complaints
        target = await complaints.find_one({"_id": {"$eq": target_id}}, session=session)
        if target is None or not policy.has_custody(context.viewer, target, context.proven):
            raise NotFound(f"{into!r} does not exist, or is not yours to merge into.", field=_INTO)
        _check_fit(source, target)
        await complaints.update_one({"_id": target["_id"]}, _add_follower(context, source, target), session=session)

    return await act(context, attempt, complaint_id, ComplaintAction.MERGE, change, companion=follow)


def _check_fit(source: ComplaintDoc, target: ComplaintDoc) -> None:
    if target["status"] not in OPEN:
        raise WrongStatus(f"{target['_id']} is {target['status']}: only an open one is merged into.", field=_INTO)
    if source["category"] is None or (source["category"], source["region"]) != (target["category"], target["region"]):
        raise InvalidInput(f"{target['_id']} is of another region or category.", field=_INTO)
    if len(target["followers"]) >= MAX_FOLLOWERS:
        raise LimitReached(f"{MAX_FOLLOWERS} complaints follow {target['_id']} already.", field=_INTO)


def _add_follower(context: RequestContext, source: ComplaintDoc, target: ComplaintDoc) -> Update:
    subject = source["reporterSubject"]
    subjects = {*target["followerSubjects"], *([subject] if subject else [])}
    """Return the update that makes `source` and its reporter followers of `target`, with its audit entry."""
    changes: Changes = {
        "followers": [*target["followers"], source["_id"]],
        "followerSubjects": sorted(subjects),
        "updatedAt": context.now,
    }
    changes["readers"] = policy.compute_readers(apply_changes(target, changes))
    recorded = audit_trail.make_audit_keys(context, target, apply_changes(target, changes), ComplaintAction.MERGE)
    return {"$set": changes | recorded, "$inc": {"revision": 1}}
