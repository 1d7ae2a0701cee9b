"""The state machine against every actor, status and path."""

import itertools

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
    allowed_actions,
    decide,
)
from resolvers.domain.vocabulary import ComplaintAction as Action
from resolvers.domain.vocabulary import ComplaintStatus as Status
from resolvers.domain.vocabulary import SupervisionGrade, UserErrorCode

ACTIONS = sorted({row.action for row in TRANSITIONS})

ACTORS_OF = {
    Action.REQUEST_INFORMATION: {"INTAKE_ADMIN", "CUSTODIAN", "NATIONAL_ADMIN"},
    Action.SUPPLY_INFORMATION: {"REPORTER"},
    Action.VERIFY: {"INTAKE_ADMIN", "CUSTODIAN", "NATIONAL_ADMIN"},
    Action.FORWARD: {"COORDINATOR", "NATIONAL_ADMIN"},
    Action.RETURN: {"HOLDER_ADMIN", "SUBGRAPH"},
    Action.ACCEPT: {"HOLDER_ADMIN", "HOLDER_LIAISON", "CUSTODIAN"},
    Action.FOLLOW_UP: {"HOLDER_ADMIN", "HOLDER_LIAISON", "CUSTODIAN", "SUBGRAPH"},
    Action.APPROVE: {"HOLDER_ADMIN", "CUSTODIAN"},
    Action.REJECT: {"HOLDER_ADMIN", "CUSTODIAN"},
    Action.CONFIRM: {"REPORTER"},
    Action.DISPUTE: {"REPORTER"},
    Action.ARCHIVE: {"INTAKE_ADMIN", "CUSTODIAN", "NATIONAL_ADMIN"},
    Action.WITHDRAW: {"REPORTER"},
}
SOURCES_OF = {
    Action.REQUEST_INFORMATION: {"SUBMITTED"},
    Action.SUPPLY_INFORMATION: {"NEEDS_INFO"},
    Action.VERIFY: {"SUBMITTED"},
    Action.FORWARD: {"RETURNED", "ROUTED"},
    Action.RETURN: {"ROUTED", "IN_PROGRESS"},
    Action.ACCEPT: {"ROUTED", "REOPENED", "IN_PROGRESS"},
    Action.FOLLOW_UP: {"IN_PROGRESS"},
    Action.APPROVE: {"IN_PROGRESS"},
    Action.REJECT: {"IN_PROGRESS"},
    Action.CONFIRM: {"ANSWERED"},
    Action.DISPUTE: {"ANSWERED"},
    Action.ARCHIVE: {"SUBMITTED"},
    Action.WITHDRAW: {
        "SUBMITTED",
        "NEEDS_INFO",
        "ROUTED",
        "RETURNED",
        "IN_PROGRESS",
        "ON_HOLD",
        "ANSWERED",
        "REOPENED",
    },
}

cases = st.builds(
    Case,
    status=st.sampled_from(Status),
    hand_overs=st.integers(0, 6),
    information_requests=st.integers(0, 4),
    has_substantive_follow_up=st.booleans(),
    drafts=st.integers(0, 2),
    grade=st.none() | st.sampled_from(SupervisionGrade),
)


def test_the_table_names_the_actions_and_statuses_it_should() -> None:
    assert {row.action for row in TRANSITIONS} == ACTORS_OF.keys()
    for action in ACTIONS:
        assert {row.source for row in TRANSITIONS if row.action is action} == SOURCES_OF[action]


@pytest.mark.parametrize(("action", "actor"), list(itertools.product(ACTIONS, Actor)))
def test_an_actor_does_what_is_its_part_and_nothing_else(action: Action, actor: Actor) -> None:
    def ready(status: Status) -> Case:
        return Case(status, hand_overs=1, drafts=1)

    for status in Status:
        decision = decide(action, ready(status), frozenset({actor}))
        if actor not in ACTORS_OF[action]:
            assert isinstance(decision, Denial)
            assert decision.code == "NOT_ALLOWED"
        elif status not in SOURCES_OF[action]:
            assert isinstance(decision, Denial)
            assert decision.code == "WRONG_STATUS"
    if actor in ACTORS_OF[action]:
        done = [decide(action, ready(Status(source)), frozenset({actor})) for source in SOURCES_OF[action]]
        assert any(isinstance(decision, Transition) for decision in done)


def test_a_liaison_accepts_but_does_not_reassign() -> None:
    liaison = frozenset({Actor.HOLDER_LIAISON})
    assert isinstance(decide(Action.ACCEPT, Case(Status.ROUTED), liaison), Transition)
    assert decide(Action.ACCEPT, Case(Status.IN_PROGRESS), liaison)[0] == "NOT_ALLOWED"


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
def test_a_guard_says_no(action: Action, case: Case, actor: str, code: str | None) -> None:
    decision = decide(action, case, frozenset({Actor(actor)}))
    assert (decision.code if isinstance(decision, Denial) else None) == code


@given(case=cases, actors=st.frozensets(st.sampled_from(Actor)), action=st.sampled_from(ACTIONS))
def test_every_decision_is_a_row_of_the_table_or_a_code_of_the_contract(
    case: Case, actors: frozenset[Actor], action: Action
) -> None:
    decision = decide(action, case, actors)
    if isinstance(decision, Transition):
        assert decision in TRANSITIONS
        assert decision.source is case.status
        assert not actors.isdisjoint(decision.actors)
    else:
        assert decision.code in set(UserErrorCode)
        assert decision.message.endswith(".")


@given(case=cases, actors=st.frozensets(st.sampled_from(Actor)))
def test_allowed_actions_are_those_that_are_decided_for(case: Case, actors: frozenset[Actor]) -> None:
    allowed = allowed_actions(case, actors)
    assert set(allowed) == {action for action in ACTIONS if isinstance(decide(action, case, actors), Transition)}
    assert list(allowed) == [action for action in Action if action in allowed]


@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.frozensets(st.sampled_from(Actor))), max_size=30))
def test_no_path_of_actions_leaves_the_table(steps: list[tuple[Action, frozenset[Actor]]]) -> None:
    case = Case(Status.SUBMITTED)
    for action, actors in steps:
        decision = decide(action, case, actors)
        if isinstance(decision, Transition):
            assert case.status in OPEN, "a closed complaint moved"
            case = Case(decision.target, hand_overs=case.hand_overs + (action in (Action.VERIFY, Action.FORWARD)))


def test_every_end_is_reached_from_the_beginning() -> None:
    reached = {Status.SUBMITTED}
    for _ in TRANSITIONS:
        reached |= {row.target for row in TRANSITIONS if row.source in reached}
    ends = {Status.CLOSED_RESOLVED, Status.ARCHIVED, Status.WITHDRAWN}
    assert ends <= reached
    assert not any(row.source in ends for row in TRANSITIONS)
