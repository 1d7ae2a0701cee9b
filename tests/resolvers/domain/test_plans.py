"""The progress of action plans and the status of milestones, computed by hand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain.plans import Milestone, compute_progress, compute_share_done, derive_status

BEGINS = date(2026, 1, 1)
DUE = date(2026, 12, 31)


def milestone(
    value: float | None = None,
    *,
    weight: float = 1,
    baseline: float | None = None,
    target: float | None = None,
    dropped: bool = False,
) -> Milestone:
    return Milestone(DUE, weight, baseline, target, value, dropped)


@pytest.mark.parametrize(
    ("value", "baseline", "target", "share"),
    [
        (None, 0.0, 10.0, None),
        (5.0, 0.0, 10.0, 0.5),
        (15.0, 0.0, 10.0, 1.0),
        (-5.0, 0.0, 10.0, 0.0),
        (5.0, 14.0, 5.0, 1.0),
        (9.5, 14.0, 5.0, 0.5),
        (20.0, 14.0, 5.0, 0.0),
        (0.25, None, None, 0.25),
        (30.0, None, 40.0, 0.75),
    ],
)
def test_a_share_is_how_far_it_is_from_baseline_to_target(
    value: float | None, baseline: float | None, target: float | None, share: float | None
) -> None:
    assert compute_share_done(milestone(value, baseline=baseline, target=target)) == share


@pytest.mark.parametrize(
    ("milestones", "expected"),
    [
        ([], None),
        ([milestone(), milestone()], None),
        ([milestone(1.0), milestone()], 0.5),
        ([milestone(1.0, weight=3), milestone(0.0)], 0.75),
        ([milestone(1.0, weight=3), milestone(0.0, dropped=True)], 1.0),
        ([milestone(1.0, dropped=True), milestone()], None),
        ([milestone(1.0, dropped=True)], None),
        ([milestone(0.5, weight=2), milestone(1 / 3, weight=1)], 0.4444),
    ],
)
def test_progress_is_weighted_and_null_where_nothing_is_measured(
    milestones: list[Milestone], expected: float | None
) -> None:
    assert compute_progress(milestones) == expected


@pytest.mark.parametrize(
    ("value", "today", "dropped", "expected"),
    [
        (None, date(2026, 7, 1), False, "PLANNED"),
        (None, DUE, False, "PLANNED"),
        (None, date(2027, 1, 1), False, "LATE"),
        (0.5, date(2027, 1, 1), False, "LATE"),
        (1.0, date(2027, 1, 1), False, "DONE"),
        (1.0, date(2026, 2, 1), False, "DONE"),
        (0.35, date(2026, 7, 2), False, "ON_TRACK"),
        (0.34, date(2026, 7, 2), False, "AT_RISK"),
        (0.0, BEGINS, False, "ON_TRACK"),
        (0.0, date(2025, 12, 1), False, "ON_TRACK"),
        (0.84, DUE, False, "AT_RISK"),
        (0.2, date(2027, 1, 1), True, "DROPPED"),
    ],
)
def test_a_milestone_is_judged_against_a_straight_line(
    value: float | None, today: date, dropped: bool, expected: str
) -> None:
    assert derive_status(milestone(value, dropped=dropped), begins=BEGINS, today=today) == expected


def test_a_milestone_that_is_due_on_the_plans_first_day_is_expected_whole() -> None:
    assert derive_status(milestone(0.5), begins=DUE, today=DUE) == "AT_RISK"


FINITE = st.floats(-1e9, 1e9)
MILESTONES = st.builds(
    Milestone,
    st.just(DUE),
    st.floats(0.001, 1000),
    st.none() | st.just(0.0),
    st.none() | st.floats(1, 1e6),
    st.none() | FINITE,
    st.booleans(),
)


@given(st.lists(MILESTONES, max_size=20))
def test_progress_never_leaves_zero_to_one(milestones: list[Milestone]) -> None:
    found = compute_progress(milestones)
    assert found is None or 0 <= found <= 1


@given(st.lists(MILESTONES, max_size=10), FINITE)
def test_what_is_dropped_never_counts(milestones: list[Milestone], value: float) -> None:
    assert compute_progress(milestones) == compute_progress([*milestones, milestone(value, dropped=True)])
