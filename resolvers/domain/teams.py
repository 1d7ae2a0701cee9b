"""The status of a team, derived from the term of its decree, and the share of its seats that are filled."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from resolvers.domain.vocabulary import TeamRole, TeamStatus

EXPIRING_DAYS: Final = 60
GRACE_DAYS: Final = 14
"""Days after its term in which a team may finish its work while it waits for a new decree."""

REQUIRED: Final = (TeamRole.COORDINATOR, TeamRole.ADMIN)
"""The seats of every agency, in addition to one liaison for each unit."""


def derive_status(*, term_from: date, term_to: date | None, superseded: bool, today: date) -> TeamStatus:
    """Return the status on a day. `term_to` is the last day of the term; None: active until it is superseded."""
    if superseded:
        return TeamStatus.SUPERSEDED
    if today < term_from:
        return TeamStatus.PLANNED
    if term_to is None or term_to - today > timedelta(days=EXPIRING_DAYS):
        return TeamStatus.ACTIVE
    return TeamStatus.EXPIRING if today <= term_to else TeamStatus.EXPIRED


def is_active(status: TeamStatus) -> bool:
    return status in (TeamStatus.ACTIVE, TeamStatus.EXPIRING)


def may_work(status: TeamStatus, term_to: date | None, today: date) -> bool:
    """Whether the members may verify, accept and approve: while the team is active, and in the days of grace."""
    in_grace = status is TeamStatus.EXPIRED and term_to is not None and today - term_to <= timedelta(days=GRACE_DAYS)
    return is_active(status) or in_grace


class TeamStanding(StrEnum):
    """The status as upkeep notes it: EXPIRED is split into the days of grace and the time after them."""

    PLANNED = "PLANNED"
    ACTIVE = "ACTIVE"
    EXPIRING = "EXPIRING"
    IN_GRACE = "IN_GRACE"
    OVER = "OVER"


def derive_standing(status: TeamStatus, term_to: date | None, today: date) -> TeamStanding:
    if status is TeamStatus.SUPERSEDED:
        return TeamStanding.OVER
    if status is TeamStatus.EXPIRED:
        return TeamStanding.IN_GRACE if may_work(status, term_to, today) else TeamStanding.OVER
    return TeamStanding(status)


def find_next_change(term_from: date, term_to: date | None, today: date) -> date | None:
    """Return the next day on which the standing changes because of the calendar, or None."""
    days = [term_from]
    if term_to is not None:
        days += [term_to + timedelta(days=after) for after in (-EXPIRING_DAYS, 1, GRACE_DAYS + 1)]
    return min((day for day in days if day > today), default=None)


class Seat(NamedTuple):
    """The seat of a present member."""

    role: TeamRole
    unit: str | None
    is_trained: bool


class Health(NamedTuple):
    seats_filled: int
    seats_total: int
    """One coordinator, one admin, and one liaison for each unit."""
    liaisons_per_unit: float | None
    trained_share: float | None
    days_to_expiry: int | None
    """Days until the last term ends, negative afterwards; None when a term has no published end."""


def compute_health(
    members: Collection[Seat], units: Collection[str], ends: Iterable[date | None], today: date
) -> Health:
    """Compute the health of all teams of an agency together; `ends` are the last days of their terms."""
    roles = {member.role for member in members}
    liaisons = [member for member in members if member.role is TeamRole.LIAISON]
    served = {liaison.unit for liaison in liaisons}
    filled = sum(role in roles for role in REQUIRED) + sum(unit in served for unit in units)
    last_days = list(ends)
    known = [day for day in last_days if day is not None]
    return Health(
        seats_filled=filled,
        seats_total=len(REQUIRED) + len(units),
        liaisons_per_unit=round(len(liaisons) / len(units), 2) if units else None,
        trained_share=round(sum(member.is_trained for member in members) / len(members), 4) if members else None,
        days_to_expiry=(max(known) - today).days if known and len(known) == len(last_days) else None,
    )
