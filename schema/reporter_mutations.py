"""The mutations of a reporter's rights: correct the data stored about them, withdraw consent, erase the data."""

import strawberry

from resolvers.complaints import reporter_rights
from resolvers.documents import ComplaintDoc
from schema.binding import action
from schema.complaint_mutations import ComplaintPayload
from schema.errors import make_attempt
from schema.input_values import to_dict
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
async def correct_reporter(info: ContextInfo, input: CorrectReporterInput) -> ComplaintDoc:
    """Corrects the reporter's data. A null field leaves its value unchanged."""
    return await reporter_rights.correct(
        info.context, make_attempt(info, input), input.complaint, to_dict(input.reporter), secret=input.secret
    )


@strawberry.input
class WithdrawConsentInput:
    complaint: strawberry.ID
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def withdraw_consent(info: ContextInfo, input: WithdrawConsentInput) -> ComplaintDoc:
    """Withdraws consent: sex, age band and disability are deleted at once."""
    return await reporter_rights.withdraw_consent(
        info.context, make_attempt(info, input), input.complaint, secret=input.secret
    )


@strawberry.input
class EraseReporterInput:
    complaint: strawberry.ID
    secret: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def erase_reporter(info: ContextInfo, input: EraseReporterInput) -> ComplaintDoc:
    """Makes all data about the reporter unreadable for ever. The complaint stays, and its secret still opens it."""
    return await reporter_rights.erase(info.context, make_attempt(info, input), input.complaint, secret=input.secret)
