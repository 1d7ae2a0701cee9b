"""What changes a complaint's course: hold, close without a remedy, restore, merge, reopen, escalate, protect."""

import strawberry

from resolvers.complaints import closure, hold, privacy, reopening
from resolvers.complaints import complaint as complaints
from resolvers.complaints import merge as merging
from schema.binding import Document, action
from schema.complaint_mutations import ComplaintPayload
from schema.enums import ClosureCode
from schema.errors import attempt
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
async def hold_complaint(info: ContextInfo, input: HoldComplaintInput) -> Document:
    """Work waits until the day of review, at most 30 days away; twice at most, 60 days in all."""
    return await hold.hold(
        info.context, attempt(info, input), input.complaint, reason=input.reason, review_on=input.review_on
    )


@strawberry.input
class ResumeComplaintInput:
    complaint: strawberry.ID
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def resume_complaint(info: ContextInfo, input: ResumeComplaintInput) -> Document:
    return await hold.resume(info.context, attempt(info, input), input.complaint)


@strawberry.input
class ProposeClosureInput:
    complaint: strawberry.ID
    code: ClosureCode = strawberry.field(description="UNABLE_LEGAL, UNABLE_BUDGET or UNABLE_TECHNICAL.")
    ground: str
    alternative: str = strawberry.field(description="What the reporter can do instead.")
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def propose_closure(info: ContextInfo, input: ProposeClosureInput) -> Document:
    """Proposes to close without a remedy; the coordinator (province or national) consents."""
    return await closure.propose(
        info.context,
        attempt(info, input),
        input.complaint,
        code=input.code,
        ground=input.ground,
        alternative=input.alternative,
    )


@strawberry.input
class ConsentToClosureInput:
    complaint: strawberry.ID
    consent: bool
    reason: str | None = strawberry.field(default=None, description="Needed where consent is false.")
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def consent_to_closure(info: ContextInfo, input: ConsentToClosureInput) -> Document:
    """Closes it with the proposal as the answer, or sends the proposal back. Never by its proposer."""
    return await closure.consent(
        info.context, attempt(info, input), input.complaint, consents=input.consent, reason=input.reason
    )


@strawberry.input
class RestoreComplaintInput:
    complaint: strawberry.ID
    reason: str
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def restore_complaint(info: ContextInfo, input: RestoreComplaintInput) -> Document:
    """Takes it out of the archive: the national desk at any time, the reporter within 90 days."""
    return await reopening.restore(
        info.context, attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
    )


@strawberry.input
class MergeComplaintInput:
    complaint: strawberry.ID
    into: strawberry.ID
    note: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def merge_complaint(info: ContextInfo, input: MergeComplaintInput) -> Document:
    """Ends it in favour of an open one of the same region and category, which its reporter follows."""
    return await merging.merge(info.context, attempt(info, input), input.complaint, into=input.into, note=input.note)


@strawberry.input
class ReopenComplaintInput:
    complaint: strawberry.ID
    secret: str | None = None
    reason: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def reopen_complaint(info: ContextInfo, input: ReopenComplaintInput) -> Document:
    """Within 30 days of its closing and twice at most by the reporter; by oversight at any time."""
    return await reopening.reopen(
        info.context, attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
    )


@strawberry.input
class EscalateComplaintInput:
    complaint: strawberry.ID
    secret: str | None = None
    reason: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def escalate_complaint(info: ContextInfo, input: EscalateComplaintInput) -> Document:
    """One level up. By the reporter after a breach; the last level, the Ombudsman, is the reporter's alone."""
    return await complaints.escalate(
        info.context, attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
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
async def set_complaint_privacy(info: ContextInfo, input: SetComplaintPrivacyInput) -> Document:
    """Tightened by the reporter and whoever handles it; loosened by the reporter or the national desk."""
    return await privacy.set_privacy(
        info.context,
        attempt(info, input),
        input.complaint,
        anonymous=input.anonymous,
        confidential=input.confidential,
        reason=input.reason,
        secret=input.secret,
    )
