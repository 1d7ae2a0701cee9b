"""Service policies: the durations of clocks, the limits of actions, and the times of escalation that a regulation sets.

The values are documents of the collection `policies`. A complaint keeps the version under which it was received.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from resolvers.domain.vocabulary import ClockKind, SupervisionGrade


@dataclass(frozen=True, slots=True)
class Limits:
    """How often an action can be done, and for how many calendar days after an event."""

    hand_overs: int
    """After so many hand-overs only the national desk assigns, and the assignment binds."""
    information_requests: int
    holds: int
    hold_days: int
    """Most days from today to the day of review."""
    hold_days_in_all: int
    reopenings: int
    reopen_days: int
    restore_days: int
    ombudsman_days: int
    """Days from submission after which the reporter may take it to the Ombudsman."""


class Rung(NamedTuple):
    """An escalation level, and the working days after a clock's due time at which a complaint reaches it."""

    level: int
    working_days: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """The times at which a complaint that nobody works on is escalated."""

    warning_share: float
    """The share of a clock's working time after which its liaison is warned."""
    rungs: tuple[Rung, ...]
    """In the order of their levels."""


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """One version of the policy. `valid_to` is its last day, None while it is in force."""

    version: str
    valid_from: date
    valid_to: date | None
    working_days: Mapping[ClockKind, int]
    """Durations of VERIFICATION, ACCEPTANCE and FOLLOW_UP."""
    resolution_working_days: Mapping[SupervisionGrade, int]
    reporter_reply_days: int
    """Calendar days."""
    resolution_keeps_first_due: bool
    """Whether a new holder keeps the first holder's due time; if not, RESOLUTION starts again for the new one."""
    limits: Limits
    escalation: Escalation
    rules_forward_after_working_days: int | None = None
    """Working days that people have to verify a complaint before the routing rules do so; None: the rules never do."""


def from_document(stored: Mapping[str, Any]) -> ServicePolicy:
    """Read a stored PolicyDoc. Raises LookupError, TypeError or ValueError when it is malformed."""
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
    """All versions of the service policy."""

    def __init__(self, policies: Iterable[ServicePolicy]) -> None:
        self._in_order = sorted(policies, key=lambda policy: policy.valid_from)
        self._by_version = {policy.version: policy for policy in self._in_order}

    def by_version(self, version: str) -> ServicePolicy:
        """Return the version, or the latest known one when another process has read a newer version than this one."""
        return self._by_version.get(version, self._in_order[-1])

    def by_day(self, day: date) -> ServicePolicy:
        """Return the version in force on a day; for a day before the first version, the first."""
        valid = [policy for policy in self._in_order if policy.valid_from <= day]
        return valid[-1] if valid else self._in_order[0]
