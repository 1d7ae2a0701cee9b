"""Clocks with due times in working days. The service policy sets their durations; docs/lifecycle.md lists them."""

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
    """When its liaison was warned that little time is left."""


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
    """Return the clocks after a transition.

    A new clock counts in the time zone `zone`; the others keep the zone in which they started. A clock that was stopped
    and starts again is a new entry. RESUME continues the last clock of its kind, and treats a stopped clock as if it
    had been paused. RESOLUTION counts from `resolution_since` if that is given, else from `now`.
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
    """Return the clock with the due time that this calendar gives, from the same start and through the same pauses."""
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
    """Stop the clock. A clock that is paused is resumed first, so that the pause moves its due time."""
    if clock["stoppedAt"] is not None:
        return clock
    ended = _resume_clock(clock, now, calendars) if is_paused(clock) else clock
    return {**ended, "stoppedAt": now}


def _pause_clock(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    if clock["stoppedAt"] is not None or is_paused(clock):
        return clock
    return {**clock, "pauses": [*clock["pauses"], {"start": now, "end": None}]}


def _resume_clock(clock: ClockDoc, now: datetime, calendars: Calendars) -> ClockDoc:
    """Let a paused or stopped clock run again; its due time moves by the working days that it stood still."""
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
    """Move a due time by the working days that ended between `since` and `until`; one that had passed stays."""
    if due is None or due <= since:
        return due
    # Whole days by the local calendar: a clock paused on Monday and resumed on Wednesday stood for two working days.
    first, last = calendar.to_local_day(since), calendar.to_local_day(until)
    ordinals = range(first.toordinal(), last.toordinal())
    stood = sum(calendar.is_working_day(first.fromordinal(ordinal)) for ordinal in ordinals)
    return calendar.compute_due_at(due, stood) if stood else due


def is_paused(clock: ClockDoc) -> bool:
    return clock["stoppedAt"] is None and bool(clock["pauses"]) and clock["pauses"][-1]["end"] is None


def is_running(clock: ClockDoc) -> bool:
    return clock["stoppedAt"] is None and not is_paused(clock)


def find_next_due(clocks: Iterable[ClockDoc]) -> datetime | None:
    """Return the earliest due time of the running clocks, or None."""
    return min((clock["dueAt"] for clock in clocks if is_running(clock) and clock["dueAt"] is not None), default=None)


def is_breached(clock: ClockDoc, now: datetime) -> bool:
    """Whether the clock runs or ran past its due time. A paused clock stands at the instant of its pause."""
    return clock["dueAt"] is not None and _find_reading(clock, now) > clock["dueAt"]


def count_working_days_left(clock: ClockDoc, now: datetime, calendar: Calendar) -> float | None:
    """Return the working days to the due time, to two decimals: negative when late, None without a due time."""
    if clock["dueAt"] is None:
        return None
    return round(calendar.count_working_days(_find_reading(clock, now), clock["dueAt"]), 2)


def _find_reading(clock: ClockDoc, now: datetime) -> datetime:
    if clock["stoppedAt"] is not None:
        return clock["stoppedAt"]
    return clock["pauses"][-1]["start"] if is_paused(clock) else now
