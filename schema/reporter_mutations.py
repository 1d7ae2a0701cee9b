"""What a reporter decides about what is kept of them: correct it, withdraw consent, erase it."""

import strawberry

from resolvers.complaints import reporter_rights
from schema.binding import Document, action
from schema.complaint_mutations import ComplaintPayload
from schema.errors import attempt
from schema.given import given
from schema.page import ContextInfo


@strawberry.input
class ReporterCorrectionInput:
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    nik: str | None = None


@strawberry.input
class CorrectReporterInput:
    complaint: strawberry.ID
    secret: str | None = None
    reporter: ReporterCorrectionInput
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def correct_reporter(info: ContextInfo, input: CorrectReporterInput) -> Document:
    """Replaces what is given and keeps the rest."""
    return await reporter_rights.correct(
        info.context, attempt(info, input), input.complaint, given(input.reporter), secret=input.secret
    )


@strawberry.input
class WithdrawConsentInput:
    complaint: strawberry.ID
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def withdraw_consent(info: ContextInfo, input: WithdrawConsentInput) -> Document:
    """Sex, age band and disability are gone at once."""
    return await reporter_rights.withdraw_consent(
        info.context, attempt(info, input), input.complaint, secret=input.secret
    )


@strawberry.input
class EraseReporterInput:
    complaint: strawberry.ID
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def erase_reporter(info: ContextInfo, input: EraseReporterInput) -> Document:
    """Makes all that is kept of the reporter unreadable for good. The complaint stays; its secret opens it still."""
    return await reporter_rights.erase(info.context, attempt(info, input), input.complaint, secret=input.secret)
