"""The progress of an action plan, weighted over its milestones, and the status of each milestone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from resolvers.domain.vocabulary import MilestoneStatus

AT_RISK_POINTS: Final = 0.15
"""How far a milestone may lag behind a straight line from the plan's first day to the milestone's due day."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """`value` is the last measured value, None before the first. A milestone without a target is done at 1."""

    due_on: date
    weight: float
    baseline: float | None
    target: float | None
    value: float | None
    dropped: bool


def compute_share_done(milestone: Milestone) -> float | None:
    """Return the share done, 0 to 1, from baseline to target (up or down); None before the first measurement."""
    if milestone.value is None:
        return None
    baseline = 0.0 if milestone.baseline is None else milestone.baseline
    target = 1.0 if milestone.target is None else milestone.target
    return min(1.0, max(0.0, (milestone.value - baseline) / (target - baseline)))


def compute_progress(milestones: Iterable[Milestone]) -> float | None:
    """Return the weighted share done, to four decimals; None when no milestone was measured.

    A milestone without a measurement counts as not done. A dropped milestone does not count.
    """
    kept = [milestone for milestone in milestones if not milestone.dropped]
    shares = [compute_share_done(milestone) for milestone in kept]
    if all(share is None for share in shares):
        return None
    done = sum(milestone.weight * (share or 0.0) for milestone, share in zip(kept, shares, strict=True))
    return round(done / sum(milestone.weight for milestone in kept), 4)


def derive_status(milestone: Milestone, *, begins: date, today: date) -> MilestoneStatus:
    """Return the status of a milestone; `begins` is the plan's first day.

    A milestone is late from the day after its due day.
    """
    if milestone.dropped:
        return MilestoneStatus.DROPPED
    share = compute_share_done(milestone)
    if share == 1.0:
        return MilestoneStatus.DONE
    if today > milestone.due_on:
        return MilestoneStatus.LATE
    if share is None:
        return MilestoneStatus.PLANNED
    behind = round(_compute_expected_share(milestone, begins, today) - share, 6)
    return MilestoneStatus.AT_RISK if behind > AT_RISK_POINTS else MilestoneStatus.ON_TRACK


def _compute_expected_share(milestone: Milestone, begins: date, today: date) -> float:
    whole = (milestone.due_on - begins).days
    return 1.0 if whole <= 0 else min(1.0, max(0.0, (today - begins).days / whole))
