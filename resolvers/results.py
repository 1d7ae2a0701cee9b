"""The shapes of results that resolvers compute for the contract and no collection stores, as TypedDicts."""

from datetime import datetime
from typing import TypedDict

from resolvers.documents import MilestoneDoc


class TeamHealthResult(TypedDict):
    seatsFilled: int
    seatsTotal: int
    liaisonsPerUnit: float | None
    trainedShare: float | None
    daysToExpiry: int | None


class MilestoneResult(MilestoneDoc):
    """A milestone with the first day of its plan, from which its status counts."""

    begins: str


class RoutingCandidateResult(TypedDict):
    agency: str
    score: float
    reason: str
    rule: str


class RoutingPreviewResult(TypedDict):
    candidates: list[RoutingCandidateResult]
    """Best first."""
    decided: str | None
    """The agency to which a rule routes without a person."""


class ChainVerificationResult(TypedDict):
    valid: bool
    length: int
    firstInvalidSequence: int | None


class AuditVerificationResult(ChainVerificationResult):
    continuous: bool


class ReporterResult(TypedDict):
    """A reporter as the viewer may know them."""

    id: str
    name: str | None
    email: str | None
    phone: str | None
    nik: str | None


class ReporterRecordResult(TypedDict):
    """Everything that is stored about a reporter."""

    complaint: str
    name: str | None
    email: str | None
    phone: str | None
    nik: str | None
    sex: str | None
    ageBand: str | None
    disability: bool | None
    consentAt: datetime | None
    sealedAt: datetime
    erasedAt: datetime | None


class PersonalDataFindingResult(TypedDict):
    field: str
    kind: str
    count: int


LocalCaseResult = TypedDict(
    "LocalCaseResult", {"__typename": str, "id": str, "number": None, "unit": None, "url": None}
)
"""A complaint in its holder's own system; the holder's subgraph answers all fields but `id`."""


class SubgraphHealthResult(TypedDict):
    """A subgraph as this process has seen it within a minute."""

    state: str
    requests: int
    failures: int
    medianMs: float | None
    p99Ms: float | None
    failedAt: datetime | None


class SubgraphFindingResult(TypedDict):
    """What the check of a subgraph found at one place of its SDL."""

    kind: str
    code: str
    message: str
    coordinate: str | None
    uses: int | None


class OperationPlanCostResult(TypedDict):
    """The requests that an operation costs before and after a publication; None where it is not valid."""

    operation: str
    uses: int
    fetchesBefore: int | None
    fetchesAfter: int | None
    subgraphsBefore: list[str] | None
    subgraphsAfter: list[str] | None


class ViewerResult(TypedDict):
    subject: str | None
    role: str
    agency: str | None
    scopes: list[str]
