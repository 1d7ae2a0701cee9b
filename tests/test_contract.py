"""The contract: docs/schema.graphql is current, every field has a binding, and private keys are guarded."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, build_schema

import schema
from resolvers.domain import lifecycle, vocabulary
from schema.binding import Action, Called, Column, Derived, Loaded, Streamed, binding_of

ROOT = Path(__file__).parents[1]
BUILT = schema.build()._schema


def fields() -> Iterator[tuple[str, GraphQLField]]:
    for named in BUILT.type_map.values():
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) and not named.name.startswith("__"):
            for name, field in named.fields.items():
                yield f"{named.name}.{name}", field


FIELDS = dict(fields())


def test_the_published_contract_is_the_code() -> None:
    published = (ROOT / "docs" / "schema.graphql").read_text(encoding="utf-8")
    assert published == schema.print_subgraph_sdl(), "run: satugraf schema > docs/schema.graphql"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_bound(name: str) -> None:
    assert isinstance(binding_of(FIELDS[name]), Column | Derived | Loaded | Called | Action | Streamed)


def test_what_is_derived_is_there_at_once() -> None:
    """The compiled executor would use a coroutine as the value: fields that must wait are loaded or called."""
    derived = [binding for field in FIELDS.values() if isinstance(binding := binding_of(field), Derived)]
    assert derived
    assert not [binding.compute for binding in derived if inspect.iscoroutinefunction(binding.compute)]


def test_every_mutation_is_an_action_with_one_input_that_guards_against_repetition() -> None:
    assert BUILT.mutation_type is not None
    for field in BUILT.mutation_type.fields.values():
        assert isinstance(binding_of(field), Action)
        assert list(field.args) == ["input"]
        assert "idempotencyKey" in field.args["input"].type.of_type.fields
        assert "userErrors" in field.type.of_type.fields


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Complaint.assignee", "assignee"),
        ("Complaint.hold", "hold"),
        ("Complaint.title", "title"),
        ("Complaint.body", "body"),
        ("Complaint.location", "location"),
        ("Complaint.forwardings", "forwardings"),
        ("Complaint.rating", "rating"),
        ("Complaint.closure", "closure"),
    ],
)
def test_private_fields_ask_who_is_reading(name: str, key: str) -> None:
    binding = binding_of(FIELDS[name])
    assert isinstance(binding, Column | Loaded)
    assert binding.key == key
    assert binding.visible is not None


def test_private_words_are_in_no_field_that_does_not_ask() -> None:
    """A new field that reads these keys must be listed here, with its guard."""
    private = {
        "title",
        "originalTitle",
        "body",
        "words",
        "location",
        "assignee",
        "assigneeSubject",
        "hold",
        "rating",
        "closure",
    }
    private |= {"followUps", "forwardings", "reporter", "reporterSubject", "secretHash", "processed", "creation"}
    complaint = BUILT.type_map["Complaint"]
    assert isinstance(complaint, GraphQLObjectType)
    unguarded = {
        name
        for name, field in complaint.fields.items()
        if isinstance(binding := binding_of(field), Column | Loaded)
        and binding.visible is None
        and private & set(binding.needs)
    }
    assert unguarded == set()
    derived = {
        name
        for name, field in complaint.fields.items()
        if isinstance(binding := binding_of(field), Derived | Called) and private & set(binding.needs)
    }
    assert derived == {"closureProposal", "followUps", "allowedActions", "reporter"}


def test_every_type_and_argument_of_the_contract_can_be_read_back() -> None:
    text = schema.print_subgraph_sdl()
    link = text[: text.index("\n\n") + 1]
    assert "https://specs.apollo.dev/federation/v2" in link
    definitions = "directive @key(fields: String!) repeatable on OBJECT | INTERFACE\n" + text.replace(link, "")
    assert build_schema(definitions, assume_valid_sdl=True).query_type is not None


@pytest.mark.parametrize(
    "name",
    [
        "AgencyKind",
        "ArchiveReason",
        "Channel",
        "ClockKind",
        "ClosureCode",
        "ComplaintAction",
        "ComplaintClass",
        "ComplaintOrder",
        "ComplaintStatus",
        "FollowUpKind",
        "KpiId",
        "MilestoneStatus",
        "ReturnReason",
        "Role",
        "SupervisionGrade",
        "TeamKind",
        "TeamRole",
        "TeamStatus",
        "UserErrorCode",
        "Visibility",
    ],
)
def test_the_domains_words_are_the_contracts(name: str) -> None:
    assert list(BUILT.type_map[name].values) == [str(word) for word in getattr(vocabulary, name)]  # type: ignore[attr-defined]


def test_every_action_of_the_table_has_its_mutation() -> None:
    assert BUILT.mutation_type is not None
    prefixes = {"APPROVE": "approveFollowUp", "REJECT": "rejectFollowUp", "FOLLOW_UP": "addFollowUp"}
    prefixes |= {"CONFIRM": "confirmAnswer", "DISPUTE": "disputeAnswer"}
    prefixes |= {"REQUEST_INFORMATION": "requestInformation", "SUPPLY_INFORMATION": "supplyInformation"}
    prefixes |= {"PROPOSE_CLOSURE": "proposeClosure", "CONSENT_TO_CLOSURE": "consentToClosure"}
    prefixes |= {"SET_PRIVACY": "setComplaintPrivacy"}
    actions = {row.action for row in lifecycle.TRANSITIONS} - set(vocabulary.UnlistedAction)
    mutations = {prefixes.get(action, f"{action.lower()}Complaint") for action in actions}
    assert mutations < BUILT.mutation_type.fields.keys()
