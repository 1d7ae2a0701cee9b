"""The mutations outside the usual course: hold, close without a remedy, restore, merge, reopen, escalate, protect."""

import strawberry

from resolvers.complaints import closure, hold, privacy, reopening
from resolvers.complaints import complaint as complaints
from resolvers.complaints import merge as merging
from resolvers.documents import ComplaintDoc
from schema.binding import action
from schema.complaint_mutations import ComplaintPayload
from schema.enums import ClosureCode
from schema.errors import make_attempt
from schema.page import ContextInfo
from schema.scalars import Date


@strawberry.input
class HoldComplaintInput:
    complaint: strawberry.ID
    reason: str
    review_on: Date
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def hold_complaint(info: ContextInfo, input: HoldComplaintInput) -> ComplaintDoc:
    """Puts work on hold until the day of review, at most 30 days away; at most twice, and 60 days in total."""
    return await hold.hold(
        info.context, make_attempt(info, input), input.complaint, reason=input.reason, review_on=input.review_on
    )


@strawberry.input
class ResumeComplaintInput:
    complaint: strawberry.ID
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def resume_complaint(info: ContextInfo, input: ResumeComplaintInput) -> ComplaintDoc:
    """Resumes work on a complaint that is on hold."""
    return await hold.resume(info.context, make_attempt(info, input), input.complaint)


@strawberry.input
class ProposeClosureInput:
    complaint: strawberry.ID
    code: ClosureCode = strawberry.field(description="One of UNABLE_LEGAL, UNABLE_BUDGET and UNABLE_TECHNICAL.")
    ground: str = strawberry.field(description="Why there is no remedy.")
    alternative: str = strawberry.field(description="What the reporter can do instead.")
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def propose_closure(info: ContextInfo, input: ProposeClosureInput) -> ComplaintDoc:
    """Proposes to close the complaint without a remedy. The coordinator (province or national) decides."""
    return await closure.propose(
        info.context,
        make_attempt(info, input),
        input.complaint,
        code=input.code,
        ground=input.ground,
        alternative=input.alternative,
    )


@strawberry.input
class ConsentToClosureInput:
    complaint: strawberry.ID
    consent: bool
    reason: str | None = strawberry.field(default=None, description="Required if consent is false.")
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def consent_to_closure(info: ContextInfo, input: ConsentToClosureInput) -> ComplaintDoc:
    """Closes the complaint with the proposal as its answer, or rejects the proposal. Not for the proposer."""
    return await closure.consent(
        info.context, make_attempt(info, input), input.complaint, consents=input.consent, reason=input.reason
    )


@strawberry.input
class RestoreComplaintInput:
    complaint: strawberry.ID
    reason: str
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def restore_complaint(info: ContextInfo, input: RestoreComplaintInput) -> ComplaintDoc:
    """Takes a complaint out of the archive: the national desk at any time, the reporter within 90 days."""
    return await reopening.restore(
        info.context, make_attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
    )


@strawberry.input
class MergeComplaintInput:
    complaint: strawberry.ID
    into: strawberry.ID
    note: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def merge_complaint(info: ContextInfo, input: MergeComplaintInput) -> ComplaintDoc:
    """Merges a complaint into an open one of the same region and category, which its reporter then follows."""
    return await merging.merge(
        info.context, make_attempt(info, input), input.complaint, into=input.into, note=input.note
    )


@strawberry.input
class ReopenComplaintInput:
    complaint: strawberry.ID
    secret: str | None = None
    reason: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def reopen_complaint(info: ContextInfo, input: ReopenComplaintInput) -> ComplaintDoc:
    """Reopens a closed complaint: the reporter within 30 days and at most twice, oversight at any time."""
    return await reopening.reopen(
        info.context, make_attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
    )


@strawberry.input
class EscalateComplaintInput:
    complaint: strawberry.ID
    secret: str | None = None
    reason: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def escalate_complaint(info: ContextInfo, input: EscalateComplaintInput) -> ComplaintDoc:
    """Escalates by one level. A reporter may after a breached clock; only the reporter may to the Ombudsman."""
    return await complaints.escalate(
        info.context, make_attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
    )


@strawberry.input
class SetComplaintPrivacyInput:
    complaint: strawberry.ID
    anonymous: bool | None = None
    confidential: bool | None = None
    reason: str
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def set_complaint_privacy(info: ContextInfo, input: SetComplaintPrivacyInput) -> ComplaintDoc:
    """Changes the privacy. The reporter and the handling staff may tighten it, the reporter and the desk loosen it.

    A null field leaves its value unchanged.
    """
    return await privacy.set_privacy(
        info.context,
        make_attempt(info, input),
        input.complaint,
        anonymous=input.anonymous,
        confidential=input.confidential,
        reason=input.reason,
        secret=input.secret,
    )
