"""Deadlines and clocks in working time; how long each runs, the service policy says. docs/lifecycle.md."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NotRequired, TypedDict, cast

from resolvers.domain.calendar import Calendar
from resolvers.domain.lifecycle import ClockEffect, Effect
from resolvers.domain.service_policy import ServicePolicy
from resolvers.domain.vocabulary import ClockKind, SupervisionGrade, TimeZone

Calendars = Callable[[TimeZone], Calendar]


class PauseDoc(TypedDict):
    start: datetime
    end: datetime | None


class ClockDoc(TypedDict):
    kind: str
    startedAt: datetime
    dueAt: datetime | None
    stoppedAt: datetime | None
    pauses: list[PauseDoc]
    zone: str
    """The time zone whose working days it counts."""
    provisional: bool
    warnedAt: NotRequired[datetime]
    """When its liaison was told that little time is left."""


AGENCY_KINDS: Final = frozenset(ClockKind) - {ClockKind.REPORTER_REPLY, ClockKind.TOTAL}
"""The clocks that an agency can let run past their due time."""


def apply_effects(
    clocks: Sequence[ClockDoc],
    effects: Iterable[ClockEffect],
    *,
    now: datetime,
    zone: TimeZone,
    calendars: Calendars,
    policy: ServicePolicy,
    grade: SupervisionGrade | None,
    resolution_since: datetime | None = None,
) -> list[ClockDoc]:
    """The clocks after a transition: new ones in the time of `zone`, the others in that of their start.

    A clock that was stopped and starts again is a new entry; RESUME takes up the last one of its kind, a stopped one
    as if it had been paused. TOTAL is never started twice. `resolution_since`: whence RESOLUTION counts, if not from
    `now`.
    """
    after = list(clocks)
    for effect, kind in effects:
        if effect is Effect.START:
            assert kind is not None  # noqa: S101 - the table starts clocks by name
            since = resolution_since if kind is ClockKind.RESOLUTION and resolution_since else now
            after.append(_start_clock(kind, since, calendars(zone), policy, grade))
        elif effect is Effect.RESUME:
            last = max((place for place, clock in enumerate(after) if clock["kind"] == kind), default=None)
            if last is not None:
                after[last] = _resume_clock(after[last], now, calendars)
        else:
            change = _stop_clock if effect is Effect.STOP else _pause_clock
            after = [change(clock, now, calendars) if kind in (None, clock["kind"]) else clock for clock in after]
    return after


def recount_clock(
    clock: ClockDoc, calendar: Calendar, policy: ServicePolicy, grade: SupervisionGrade | None
) -> ClockDoc:
    """The clock as if it had run in this calendar from its start, through the same pauses."""
    fresh = _start_clock(ClockKind(clock["kind"]), clock["startedAt"], calendar, policy, grade)
    due = fresh["dueAt"]
    for pause in clock["pauses"]:
        if pause["end"] is not None:
            due = _postpone_due(due, pause["start"], pause["end"], calendar)
    return cast("ClockDoc", {**clock, **_make_due_keys(calendar, clock["startedAt"], due)})


def _start_clock(
    kind: ClockKind, now: datetime, calendar: Calendar, policy: ServicePolicy, grade: SupervisionGrade | None
) -> ClockDoc:
    due = _compute_due(kind, now, calendar, policy, grade)
    return cast(
        "ClockDoc",
        {"kind": kind, "startedAt": now, "stoppedAt": None, "pauses": [], **_make_due_keys(calendar, now, due)},
    )


def _make_due_keys(calendar: Calendar, start: datetime, due: datetime | None) -> dict[str, object]:
    provisional = due is not None and calendar.is_provisional(start, due)
    return {"dueAt": due, "zone": calendar.zone, "provisional": provisional}


def _compute_due(
    kind: ClockKind, now: datetime, calendar: Calendar, policy: ServicePolicy, grade: SupervisionGrade | None
) -> datetime | None:
    if kind is ClockKind.TOTAL:
        return None
    if kind is ClockKind.REPORTER_REPLY:
        return calendar.compute_due_after_days(now, policy.reporter_reply_days)
    if kind is ClockKind.RESOLUTION:
        return None if grade is None else calendar.compute_due_at(now, policy.resolution_working_days[grade])
    return calendar.compute_due_at(now, policy.working_days[kind])


def _stop_clock(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    """Ends it; the time that it was paused for counts against nobody."""
    if clock["stoppedAt"] is not None:
        return clock
    ended = _resume_clock(clock, now, calendars) if is_paused(clock) else clock
    return {**ended, "stoppedAt": now}


def _pause_clock(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    if clock["stoppedAt"] is not None or is_paused(clock):
        return clock
    return {**clock, "pauses": [*clock["pauses"], {"start": now, "end": None}]}


def _resume_clock(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    """Runs on, due later by the working days that it stood still."""
    if clock["stoppedAt"] is None and not is_paused(clock):
        return clock
    since = clock["stoppedAt"] or clock["pauses"][-1]["start"]
    pauses = clock["pauses"] if clock["stoppedAt"] else clock["pauses"][:-1]
    calendar = calendars(TimeZone(clock["zone"]))
    due = _postpone_due(clock["dueAt"], since, now, calendar)
    return cast(
        "ClockDoc",
        {
            **clock,
            "stoppedAt": None,
            "pauses": [*pauses, {"start": since, "end": now}],
            "dueAt": due,
            "provisional": due is not None and calendar.is_provisional(clock["startedAt"], due),
        },
    )


def _postpone_due(due: datetime | None, since: datetime, until: datetime, calendar: Calendar) -> datetime | None:
    """Due later by the working days that ended between the two; a due time that had passed by then stays."""
    if due is None or due <= since:
        return due
    first, last = calendar.to_local_day(since), calendar.to_local_day(until)
    ordinals = range(first.toordinal(), last.toordinal())
    stood = sum(calendar.is_working_day(first.fromordinal(ordinal)) for ordinal in ordinals)
    return calendar.compute_due_at(due, stood) if stood else due


def is_paused(clock: ClockDoc) -> bool:
    return clock["stoppedAt"] is None and bool(clock["pauses"]) and clock["pauses"][-1]["end"] is None


def is_running(clock: ClockDoc) -> bool:
    return clock["stoppedAt"] is None and not is_paused(clock)


def find_next_due(clocks: Iterable[ClockDoc]) -> datetime | None:
    """The first due time of the running clocks."""
    return min((clock["dueAt"] for clock in clocks if is_running(clock) and clock["dueAt"] is not None), default=None)


def is_breached(clock: ClockDoc, now: datetime) -> bool:
    """Whether it ran, or runs, past its due time; a paused clock stands at the instant of its pause."""
    return clock["dueAt"] is not None and _find_reading(clock, now) > clock["dueAt"]


def count_working_days_left(clock: ClockDoc, now: datetime, calendar: Calendar) -> float | None:
    """Working days to the due time, to two decimals; negative when late; None for a clock without one."""
    if clock["dueAt"] is None:
        return None
    return round(calendar.count_working_days(_find_reading(clock, now), clock["dueAt"]), 2)


def _find_reading(clock: ClockDoc, now: datetime) -> datetime:
    if clock["stoppedAt"] is not None:
        return clock["stoppedAt"]
    return clock["pauses"][-1]["start"] if is_paused(clock) else now
