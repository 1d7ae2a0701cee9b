"""The state machine against every actor, status and path."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.domain.lifecycle import (
    OPEN,
    TRANSITIONS,
    Actor,
    Case,
    Denial,
    Transition,
    decide,
    list_allowed_actions,
)
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.domain.vocabulary import ComplaintStatus as Status
from resolvers.domain.vocabulary import SupervisionGrade, UserErrorCode
from resolvers.domain.vocabulary import UnlistedAction as Unlisted
from resolvers.store.register import build_policies

LIMITS = build_policies().by_version("5/2025").limits
ACTIONS: list[Action | Unlisted] = sorted({row.action for row in TRANSITIONS})

OPEN_STATUSES = {"SUBMITTED", "NEEDS_INFO", "ROUTED", "RETURNED", "IN_PROGRESS", "ON_HOLD", "ANSWERED", "REOPENED"}

ACTORS_OF: dict[Action | Unlisted, set[str]] = {
    Action.REQUEST_INFORMATION: {"INTAKE_ADMIN", "CUSTODIAN", "NATIONAL_ADMIN"},
    Action.SUPPLY_INFORMATION: {"REPORTER"},
    Unlisted.LAPSE: {"SYSTEM"},
    Action.VERIFY: {"INTAKE_ADMIN", "CUSTODIAN", "NATIONAL_ADMIN", "SYSTEM"},
    Action.FORWARD: {"COORDINATOR", "NATIONAL_ADMIN"},
    Action.RETURN: {"HOLDER_ADMIN", "SUBGRAPH"},
    Action.ACCEPT: {"HOLDER_ADMIN", "HOLDER_LIAISON", "CUSTODIAN"},
    Action.HOLD: {"HOLDER_ADMIN"},
    Action.RESUME: {"HOLDER_ADMIN", "SYSTEM"},
    Action.FOLLOW_UP: {"HOLDER_ADMIN", "HOLDER_LIAISON", "CUSTODIAN", "SUBGRAPH"},
    Action.APPROVE: {"HOLDER_ADMIN", "CUSTODIAN"},
    Action.REJECT: {"HOLDER_ADMIN", "CUSTODIAN"},
    Action.CONFIRM: {"REPORTER"},
    Action.DISPUTE: {"REPORTER"},
    Action.PROPOSE_CLOSURE: {"HOLDER_ADMIN"},
    Action.CONSENT_TO_CLOSURE: {"COORDINATOR", "NATIONAL_ADMIN"},
    Unlisted.REFUSE_CLOSURE: {"COORDINATOR", "NATIONAL_ADMIN"},
    Action.ARCHIVE: {"INTAKE_ADMIN", "CUSTODIAN", "NATIONAL_ADMIN"},
    Action.RESTORE: {"REPORTER", "NATIONAL_ADMIN"},
    Action.MERGE: {"HOLDER_ADMIN", "CUSTODIAN", "SUBGRAPH", "NATIONAL_ADMIN"},
    Action.WITHDRAW: {"REPORTER"},
    Action.REOPEN: {"REPORTER", "OVERSIGHT"},
    Action.ESCALATE: {"REPORTER", "HOLDER_ADMIN", "COORDINATOR", "SYSTEM"},
    Action.SET_PRIVACY: {
        "REPORTER",
        "HOLDER_ADMIN",
        "HOLDER_LIAISON",
        "CUSTODIAN",
        "COORDINATOR",
        "NATIONAL_ADMIN",
    },
}
SOURCES_OF: dict[Action | Unlisted, set[str]] = {
    Action.REQUEST_INFORMATION: {"SUBMITTED"},
    Action.SUPPLY_INFORMATION: {"NEEDS_INFO"},
    Unlisted.LAPSE: {"NEEDS_INFO", "ANSWERED"},
    Action.VERIFY: {"SUBMITTED"},
    Action.FORWARD: {"RETURNED", "ROUTED"},
    Action.RETURN: {"ROUTED", "IN_PROGRESS"},
    Action.ACCEPT: {"ROUTED", "REOPENED", "IN_PROGRESS"},
    Action.HOLD: {"IN_PROGRESS"},
    Action.RESUME: {"ON_HOLD"},
    Action.FOLLOW_UP: {"IN_PROGRESS"},
    Action.APPROVE: {"IN_PROGRESS"},
    Action.REJECT: {"IN_PROGRESS"},
    Action.CONFIRM: {"ANSWERED"},
    Action.DISPUTE: {"ANSWERED"},
    Action.PROPOSE_CLOSURE: {"IN_PROGRESS"},
    Action.CONSENT_TO_CLOSURE: {"IN_PROGRESS"},
    Unlisted.REFUSE_CLOSURE: {"IN_PROGRESS"},
    Action.ARCHIVE: {"SUBMITTED"},
    Action.RESTORE: {"ARCHIVED"},
    Action.MERGE: {"SUBMITTED", "ROUTED"},
    Action.WITHDRAW: OPEN_STATUSES,
    Action.REOPEN: {"CLOSED_RESOLVED", "CLOSED_NO_REPLY", "CLOSED_UNABLE"},
    Action.ESCALATE: OPEN_STATUSES,
    Action.SET_PRIVACY: {*Status},
}


def ready(status: Status) -> Case:
    """A complaint that no guard minds."""
    return Case(
        status,
        hand_overs=1,
        drafts=1,
        others_drafts=1,
        hold_is_over=True,
        is_proposed=status is Status.IN_PROGRESS,
        reply_is_overdue=True,
        is_breached=True,
    )


cases = st.builds(
    Case,
    status=st.sampled_from(Status),
    hand_overs=st.integers(0, 6),
    information_requests=st.integers(0, 4),
    has_substantive_follow_up=st.booleans(),
    drafts=st.integers(0, 2),
    others_drafts=st.integers(0, 2),
    holds=st.integers(0, 3),
    hold_is_over=st.booleans(),
    is_proposed=st.booleans(),
    is_own_proposal=st.booleans(),
    reply_is_overdue=st.booleans(),
    is_breached=st.booleans(),
    escalation_level=st.integers(0, 5),
    days_since_receipt=st.integers(0, 100),
    days_since_end=st.integers(0, 100),
    reopenings=st.integers(0, 3),
    followers=st.integers(0, 2),
    grade=st.none() | st.sampled_from(SupervisionGrade),
)


def test_the_table_names_the_actions_and_statuses_it_should() -> None:
    assert {row.action for row in TRANSITIONS} == ACTORS_OF.keys()
    for action in ACTIONS:
        assert {row.source for row in TRANSITIONS if row.action is action} == SOURCES_OF[action]


@pytest.mark.parametrize(("action", "actor"), list(itertools.product(ACTIONS, Actor)))
def test_an_actor_does_what_is_its_part_and_nothing_else(action: Action | Unlisted, actor: Actor) -> None:
    def decided(status: Status) -> Transition | Denial:
        case = ready(status)
        case = replace(case, is_proposed=False) if action is Action.PROPOSE_CLOSURE else case
        return decide(action, case, frozenset({actor}), LIMITS)

    for status in Status:
        decision = decided(status)
        if actor not in ACTORS_OF[action]:
            assert isinstance(decision, Denial)
            assert decision.code == "NOT_ALLOWED"
        elif status not in SOURCES_OF[action]:
            assert isinstance(decision, Denial)
            assert decision.code == "WRONG_STATUS"
    if actor in ACTORS_OF[action]:
        done = [decided(Status(source)) for source in SOURCES_OF[action]]
        assert any(isinstance(decision, Transition) for decision in done)


def test_the_province_that_holds_it_does_not_consent_to_its_own_proposal() -> None:
    case = Case(Status.IN_PROGRESS, is_proposed=True)
    assert decide(Action.CONSENT_TO_CLOSURE, case, frozenset({Actor.COORDINATOR}), LIMITS)[0] == "CONSENT_TO_CLOSURE"
    both = frozenset({Actor.COORDINATOR, Actor.CUSTODIAN})
    assert decide(Action.CONSENT_TO_CLOSURE, case, both, LIMITS)[0] == "NOT_ALLOWED"


def test_a_liaison_accepts_but_does_not_reassign() -> None:
    liaison = frozenset({Actor.HOLDER_LIAISON})
    assert isinstance(decide(Action.ACCEPT, Case(Status.ROUTED), liaison, LIMITS), Transition)
    assert decide(Action.ACCEPT, Case(Status.IN_PROGRESS), liaison, LIMITS)[0] == "NOT_ALLOWED"


@pytest.mark.parametrize(
    ("action", "case", "actor", "code"),
    [
        (Action.REQUEST_INFORMATION, Case(Status.SUBMITTED, information_requests=2), "NATIONAL_ADMIN", "LIMIT_REACHED"),
        (Action.RETURN, Case(Status.ROUTED, hand_overs=3), "HOLDER_ADMIN", "LIMIT_REACHED"),
        (
            Action.RETURN,
            Case(Status.IN_PROGRESS, hand_overs=1, has_substantive_follow_up=True),
            "HOLDER_ADMIN",
            "NOT_ALLOWED",
        ),
        (Action.FORWARD, Case(Status.RETURNED, hand_overs=3), "COORDINATOR", "LIMIT_REACHED"),
        (Action.FORWARD, Case(Status.RETURNED, hand_overs=9), "NATIONAL_ADMIN", None),
        (Action.APPROVE, Case(Status.IN_PROGRESS), "HOLDER_ADMIN", "WRONG_STATUS"),
        (Action.APPROVE, Case(Status.IN_PROGRESS, drafts=1), "HOLDER_ADMIN", "NOT_ALLOWED"),
        (Action.APPROVE, Case(Status.IN_PROGRESS, drafts=2, others_drafts=1), "HOLDER_ADMIN", None),
        (Action.HOLD, Case(Status.IN_PROGRESS, holds=1), "HOLDER_ADMIN", None),
        (Action.HOLD, Case(Status.IN_PROGRESS, holds=2), "HOLDER_ADMIN", "LIMIT_REACHED"),
        (Action.RESUME, Case(Status.ON_HOLD), "HOLDER_ADMIN", None),
        (Action.RESUME, Case(Status.ON_HOLD), "SYSTEM", "NOT_ALLOWED"),
        (Action.RESUME, Case(Status.ON_HOLD, hold_is_over=True), "SYSTEM", None),
        (Action.PROPOSE_CLOSURE, Case(Status.IN_PROGRESS, is_proposed=True), "HOLDER_ADMIN", "WRONG_STATUS"),
        (Action.CONSENT_TO_CLOSURE, Case(Status.IN_PROGRESS), "COORDINATOR", "WRONG_STATUS"),
        (
            Action.CONSENT_TO_CLOSURE,
            Case(Status.IN_PROGRESS, is_proposed=True, is_own_proposal=True),
            "COORDINATOR",
            "NOT_ALLOWED",
        ),
        (Unlisted.REFUSE_CLOSURE, Case(Status.IN_PROGRESS), "NATIONAL_ADMIN", "WRONG_STATUS"),
        (Unlisted.LAPSE, Case(Status.ANSWERED), "SYSTEM", "NOT_ALLOWED"),
        (Unlisted.LAPSE, Case(Status.NEEDS_INFO), "SYSTEM", "NOT_ALLOWED"),
        (Action.RESTORE, Case(Status.ARCHIVED, days_since_end=90), "REPORTER", None),
        (Action.RESTORE, Case(Status.ARCHIVED, days_since_end=91), "REPORTER", "LIMIT_REACHED"),
        (Action.RESTORE, Case(Status.ARCHIVED, days_since_end=910), "NATIONAL_ADMIN", None),
        (Action.REOPEN, Case(Status.CLOSED_UNABLE, days_since_end=30), "REPORTER", None),
        (Action.REOPEN, Case(Status.CLOSED_UNABLE, days_since_end=31), "REPORTER", "LIMIT_REACHED"),
        (Action.REOPEN, Case(Status.CLOSED_RESOLVED, reopenings=2), "REPORTER", "LIMIT_REACHED"),
        (Action.REOPEN, Case(Status.CLOSED_RESOLVED, reopenings=2, days_since_end=400), "OVERSIGHT", None),
        (Action.MERGE, Case(Status.ROUTED, followers=1), "HOLDER_ADMIN", "NOT_ALLOWED"),
        (Action.WITHDRAW, Case(Status.ROUTED, followers=1), "REPORTER", "NOT_ALLOWED"),
        (Action.ESCALATE, Case(Status.ROUTED), "REPORTER", "NOT_ALLOWED"),
        (Action.ESCALATE, Case(Status.ROUTED, is_breached=True), "REPORTER", None),
        (Action.ESCALATE, Case(Status.ROUTED), "HOLDER_ADMIN", None),
        (Action.ESCALATE, Case(Status.ROUTED, escalation_level=4), "SYSTEM", "NOT_ALLOWED"),
        (
            Action.ESCALATE,
            Case(Status.ROUTED, is_breached=True, escalation_level=4, days_since_receipt=60),
            "REPORTER",
            "NOT_ALLOWED",
        ),
        (
            Action.ESCALATE,
            Case(Status.ROUTED, is_breached=True, escalation_level=4, days_since_receipt=61),
            "REPORTER",
            None,
        ),
        (Action.ESCALATE, Case(Status.ROUTED, escalation_level=5), "REPORTER", "LIMIT_REACHED"),
        (Action.REJECT, Case(Status.IN_PROGRESS), "HOLDER_ADMIN", "WRONG_STATUS"),
        (
            Action.WITHDRAW,
            Case(Status.IN_PROGRESS, grade=SupervisionGrade.SUPERVISORY),
            "REPORTER",
            "NOT_ALLOWED",
        ),
        (Action.WITHDRAW, Case(Status.ROUTED, grade=SupervisionGrade.SUPERVISORY), "REPORTER", None),
    ],
)
def test_a_guard_says_no(action: Action | Unlisted, case: Case, actor: str, code: str | None) -> None:
    decision = decide(action, case, frozenset({Actor(actor)}), LIMITS)
    assert (decision.code if isinstance(decision, Denial) else None) == code


@given(case=cases, actors=st.frozensets(st.sampled_from(Actor)), action=st.sampled_from(ACTIONS))
def test_every_decision_is_a_row_of_the_table_or_a_code_of_the_contract(
    case: Case, actors: frozenset[Actor], action: Action | Unlisted
) -> None:
    decision = decide(action, case, actors, LIMITS)
    if isinstance(decision, Transition):
        assert decision in TRANSITIONS
        assert decision.source is case.status
        assert not actors.isdisjoint(decision.actors)
    else:
        assert decision.code in set(UserErrorCode)
        assert decision.message.endswith(".")


@given(case=cases, actors=st.frozensets(st.sampled_from(Actor)))
def test_allowed_actions_are_those_that_are_decided_for(case: Case, actors: frozenset[Actor]) -> None:
    allowed = list_allowed_actions(case, actors, LIMITS)
    listed = {action for action in ACTIONS if isinstance(action, Action)}
    assert set(allowed) == {action for action in listed if isinstance(decide(action, case, actors, LIMITS), Transition)}
    assert list(allowed) == [action for action in Action if action in allowed]


@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.frozensets(st.sampled_from(Actor))), max_size=30))
def test_no_path_of_actions_leaves_the_table(steps: list[tuple[Action | Unlisted, frozenset[Actor]]]) -> None:
    case = ready(Status.SUBMITTED)
    ways_back = {Action.RESTORE, Action.REOPEN, Action.SET_PRIVACY}
    for action, actors in steps:
        decision = decide(action, case, actors, LIMITS)
        if isinstance(decision, Transition):
            assert case.status in OPEN or action in ways_back, "a closed complaint moved"
            handed_over = case.hand_overs + (action in (Action.VERIFY, Action.FORWARD))
            case = replace(ready(decision.target), hand_overs=handed_over)


def test_every_status_is_reached_from_the_beginning() -> None:
    reached = {Status.SUBMITTED}
    for _ in TRANSITIONS:
        reached |= {row.target for row in TRANSITIONS if row.source in reached}
    assert reached == set(Status)


def test_only_an_answer_or_a_consent_closes_a_complaint() -> None:
    closing = {
        (row.action, row.source) for row in TRANSITIONS if row.target.startswith("CLOSED") and row.source in OPEN
    }
    assert closing == {
        (Action.CONFIRM, Status.ANSWERED),
        (Unlisted.LAPSE, Status.ANSWERED),
        (Action.CONSENT_TO_CLOSURE, Status.IN_PROGRESS),
    }
    assert {
        row.action for row in TRANSITIONS if row.target is Status.ANSWERED and row.source is not Status.ANSWERED
    } == {Action.APPROVE}


def test_no_transition_starts_the_total_clock_anew() -> None:
    kinds = [effect.kind for row in TRANSITIONS for effect in row.clocks if effect.effect == "START"]
    assert "TOTAL" not in kinds


def test_every_way_back_lets_the_total_clock_run_on_and_every_end_stops_it() -> None:
    for row in TRANSITIONS:
        effects = {(effect.effect, effect.kind) for effect in row.clocks}
        assert (("RESUME", "TOTAL") in effects) == (row.source not in OPEN and row.target in OPEN), row
        assert (("STOP", None) in effects) == (row.source in OPEN and row.target not in OPEN), row
