"""Deadlines and clocks in working time; how long each runs, the service policy says. docs/lifecycle.md."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypedDict, cast

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


AGENCY_KINDS: Final = frozenset(ClockKind) - {ClockKind.REPORTER_REPLY, ClockKind.TOTAL}
"""The clocks that an agency can let run past their due time."""


def apply(
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
            after.append(_started(kind, since, calendars(zone), policy, grade))
        elif effect is Effect.RESUME:
            last = max((place for place, clock in enumerate(after) if clock["kind"] == kind), default=None)
            if last is not None:
                after[last] = _resumed(after[last], now, calendars)
        else:
            change = _stopped if effect is Effect.STOP else _paused
            after = [change(clock, now, calendars) if kind in (None, clock["kind"]) else clock for clock in after]
    return after


def recounted(clock: ClockDoc, calendar: Calendar, policy: ServicePolicy, grade: SupervisionGrade | None) -> ClockDoc:
    """The clock as if it had run in this calendar from its start, through the same pauses."""
    fresh = _started(ClockKind(clock["kind"]), clock["startedAt"], calendar, policy, grade)
    due = fresh["dueAt"]
    for pause in clock["pauses"]:
        if pause["end"] is not None:
            due = _postponed(due, pause["start"], pause["end"], calendar)
    return cast("ClockDoc", {**clock, **_due_in(calendar, clock["startedAt"], due)})


def _started(
    kind: ClockKind, now: datetime, calendar: Calendar, policy: ServicePolicy, grade: SupervisionGrade | None
) -> ClockDoc:
    due = _due(kind, now, calendar, policy, grade)
    return cast(
        "ClockDoc",
        {"kind": kind, "startedAt": now, "stoppedAt": None, "pauses": [], **_due_in(calendar, now, due)},
    )


def _due_in(calendar: Calendar, start: datetime, due: datetime | None) -> dict[str, object]:
    provisional = due is not None and calendar.is_provisional(start, due)
    return {"dueAt": due, "zone": calendar.zone, "provisional": provisional}


def _due(
    kind: ClockKind, now: datetime, calendar: Calendar, policy: ServicePolicy, grade: SupervisionGrade | None
) -> datetime | None:
    if kind is ClockKind.TOTAL:
        return None
    if kind is ClockKind.REPORTER_REPLY:
        return calendar.due_after_days(now, policy.reporter_reply_days)
    if kind is ClockKind.RESOLUTION:
        return None if grade is None else calendar.due_at(now, policy.resolution_working_days[grade])
    return calendar.due_at(now, policy.working_days[kind])


def _stopped(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    """Ends it; the time that it was paused for counts against nobody."""
    if clock["stoppedAt"] is not None:
        return clock
    ended = _resumed(clock, now, calendars) if is_paused(clock) else clock
    return {**ended, "stoppedAt": now}


def _paused(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    if clock["stoppedAt"] is not None or is_paused(clock):
        return clock
    return {**clock, "pauses": [*clock["pauses"], {"start": now, "end": None}]}


def _resumed(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    """Runs on, due later by the working days that it stood still."""
    if clock["stoppedAt"] is None and not is_paused(clock):
        return clock
    since = clock["stoppedAt"] or clock["pauses"][-1]["start"]
    pauses = clock["pauses"] if clock["stoppedAt"] else clock["pauses"][:-1]
    calendar = calendars(TimeZone(clock["zone"]))
    due = _postponed(clock["dueAt"], since, now, calendar)
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


def _postponed(due: datetime | None, since: datetime, until: datetime, calendar: Calendar) -> datetime | None:
    """Due later by the working days that ended between the two; a due time that had passed by then stays."""
    if due is None or due <= since:
        return due
    first, last = calendar.local_day(since), calendar.local_day(until)
    ordinals = range(first.toordinal(), last.toordinal())
    stood = sum(calendar.is_working_day(first.fromordinal(ordinal)) for ordinal in ordinals)
    return calendar.due_at(due, stood) if stood else due


def is_paused(clock: ClockDoc) -> bool:
    return clock["stoppedAt"] is None and bool(clock["pauses"]) and clock["pauses"][-1]["end"] is None


def is_running(clock: ClockDoc) -> bool:
    return clock["stoppedAt"] is None and not is_paused(clock)


def next_due(clocks: Iterable[ClockDoc]) -> datetime | None:
    """The first due time of the running clocks."""
    return min((clock["dueAt"] for clock in clocks if is_running(clock) and clock["dueAt"] is not None), default=None)


def is_breached(clock: ClockDoc, now: datetime) -> bool:
    """Whether it ran, or runs, past its due time; a paused clock stands at the instant of its pause."""
    return clock["dueAt"] is not None and _reading(clock, now) > clock["dueAt"]


def working_days_left(clock: ClockDoc, now: datetime, calendar: Calendar) -> float | None:
    """Working days to the due time, to two decimals; negative when late; None for a clock without one."""
    if clock["dueAt"] is None:
        return None
    return round(calendar.working_days_between(_reading(clock, now), clock["dueAt"]), 2)


def _reading(clock: ClockDoc, now: datetime) -> datetime:
    if clock["stoppedAt"] is not None:
        return clock["stoppedAt"]
    return clock["pauses"][-1]["start"] if is_paused(clock) else now
