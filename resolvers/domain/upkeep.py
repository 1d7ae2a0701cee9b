"""The steps that the system takes on a complaint by itself: time-outs, reviews, warnings, escalation, routing.

The clocks of the complaint and its service policy give the instant at which a step is due. So after an outage the steps
are taken late, but in the same order. Source: docs/lifecycle.md.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from resolvers.domain import sla
from resolvers.domain.guards import NATIONAL_BOARD_LEVEL
from resolvers.domain.lifecycle import OPEN
from resolvers.domain.service_policy import ServicePolicy
from resolvers.domain.sla import Calendars, ClockDoc
from resolvers.domain.vocabulary import ClockKind, ComplaintStatus, TimeZone

_PAST: Final = timedelta(seconds=1)
"""A due time is the last second of a day, so a step is due one second later."""

_REPORTERS_TURN: Final = frozenset({ComplaintStatus.NEEDS_INFO, ComplaintStatus.ANSWERED})


class Step(StrEnum):
    LAPSE = "LAPSE"
    """The reporter has let the time to reply pass."""
    RESUME = "RESUME"
    """The day of a hold's review has passed."""
    ROUTE = "ROUTE"
    """People have had time to verify it: the routing rules verify the complaint if they are certain."""
    WARN = "WARN"
    """Little of a clock's time is left."""
    ESCALATE = "ESCALATE"
    OFFER_OMBUDSMAN = "OFFER_OMBUDSMAN"
    """The complaint has taken longer than the law grants: the reporter is offered the Ombudsman."""


class DueStep(NamedTuple):
    """A step, and the instant at which it is due."""

    at: datetime
    step: Step
    level: int = 0
    """The escalation level that ESCALATE leads to."""
    clock: int | None = None
    """The index, among the complaint's clocks, of the clock that the step is about."""


KEYS: Final = (
    "status",
    "clocks",
    "hold",
    "escalationLevel",
    "receivedAt",
    "confidential",
    "rulesAsked",
    "ombudsmanOfferedAt",
)
"""The keys of a complaint that the next step depends on, in addition to the version of its policy."""


def find_next_step(complaint: Mapping[str, Any], policy: ServicePolicy, calendars: Calendars) -> DueStep | None:
    """Return the step that is due first, now or later; None when the system has no step to take."""
    return min(_list_steps(complaint, policy, calendars), key=lambda due: due.at, default=None)


def _list_steps(complaint: Mapping[str, Any], policy: ServicePolicy, calendars: Calendars) -> Iterator[DueStep]:
    status = ComplaintStatus(complaint["status"])
    if status not in OPEN:
        return
    if status in _REPORTERS_TURN:
        yield from _find_lapse(complaint["clocks"])
        return
    yield from _find_resumption(complaint, calendars)
    yield from _find_routing(complaint, policy, calendars)
    for place, clock in enumerate(complaint["clocks"]):
        if clock["kind"] in sla.AGENCY_KINDS and clock["dueAt"] is not None and sla.is_running(clock):
            calendar = calendars(TimeZone(clock["zone"]))
            yield from _find_warning(place, clock, calendar, policy)
            yield from _find_escalation(place, clock, calendar, policy, complaint["escalationLevel"])
    yield from _find_offer(complaint, policy, calendars)


def _find_lapse(clocks: list[ClockDoc]) -> Iterator[DueStep]:
    for clock in clocks:
        if clock["kind"] == ClockKind.REPORTER_REPLY and sla.is_running(clock) and clock["dueAt"] is not None:
            yield DueStep(clock["dueAt"] + _PAST, Step.LAPSE)


def _find_resumption(complaint: Mapping[str, Any], calendars: Calendars) -> Iterator[DueStep]:
    if complaint["status"] == ComplaintStatus.ON_HOLD and complaint["hold"] is not None:
        review = calendars(_find_zone(complaint)).find_end_of(date.fromisoformat(complaint["hold"]["reviewOn"]))
        yield DueStep(review + _PAST, Step.RESUME)


def _find_routing(complaint: Mapping[str, Any], policy: ServicePolicy, calendars: Calendars) -> Iterator[DueStep]:
    days = policy.rules_forward_after_working_days
    left_to_people = days is None or complaint["confidential"] or complaint.get("rulesAsked") is not None
    if complaint["status"] != ComplaintStatus.SUBMITTED or left_to_people:
        return
    since = max(clock["startedAt"] for clock in complaint["clocks"] if clock["kind"] == ClockKind.VERIFICATION)
    yield DueStep(calendars(_find_zone(complaint)).compute_due_at(since, days or 0) + _PAST, Step.ROUTE)


def _find_warning(place: int, clock: ClockDoc, calendar: Any, policy: ServicePolicy) -> Iterator[DueStep]:
    due = clock["dueAt"]
    if clock.get("warnedAt") is not None or due is None:
        return
    whole = calendar.count_working_days(clock["startedAt"], due)
    for pause in clock["pauses"]:
        whole -= calendar.count_working_days(pause["start"], pause["end"])
    left = max(0.0, whole * (1 - policy.escalation.warning_share))
    yield DueStep(calendar.find_instant_before(due, left), Step.WARN, clock=place)


def _find_escalation(
    place: int, clock: ClockDoc, calendar: Any, policy: ServicePolicy, level: int
) -> Iterator[DueStep]:
    rung = next((rung for rung in policy.escalation.rungs if rung.level > level), None)
    if rung is not None and clock["dueAt"] is not None:
        at = calendar.compute_due_at(clock["dueAt"], rung.working_days) if rung.working_days else clock["dueAt"]
        yield DueStep(at + _PAST, Step.ESCALATE, level=rung.level, clock=place)


def _find_offer(complaint: Mapping[str, Any], policy: ServicePolicy, calendars: Calendars) -> Iterator[DueStep]:
    if complaint.get("ombudsmanOfferedAt") is None and complaint["escalationLevel"] <= NATIONAL_BOARD_LEVEL:
        last = calendars(_find_zone(complaint)).compute_due_after_days(
            complaint["receivedAt"], policy.limits.ombudsman_days
        )
        yield DueStep(last + _PAST, Step.OFFER_OMBUDSMAN, level=NATIONAL_BOARD_LEVEL)


def _find_zone(complaint: Mapping[str, Any]) -> TimeZone:
    """Return the time zone of the clock that was started last, which is the zone of the holder."""
    return TimeZone(complaint["clocks"][-1]["zone"]) if complaint["clocks"] else TimeZone.WIB
