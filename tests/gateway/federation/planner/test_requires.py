"""`@requires`: a field that its subgraph resolves once it is told what others know."""

import pytest
from supergraphs import fetches, planned, supergraph_of

from gateway.federation.planner.planner import Unplannable

SHIPPING = """
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) {
  product: Product @join__field(graph: A)
  shipped: Product @join__field(graph: B)
}
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID!
  weight: Int @join__field(graph: A) @join__field(graph: B, external: true)
  price(currency: String): Int @join__field(graph: C) @join__field(graph: B, external: true)
  cost: Int @join__field(graph: B, requires: "weight")
  tax: Int @join__field(graph: B, requires: "price(currency: \\"IDR\\")")
  size: String @join__field(graph: B)
}
"""
SUPERGRAPH = supergraph_of(SHIPPING, "a", "b", "c")


def test_what_the_first_subgraph_knows_travels_with_the_key() -> None:
    plan = planned(SUPERGRAPH, "{ product { cost size } }")
    assert fetches(plan) == [
        "a: query { product { id weight } }",
        "b[0]: entities { ... on Product { cost size } } }",
    ]
    [entities] = plan.fetches[1].entities
    assert {part.name: part.nullable for part in entities.representation} == {"id": False, "weight": True}


def test_what_another_subgraph_knows_is_fetched_first() -> None:
    assert fetches(planned(SUPERGRAPH, "{ product { tax } }")) == [
        "a: query { product { id } }",
        'c[0]: entities { ... on Product { price(currency: "IDR") } } }',
        "b[1]: entities { ... on Product { tax } } }",
    ]


def test_from_the_fields_own_subgraph_the_object_is_asked_for_anew() -> None:
    assert fetches(planned(SUPERGRAPH, "{ shipped { size cost } }")) == [
        "b: query { shipped { size id } }",
        "a[0]: entities { ... on Product { weight } } }",
        "b[1]: entities { ... on Product { cost } } }",
    ]


def test_the_clients_arguments_and_the_required_ones_are_told_apart() -> None:
    plan = planned(SUPERGRAPH, '{ product { price(currency: "USD") tax } }')
    asked = plan.fetches[1].document
    assert 'price(currency: "USD")' in asked
    assert 'price__1: price(currency: "IDR")' in asked
    [entities] = plan.fetches[2].entities
    assert {part.name: part.key for part in entities.representation} == {"id": "id", "price": "price__1"}


CHAIN = """
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) { item: Item @join__field(graph: A) }
type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID!
  first: Int @join__field(graph: A)  @join__field(graph: B, external: true)
  second: Int @join__field(graph: B, requires: "first") @join__field(graph: C, external: true)
  third: Int @join__field(graph: C, requires: "second")
}
"""


def test_requirements_of_requirements_are_fetched_in_their_order() -> None:
    assert fetches(planned(supergraph_of(CHAIN, "a", "b", "c"), "{ item { third } }")) == [
        "a: query { item { id first } }",
        "b[0]: entities { ... on Item { second } } }",
        "c[1]: entities { ... on Item { third } } }",
    ]


def test_requirements_that_wait_for_each_other_are_refused() -> None:
    sdl = """
    type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) { item: Item @join__field(graph: A) }
    type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
      id: ID!
      x: Int @join__field(graph: B, requires: "y") @join__field(graph: C, external: true)
      y: Int @join__field(graph: C, requires: "x") @join__field(graph: B, external: true)
    }
    """
    with pytest.raises(Unplannable, match="item"):
        planned(supergraph_of(sdl, "a", "b", "c"), "{ item { x } }")
