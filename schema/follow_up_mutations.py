"""The mutations for the agency's answer and the reporter's reply: add, approve, reject, confirm, dispute."""

import strawberry

from resolvers.complaints import answer
from resolvers.complaints import follow_up as follow_ups
from resolvers.documents import ComplaintDoc
from schema.binding import action
from schema.complaint_mutations import ComplaintPayload
from schema.enums import ClosureCode, FollowUpKind, Visibility
from schema.errors import make_attempt
from schema.input_values import to_dict
from schema.page import ContextInfo
from schema.scalars import Date


@strawberry.input
class CommitmentInput:
    action: str
    unit: str | None = None
    due_on: Date | None = None


@strawberry.input
class AddFollowUpInput:
    complaint: strawberry.ID
    kind: FollowUpKind
    body: str
    visibility: Visibility | None = Visibility.REPORTER
    commitment: CommitmentInput | None = None
    closure_code: ClosureCode | None = None
    evidence: list[str] | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def add_follow_up(info: ContextInfo, input: AddFollowUpInput) -> ComplaintDoc:
    """Adds a follow-up. PROGRESS and CLARIFY are published at once; FINAL is a draft until it is approved."""
    return await follow_ups.add(
        info.context,
        make_attempt(info, input),
        input.complaint,
        follow_ups.FollowUpDraft(
            kind=input.kind,
            body=input.body,
            visibility=input.visibility or Visibility.REPORTER,
            commitment=None if input.commitment is None else to_dict(input.commitment),
            closure_code=input.closure_code,
            evidence=input.evidence or [],
        ),
    )


@strawberry.input
class ApproveFollowUpInput:
    complaint: strawberry.ID
    follow_up: strawberry.ID
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def approve_follow_up(info: ContextInfo, input: ApproveFollowUpInput) -> ComplaintDoc:
    """Publishes a FINAL follow-up, which answers the complaint. Not for the author of the draft."""
    return await follow_ups.approve(info.context, make_attempt(info, input), input.complaint, input.follow_up)


@strawberry.input
class RejectFollowUpInput:
    complaint: strawberry.ID
    follow_up: strawberry.ID
    reason: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def reject_follow_up(info: ContextInfo, input: RejectFollowUpInput) -> ComplaintDoc:
    """Returns a FINAL draft to its author, with a reason."""
    return await follow_ups.reject(
        info.context, make_attempt(info, input), input.complaint, input.follow_up, reason=input.reason
    )


@strawberry.input
class ConfirmAnswerInput:
    complaint: strawberry.ID
    secret: str | None = None
    stars: int
    comment: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def confirm_answer(info: ContextInfo, input: ConfirmAnswerInput) -> ComplaintDoc:
    """Accepts the answer and rates it, as the reporter. The complaint is closed."""
    return await answer.confirm(
        info.context,
        make_attempt(info, input),
        input.complaint,
        stars=input.stars,
        comment=input.comment,
        secret=input.secret,
    )


@strawberry.input
class DisputeAnswerInput:
    complaint: strawberry.ID
    secret: str | None = None
    reason: str
    stars: int | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def dispute_answer(info: ContextInfo, input: DisputeAnswerInput) -> ComplaintDoc:
    """Rejects the answer, as the reporter. Work on the complaint continues."""
    return await answer.dispute(
        info.context,
        make_attempt(info, input),
        input.complaint,
        reason=input.reason,
        stars=input.stars,
        secret=input.secret,
    )
