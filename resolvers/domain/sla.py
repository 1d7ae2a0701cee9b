"""Deadlines and clocks in working time.

Source: verification within 3 working days, follow-up within 5 (LAPOR! service terms); resolution by grade
(service standards under PermenPANRB 62/2018); 10 days for the reporter's reply. docs/lifecycle.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict, cast

from resolvers.domain.calendar import Calendar
from resolvers.domain.lifecycle import ClockEffect, Effect
from resolvers.domain.vocabulary import ClockKind, SupervisionGrade


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


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """How long each clock runs: working days, but for the reporter's reply, which counts every day."""

    working_days: Mapping[ClockKind, int]
    resolution_working_days: Mapping[SupervisionGrade, int]
    reporter_reply_days: int


POLICY_2025: Final = SlaPolicy(
    working_days={ClockKind.VERIFICATION: 3, ClockKind.ACCEPTANCE: 1, ClockKind.FOLLOW_UP: 5},
    resolution_working_days={
        SupervisionGrade.LIGHT: 2,
        SupervisionGrade.NORMATIVE: 5,
        SupervisionGrade.NON_SUPERVISORY: 14,
        SupervisionGrade.SUPERVISORY: 60,
    },
    reporter_reply_days=10,
)


def apply(
    clocks: Sequence[ClockDoc],
    effects: Iterable[ClockEffect],
    *,
    now: datetime,
    calendar: Calendar,
    policy: SlaPolicy,
    grade: SupervisionGrade | None,
) -> list[ClockDoc]:
    """The clocks after a transition: new ones in the calendar's time, the others as they were started.

    A clock that was stopped and starts again is a new entry; RESUME takes up a stopped one too, as if it had been
    paused. TOTAL is never started twice.
    """
    after = list(clocks)
    for effect, kind in effects:
        if effect is Effect.START:
            assert kind is not None  # noqa: S101 - the table starts clocks by name
            after.append(_started(kind, now, calendar, policy, grade))
        else:
            after = [
                _changed(clock, effect, now, calendar) if kind in (None, clock["kind"]) else clock for clock in after
            ]
    return after


def _started(
    kind: ClockKind, now: datetime, calendar: Calendar, policy: SlaPolicy, grade: SupervisionGrade | None
) -> ClockDoc:
    due = _due(kind, now, calendar, policy, grade)
    return {
        "kind": kind,
        "startedAt": now,
        "dueAt": due,
        "stoppedAt": None,
        "pauses": [],
        "zone": calendar.zone,
        "provisional": due is not None and calendar.is_provisional(now, due),
    }


def _due(
    kind: ClockKind, now: datetime, calendar: Calendar, policy: SlaPolicy, grade: SupervisionGrade | None
) -> datetime | None:
    if kind is ClockKind.TOTAL:
        return None
    if kind is ClockKind.REPORTER_REPLY:
        return calendar.due_after_days(now, policy.reporter_reply_days)
    if kind is ClockKind.RESOLUTION:
        return None if grade is None else calendar.due_at(now, policy.resolution_working_days[grade])
    return calendar.due_at(now, policy.working_days[kind])


def _changed(clock: ClockDoc, effect: Effect, now: datetime, calendar: Calendar) -> ClockDoc:
    if effect is Effect.STOP:
        return clock if clock["stoppedAt"] is not None else {**clock, "stoppedAt": now}
    if effect is Effect.PAUSE:
        if clock["stoppedAt"] is not None or is_paused(clock):
            return clock
        return {**clock, "pauses": [*clock["pauses"], {"start": now, "end": None}]}
    return _resumed(clock, now, calendar)


def _resumed(clock: ClockDoc, now: datetime, calendar: Calendar) -> ClockDoc:
    """Runs on, due later by the working days that it stood still."""
    if clock["stoppedAt"] is None and not is_paused(clock):
        return clock
    since = clock["stoppedAt"] or clock["pauses"][-1]["start"]
    pauses = clock["pauses"] if clock["stoppedAt"] else clock["pauses"][:-1]
    due = clock["dueAt"]
    if due is not None and due > since:
        stood = sum(1 for _ in _working_days(calendar, since, now))
        due = calendar.due_at(due, stood) if stood else due
    return cast(
        "ClockDoc", {**clock, "dueAt": due, "stoppedAt": None, "pauses": [*pauses, {"start": since, "end": now}]}
    )


def _working_days(calendar: Calendar, start: datetime, end: datetime) -> Iterable[int]:
    """One for each working day whose end lies between the two."""
    first, last = calendar.local_day(start), calendar.local_day(end)
    ordinals = range(first.toordinal(), last.toordinal())
    return (ordinal for ordinal in ordinals if calendar.is_working_day(first.fromordinal(ordinal)))


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
