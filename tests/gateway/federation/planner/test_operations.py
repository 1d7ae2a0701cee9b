"""Plans of whole operations: mutations in series, conditions, variables, and the limit on planning."""

import time

import pytest
from graphql import parse
from support.supergraphs import execute_operation, plan_document, print_fetches, supergraph_of

from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import plan_operation

SHOP = """
type Query @join__type(graph: A) @join__type(graph: B) { product(id: ID!): Product @join__field(graph: A) }
type Mutation @join__type(graph: A) @join__type(graph: B) {
  add(x: Int): Int @join__field(graph: A)
  take(x: Int): Product @join__field(graph: B)
}
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! name: String @join__field(graph: A) price: Int @join__field(graph: B)
}
"""
SUPERGRAPH = supergraph_of(SHOP, "a", "b")


def test_mutations_run_one_after_the_other() -> None:
    assert print_fetches(
        plan_document(SUPERGRAPH, "mutation { first: add(x: 1) take(x: 2) { name } last: add(x: 3) }")
    ) == [
        "a: mutation { add(x: 1) }",
        "b[0]: mutation { take(x: 2) { id } }",
        "a[1]: entities { ... on Product { name } } }",
        "a[2]: mutation { add__1: add(x: 3) }",
    ]


def test_variables_go_where_they_are_used() -> None:
    plan = plan_document(
        SUPERGRAPH, "query ($id: ID!, $no: Boolean!) { product(id: $id) { name price @skip(if: $no) } }"
    )
    assert [fetch.variables for fetch in plan.fetches] == [("id",), ("no",)]
    assert plan.fetches[0].document.startswith("query($id: ID!)")
    assert plan.fetches[1].document.startswith("query($no: Boolean!, $r0: [_Any!]!)")


def test_a_fetch_whose_every_field_is_conditional_is_conditional() -> None:
    plan = plan_document(
        SUPERGRAPH, "query ($yes: Boolean!) { product(id: 1) { name ... @include(if: $yes) { price } } }"
    )
    assert [fetch.conditions for fetch in plan.fetches] == [frozenset(), frozenset({("yes", True)})]


@pytest.mark.parametrize("condition", ["@skip(if: true)", "@include(if: false)"])
def test_what_a_literal_leaves_out_is_not_planned(condition: str) -> None:
    assert len(print_fetches(plan_document(SUPERGRAPH, f"{{ product(id: 1) {{ name price {condition} }} }}"))) == 1


def test_introspection_is_nobodys_fetch() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ __typename __schema { queryType { name } } }")) == []


def test_a_wide_union_over_many_subgraphs_is_planned_in_time() -> None:
    members = [f"T{number}" for number in range(40)]
    subgraphs = [f"s{number}" for number in range(12)]
    joins = "".join(f' @join__type(graph: {name.upper()}, key: "id")' for name in subgraphs)
    roots = "".join(f" @join__type(graph: {name.upper()})" for name in subgraphs)
    types = [
        f"type {member}{joins} {{ id: ID! self: U "
        + " ".join(f"f{number}: Int @join__field(graph: S{number})" for number in range(12))
        + " }"
        for member in members
    ]
    union = f"union U{roots} = {' | '.join(members)}"
    sdl = f"type Query{roots} {{ u: U }} {union} {' '.join(types)}"
    supergraph = supergraph_of(sdl, *subgraphs)
    inner = " ".join(f"... on {member} {{ f1 f5 f9 self {{ ... on T1 {{ f2 f3 }} }} }}" for member in members)
    document = parse(f"{{ u {{ {inner} }} }}")
    started = time.process_time()
    try:
        plan_operation(supergraph, document.definitions[0], {})  # type: ignore[arg-type]
    except TooComplex as refused:
        assert "ask for less" in str(refused)
    assert time.process_time() - started < 1


def test_the_same_mutation_under_two_names_is_done_twice() -> None:
    query = "mutation { one: add(x: 1) two: add(x: 1) one: add(x: 1) }"
    assert [line.split(": ", 1)[0] for line in print_fetches(plan_document(SUPERGRAPH, query))] == ["a", "a[0]"]
    answer, _ = execute_operation(SUPERGRAPH, query, {"a": [{"add": 1}, {"add__1": 2}]})
    assert answer == {"data": {"one": 1, "two": 2}}


def test_one_mutation_that_is_mentioned_twice_is_done_once() -> None:
    query = "mutation ($yes: Boolean!) { take(x: 2) { id } ... @include(if: $yes) { take(x: 2) { name } } }"
    plan = plan_document(SUPERGRAPH, query)
    assert [fetch.kind for fetch in plan.fetches] == ["mutation", "query"]


def test_a_mutation_under_too_many_conditions_is_refused_in_time() -> None:
    names = [f"v{number}" for number in range(40)]
    variables = ", ".join(f"${name}: Boolean!" for name in names)
    mentions = " ".join(
        f"take(x: 2) @include(if: ${one}) @skip(if: ${other}) {{ id }}"
        for one, other in zip(names[::2], names[1::2], strict=True)
    )
    started = time.process_time()
    with pytest.raises(TooComplex, match="ask for less"):
        plan_document(SUPERGRAPH, f"mutation ({variables}) {{ {mentions} }}")
    assert time.process_time() - started < 1


def test_conditions_inside_conditions_are_all_kept() -> None:
    query = (
        "query ($a: Boolean!, $b: Boolean!, $c: Boolean!) "
        "{ product(id: 1) { ... @include(if: $a) { ... @include(if: $b) { name @skip(if: $c) } } } }"
    )
    [fetch] = plan_document(SUPERGRAPH, query).fetches
    assert "... @include(if: $b) { name @include(if: $a) @skip(if: $c) }" in fetch.document
    for included, name in ((True, "Meja"), (False, None)):
        rows = {"product": {"name": name} if name else {}}
        answer, _ = execute_operation(SUPERGRAPH, query, {"a": [rows]}, a=True, b=included, c=False)
        assert answer == {"data": {"product": {"name": name} if name else {}}}


def test_where_every_condition_is_false_a_selection_is_still_not_empty() -> None:
    query = "query ($a: Boolean!) { product(id: 1) { name @include(if: $a) @skip(if: $a) } }"
    [fetch] = plan_document(SUPERGRAPH, query).fetches
    assert fetch.document == "query { product(id: 1) { __typename } }"


def test_a_clients_variable_may_be_called_as_ours() -> None:
    query = "query ($r0: ID!, $r_: Boolean!) { product(id: $r0) { price @include(if: $r_) } }"
    product = {"product": {"id": "7"}}
    answer, sent = execute_operation(
        SUPERGRAPH, query, {"a": [product], "b": [{"_entities": [{"price": 5}]}]}, r0="7", r_=True
    )
    assert answer == {"data": {"product": {"price": 5}}}
    assert sent == [[{"__typename": "Product", "id": "7"}]]


def test_an_object_without_its_key_is_asked_for_nowhere() -> None:
    answer, sent = execute_operation(
        SUPERGRAPH, "{ product(id: 1) { name price } }", {"a": [{"product": {"name": "Meja"}}]}
    )
    assert answer == {"data": {"product": {"name": "Meja", "price": None}}}
    assert sent == []
