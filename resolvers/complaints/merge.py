"""Merging [digabung]: two complaints about the same matter become one; the reporter follows the other."""

from typing import Final

from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.complaints.follow_up import appended
from resolvers.complaints.transition import act
from resolvers.domain import tracking_id
from resolvers.domain.lifecycle import OPEN, Transition
from resolvers.domain.vocabulary import ComplaintAction, FollowUpKind, Visibility
from resolvers.errors import InvalidInput, LimitReached, NotFound, WrongStatus
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt
from resolvers.store.database import Document, Session

MAX_FOLLOWERS: Final = 500
MERGED: Final = (
    "Laporan ini digabung dengan laporan lain tentang hal yang sama; jawaban atas laporan itu berlaku juga di sini."
)

_INTO: Final = ("input", "into")


async def merge(
    context: RequestContext, attempt: Attempt, complaint_id: str, *, into: str, note: str | None
) -> Document:
    """Ends it in favour of an open one of the same region and category; both change, or neither.

    No chains and no circles: what others follow is not merged, and what was merged is no longer open to follow.
    """
    noted = text.clean_optional(note, "note")
    target_id = tracking_id.parse_id(into)
    if target_id == complaint_id:
        raise InvalidInput("A complaint is not merged into itself.", field=_INTO)

    def change(complaint: Document, transition: Transition) -> Document:
        told = appended(context, complaint, FollowUpKind.ACKNOWLEDGE, MERGED, Visibility.REPORTER)
        if noted:
            told = appended(context, {**complaint, **told}, FollowUpKind.NOTE, noted, Visibility.INTERNAL)
        return {**told, "mergedInto": target_id}

    async def follow(source: Document, session: Session) -> None:
        complaints = context.store.complaints
        target = await complaints.find_one({"_id": {"$eq": target_id}}, session=session)
        if target is None or not policy.in_custody(context.viewer, target, context.proven):
            raise NotFound(f"{into!r} does not exist, or is not yours to merge into.", field=_INTO)
        _check_fit(source, target)
        await complaints.update_one({"_id": target["_id"]}, _followed(context, source, target), session=session)

    return await act(context, attempt, complaint_id, ComplaintAction.MERGE, change, beside=follow)


def _check_fit(source: Document, target: Document) -> None:
    if target["status"] not in OPEN:
        raise WrongStatus(f"{target['_id']} is {target['status']}: only an open one is merged into.", field=_INTO)
    if source["category"] is None or (source["category"], source["region"]) != (target["category"], target["region"]):
        raise InvalidInput(f"{target['_id']} is of another region or category.", field=_INTO)
    if len(target["followers"]) >= MAX_FOLLOWERS:
        raise LimitReached(f"{MAX_FOLLOWERS} complaints follow {target['_id']} already.", field=_INTO)


def _followed(context: RequestContext, source: Document, target: Document) -> Document:
    subject = source["reporterSubject"]
    subjects = {*target["followerSubjects"], *([subject] if subject else [])}
    followed = {
        "followers": [*target["followers"], source["_id"]],
        "followerSubjects": sorted(subjects),
        "updatedAt": context.now,
    }
    followed |= {"readers": policy.readers(target | followed)}
    recorded = audit_trail.make_audit_keys(context, target, target | followed, ComplaintAction.MERGE)
    return {"$set": followed | recorded, "$inc": {"revision": 1}}
