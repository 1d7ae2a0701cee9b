"""The mutations from submission to work: submit, ask back, verify, forward, return, accept, archive, withdraw."""

import strawberry

from resolvers.complaints import complaint as complaints
from resolvers.complaints import complaint_view as view
from resolvers.complaints import forwarding as forwardings
from resolvers.complaints import intake
from resolvers.documents import ComplaintDoc
from schema.binding import ActionResult, action, column, derived, object_type
from schema.complaint import Complaint
from schema.enums import (
    AgeBand,
    ArchiveReason,
    Channel,
    ComplaintClass,
    PersonalDataKind,
    ReturnReason,
    Sex,
    SupervisionGrade,
)
from schema.errors import UserError, make_attempt
from schema.input_values import to_dict
from schema.page import ContextInfo
from schema.scalars import Date


@object_type(subject="complaint")
class ComplaintPayload:
    complaint: Complaint | None
    user_errors: list[UserError]


@object_type()
class PersonalDataFinding:
    """Personal data found in a submitted text; masked for everybody outside custody."""

    field: str = column("field", description="The input field: title or body.")
    kind: PersonalDataKind
    count: int = column("count", description="How many of this kind were found.")


@object_type(subject="complaint")
class SubmitComplaintPayload:
    complaint: Complaint | None
    secret: str | None = column(
        "secret", description="Opens this complaint without an account. It is shown only this once."
    )
    personal_data: list[PersonalDataFinding] = derived(
        view.find_personal_data,
        needs=("complaint",),
        description="Personal data found in title and body. If it names a person, it is confidential by default.",
    )
    user_errors: list[UserError]


@strawberry.input(
    description="Encrypted at submission. Sex, age band and disability are stored only if `inclusionConsent` is true."
)
class ReporterInput:
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    nik: str | None = None
    sex: Sex | None = None
    age_band: AgeBand | None = None
    disability: bool | None = None
    inclusion_consent: bool | None = False


@strawberry.input
class LocationInput:
    text: str | None = None
    region: strawberry.ID
    latitude: float | None = None
    longitude: float | None = None


@strawberry.input
class SubmitComplaintInput:
    class_: ComplaintClass = strawberry.field(name="class")
    title: str
    body: str
    category: strawberry.ID | None = None
    location: LocationInput | None = None
    occurred_on: Date | None = None
    named_agency: strawberry.ID | None = None
    anonymous: bool | None = False
    confidential: bool | None = strawberry.field(
        default=None, description="Null: decided by the category and by personal data in the text."
    )
    channel: Channel | None = Channel.WEB
    reporter: ReporterInput | None = None
    idempotency_key: str | None = None


@action(SubmitComplaintPayload)
async def submit_complaint(info: ContextInfo, input: SubmitComplaintInput) -> ActionResult:
    """Submits a complaint; anyone may. It has an id and a holder at once."""
    complaint, secret = await intake.submit(
        info.context,
        make_attempt(info, input),
        intake.Submission(
            class_=input.class_,
            title=input.title,
            body=input.body,
            category=input.category,
            location=None if input.location is None else vars(input.location),
            occurred_on=input.occurred_on,
            named_agency=input.named_agency,
            anonymous=bool(input.anonymous),
            confidential=input.confidential,
            channel=input.channel or Channel.WEB,
            reporter=None if input.reporter is None else to_dict(input.reporter),
        ),
    )
    return ActionResult(complaint, {"secret": secret})


@strawberry.input
class RequestInformationInput:
    complaint: strawberry.ID
    question: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def request_information(info: ContextInfo, input: RequestInformationInput) -> ComplaintDoc:
    """Asks the reporter a question before verification."""
    return await intake.request_information(info.context, make_attempt(info, input), input.complaint, input.question)


@strawberry.input
class SupplyInformationInput:
    complaint: strawberry.ID
    secret: str | None = None
    text: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def supply_information(info: ContextInfo, input: SupplyInformationInput) -> ComplaintDoc:
    """Answers the question, as the reporter."""
    return await intake.supply_information(
        info.context, make_attempt(info, input), input.complaint, input.text, secret=input.secret
    )


@strawberry.input
class VerifyComplaintInput:
    complaint: strawberry.ID
    class_: ComplaintClass = strawberry.field(name="class")
    category: strawberry.ID
    grade: SupervisionGrade
    holder: strawberry.ID
    supporting: list[strawberry.ID] | None = None
    title: str | None = None
    note: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def verify_complaint(info: ContextInfo, input: VerifyComplaintInput) -> ComplaintDoc:
    """Classifies and grades a complaint, and forwards it to the agency that is responsible."""
    return await intake.verify(
        info.context,
        make_attempt(info, input),
        input.complaint,
        intake.VerificationInput(
            class_=input.class_,
            category=input.category,
            grade=input.grade,
            holder=input.holder,
            supporting=input.supporting or [],
            title=input.title,
            note=input.note,
        ),
    )


@strawberry.input
class ForwardComplaintInput:
    complaint: strawberry.ID
    to: strawberry.ID
    note: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def forward_complaint(info: ContextInfo, input: ForwardComplaintInput) -> ComplaintDoc:
    """[disposisi] Hands the complaint over to another agency."""
    return await forwardings.forward(
        info.context, make_attempt(info, input), input.complaint, to=input.to, note=input.note
    )


@strawberry.input
class ReturnComplaintInput:
    complaint: strawberry.ID
    reason: ReturnReason
    suggested: strawberry.ID | None = None
    note: str
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def return_complaint(info: ContextInfo, input: ReturnComplaintInput) -> ComplaintDoc:
    """Returns a complaint that the agency is not responsible for; `suggested` names an agency that may be."""
    return await forwardings.give_back(
        info.context,
        make_attempt(info, input),
        input.complaint,
        reason=input.reason,
        suggested=input.suggested,
        note=input.note,
    )


@strawberry.input
class AcceptComplaintInput:
    complaint: strawberry.ID
    team: strawberry.ID
    unit: strawberry.ID | None = None
    liaison: strawberry.ID | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def accept_complaint(info: ContextInfo, input: AcceptComplaintInput) -> ComplaintDoc:
    """Accepts a complaint and assigns it to a team, or assigns it anew."""
    return await complaints.accept(
        info.context,
        make_attempt(info, input),
        input.complaint,
        team=input.team,
        unit=input.unit,
        liaison=input.liaison,
    )


@strawberry.input
class ArchiveComplaintInput:
    complaint: strawberry.ID
    reason: ArchiveReason
    referral: str | None = None
    note: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def archive_complaint(info: ContextInfo, input: ArchiveComplaintInput) -> ComplaintDoc:
    """Archives a complaint that cannot be worked on."""
    return await intake.archive(
        info.context,
        make_attempt(info, input),
        input.complaint,
        reason=input.reason,
        referral=input.referral,
        note=input.note,
    )


@strawberry.input
class WithdrawComplaintInput:
    complaint: strawberry.ID
    secret: str | None = None
    reason: str | None = None
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ComplaintPayload)
async def withdraw_complaint(info: ContextInfo, input: WithdrawComplaintInput) -> ComplaintDoc:
    """Withdraws a complaint, as its reporter."""
    return await complaints.withdraw(
        info.context, make_attempt(info, input), input.complaint, reason=input.reason, secret=input.secret
    )
