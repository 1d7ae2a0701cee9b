"""A team's status, derived from its decree's term."""

from datetime import date, timedelta
from typing import Final

from resolvers.domain.vocabulary import TeamStatus

EXPIRING_DAYS: Final = 60


def status(*, term_from: date, term_to: date | None, superseded: bool, today: date) -> TeamStatus:
    """`term_to` is the last day of the term; without one the team stays active until it is superseded."""
    if superseded:
        return TeamStatus.SUPERSEDED
    if today < term_from:
        return TeamStatus.PLANNED
    if term_to is None or term_to - today > timedelta(days=EXPIRING_DAYS):
        return TeamStatus.ACTIVE
    return TeamStatus.EXPIRING if today <= term_to else TeamStatus.EXPIRED


def may_work(status: TeamStatus) -> bool:
    """Whether its members may verify, accept and answer."""
    return status in (TeamStatus.ACTIVE, TeamStatus.EXPIRING)
