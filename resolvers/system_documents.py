"""The stored documents of the service policies, the holidays and the subgraph registry, as TypedDicts."""

from datetime import datetime
from typing import TypedDict


class LimitsDoc(TypedDict):
    handOvers: int
    informationRequests: int
    holds: int
    holdDays: int
    holdDaysInAll: int
    reopenings: int
    reopenDays: int
    restoreDays: int
    ombudsmanDays: int


class RungDoc(TypedDict):
    level: int
    workingDays: int


class EscalationDoc(TypedDict):
    warningShare: float
    rungs: list[RungDoc]


class PolicyDoc(TypedDict):
    """A version of the service policy, as `resolvers.domain.service_policy` reads it."""

    _id: str
    """The version: number and year of the regulation, 5/2025."""
    validFrom: str
    validTo: str | None
    workingDays: dict[str, int]
    resolutionWorkingDays: dict[str, int]
    reporterReplyDays: int
    resolutionKeepsFirstDue: bool
    rulesForwardAfterWorkingDays: int | None
    limits: LimitsDoc
    escalation: EscalationDoc


class HolidayOverrideDoc(TypedDict):
    """A day that a decree changed after the table of its year was published."""

    _id: str
    """The day, ISO 8601."""
    name: str | None
    """The holiday; null where the decree made the day a working day."""
    decree: str


class SubgraphVersionDoc(TypedDict):
    """A version of an agency's subgraph; written once and never changed."""

    _id: str
    """`<agency>@<version>`"""
    agency: str
    version: int
    url: str
    sdl: str
    publishedAt: datetime
    publishedBy: str | None
    """The publisher's account."""


class PublicationDoc(TypedDict):
    """An idempotency key that published or retired a version."""

    key: str
    """SHA-256 of subject, mutation and key."""
    digest: str
    """SHA-256 of the canonical input."""
    version: str
    """The `_id` of the SubgraphVersionDoc."""


class SupergraphDoc(TypedDict):
    """The supergraph that is live; one document."""

    _id: str
    version: int
    """Grows by one with every publication; 0 where no agency has published."""
    sdl: str
    apiSchema: str
    composedAt: datetime | None
    members: dict[str, int]
    """The version of each agency's subgraph."""
    processed: list[PublicationDoc]


class UsageDoc(TypedDict):
    """How often clients used a field or an operation on one day."""

    _id: str
    """`<day>|<name>`"""
    day: str
    name: str
    """A field's coordinate, or an operation's digest."""
    count: int
    until: datetime
    """MongoDB deletes the document then."""
    text: str | None
    """The operation without values; null for a field."""
