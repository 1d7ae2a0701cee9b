"""What a regulation grants and demands: how long clocks run, how often something may be done, when it escalates.

The values are documents of the collection `policies`; a complaint keeps the version it was received under.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from resolvers.domain.vocabulary import ClockKind, SupervisionGrade


@dataclass(frozen=True, slots=True)
class Limits:
    """How often, and how long after, an action can be done; days are calendar days."""

    hand_overs: int
    """From this many on, only the national desk assigns, and the assignment binds."""
    information_requests: int
    holds: int
    hold_days: int
    """From today to the day of review, at most."""
    hold_days_in_all: int
    reopenings: int
    reopen_days: int
    restore_days: int
    ombudsman_days: int
    """From submission; then the reporter may take it to the Ombudsman."""


class Rung(NamedTuple):
    """The escalation level that a complaint reaches so many working days after a clock's due time."""

    level: int
    working_days: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """When a complaint that nobody moves comes before others."""

    warning_share: float
    """Of a clock's working time; its liaison is warned then."""
    rungs: tuple[Rung, ...]
    """In the order of their levels."""


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """One version; `valid_to` is its last day, None while it is in force."""

    version: str
    valid_from: date
    valid_to: date | None
    working_days: Mapping[ClockKind, int]
    """Of VERIFICATION, ACCEPTANCE and FOLLOW_UP."""
    resolution_working_days: Mapping[SupervisionGrade, int]
    reporter_reply_days: int
    """Every day counts."""
    resolution_keeps_first_due: bool
    """Whether a new holder has the due time of the first; else RESOLUTION is counted anew in the new holder's days."""
    limits: Limits
    escalation: Escalation
    rules_forward_after_working_days: int | None = None
    """How long people have the first look before the routing rules verify what they are certain of; None: never."""


def from_document(stored: Mapping[str, Any]) -> ServicePolicy:
    """The policy as the collection keeps it (PolicyDoc)."""
    limits, escalation = stored["limits"], stored["escalation"]
    return ServicePolicy(
        version=stored["_id"],
        valid_from=date.fromisoformat(stored["validFrom"]),
        valid_to=None if stored["validTo"] is None else date.fromisoformat(stored["validTo"]),
        working_days={ClockKind(kind): days for kind, days in stored["workingDays"].items()},
        resolution_working_days={
            SupervisionGrade(grade): days for grade, days in stored["resolutionWorkingDays"].items()
        },
        reporter_reply_days=stored["reporterReplyDays"],
        resolution_keeps_first_due=stored["resolutionKeepsFirstDue"],
        limits=Limits(
            hand_overs=limits["handOvers"],
            information_requests=limits["informationRequests"],
            holds=limits["holds"],
            hold_days=limits["holdDays"],
            hold_days_in_all=limits["holdDaysInAll"],
            reopenings=limits["reopenings"],
            reopen_days=limits["reopenDays"],
            restore_days=limits["restoreDays"],
            ombudsman_days=limits["ombudsmanDays"],
        ),
        escalation=Escalation(
            warning_share=escalation["warningShare"],
            rungs=tuple(Rung(rung["level"], rung["workingDays"]) for rung in escalation["rungs"]),
        ),
        rules_forward_after_working_days=stored.get("rulesForwardAfterWorkingDays"),
    )


class Policies:
    """Every version there is, and the one that a day falls under."""

    def __init__(self, policies: Iterable[ServicePolicy]) -> None:
        self._in_order = sorted(policies, key=lambda policy: policy.valid_from)
        self._by_version = {policy.version: policy for policy in self._in_order}

    def by_version(self, version: str) -> ServicePolicy:
        """The version; the latest one where another process knows a newer one than was read here."""
        return self._by_version.get(version, self._in_order[-1])

    def by_day(self, day: date) -> ServicePolicy:
        """The version in force on a day; before the first the first, so that an old complaint has one too."""
        valid = [policy for policy in self._in_order if policy.valid_from <= day]
        return valid[-1] if valid else self._in_order[0]
