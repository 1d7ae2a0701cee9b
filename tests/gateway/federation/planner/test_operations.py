"""Whole operations: mutations in series, conditions, variables, bounded planning."""

import time

import pytest
from graphql import parse
from supergraphs import fetches, planned, supergraph_of

from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import plan as plan_operation

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
    assert fetches(planned(SUPERGRAPH, "mutation { first: add(x: 1) take(x: 2) { name } last: add(x: 3) }")) == [
        "a: mutation { add(x: 1) }",
        "b[0]: mutation { take(x: 2) { id } }",
        "a[1]: entities { ... on Product { name } } }",
        "a[2]: mutation { add__1: add(x: 3) }",
    ]


def test_variables_go_where_they_are_used() -> None:
    plan = planned(SUPERGRAPH, "query ($id: ID!, $no: Boolean!) { product(id: $id) { name price @skip(if: $no) } }")
    assert [fetch.variables for fetch in plan.fetches] == [("id",), ("no",)]
    assert plan.fetches[0].document.startswith("query($id: ID!)")
    assert plan.fetches[1].document.startswith("query($no: Boolean!, $r0: [_Any!]!)")


def test_a_fetch_whose_every_field_is_conditional_is_conditional() -> None:
    plan = planned(SUPERGRAPH, "query ($yes: Boolean!) { product(id: 1) { name ... @include(if: $yes) { price } } }")
    assert [fetch.conditions for fetch in plan.fetches] == [frozenset(), frozenset({("yes", True)})]


@pytest.mark.parametrize("condition", ["@skip(if: true)", "@include(if: false)"])
def test_what_a_literal_leaves_out_is_not_planned(condition: str) -> None:
    assert len(fetches(planned(SUPERGRAPH, f"{{ product(id: 1) {{ name price {condition} }} }}"))) == 1


def test_introspection_is_nobodys_fetch() -> None:
    assert fetches(planned(SUPERGRAPH, "{ __typename __schema { queryType { name } } }")) == []


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
