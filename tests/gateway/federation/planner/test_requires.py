"""Plans for `@requires`: a field whose subgraph needs values of other subgraphs first."""

from typing import Any

import pytest
from support.supergraphs import execute_operation, plan_document, print_fetches, supergraph_of

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
    plan = plan_document(SUPERGRAPH, "{ product { cost size } }")
    assert print_fetches(plan) == [
        "a: query { product { id weight } }",
        "b[0]: entities { ... on Product { cost size } } }",
    ]
    [entities] = plan.fetches[1].entities
    assert {part.name: part.nullable for part in entities.representation} == {"id": False, "weight": True}


def test_what_another_subgraph_knows_is_fetched_first() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ product { tax } }")) == [
        "a: query { product { id } }",
        'c[0]: entities { ... on Product { price(currency: "IDR") } } }',
        "b[1]: entities { ... on Product { tax } } }",
    ]


def test_from_the_fields_own_subgraph_the_object_is_asked_for_anew() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ shipped { size cost } }")) == [
        "b: query { shipped { size id } }",
        "a[0]: entities { ... on Product { weight } } }",
        "b[1]: entities { ... on Product { cost } } }",
    ]


def test_the_clients_arguments_and_the_required_ones_are_told_apart() -> None:
    plan = plan_document(SUPERGRAPH, '{ product { price(currency: "USD") tax } }')
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
    assert print_fetches(plan_document(supergraph_of(CHAIN, "a", "b", "c"), "{ item { third } }")) == [
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
        plan_document(supergraph_of(sdl, "a", "b", "c"), "{ item { x } }")


TARIFFS = """
type Query @join__type(graph: A) @join__type(graph: B) { parcel: Parcel @join__field(graph: A) }
type Parcel @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  weight(unit: String): Int @join__field(graph: A) @join__field(graph: B, external: true)
  content: [Content!] @join__field(graph: A) @join__field(graph: B, external: true)
  light: Int @join__field(graph: B, requires: "weight(unit: \\"g\\")")
  heavy: Int @join__field(graph: B, requires: "weight(unit: \\"kg\\")")
  duty: Int @join__field(graph: B, requires: "content { ... on Book { pages } ... on Food { __typename } }")
}
union Content @join__type(graph: A) @join__type(graph: B)
  @join__unionMember(graph: A, member: "Book") @join__unionMember(graph: A, member: "Food")
  @join__unionMember(graph: B, member: "Book") @join__unionMember(graph: B, member: "Food") = Book | Food
type Book @join__type(graph: A) @join__type(graph: B) { pages: Int @join__field(graph: A)
  @join__field(graph: B, external: true) }
type Food @join__type(graph: A) @join__type(graph: B) { grams: Int @join__field(graph: A) }
"""


def test_one_field_required_with_two_arguments_makes_two_representations_of_one_request() -> None:
    supergraph = supergraph_of(TARIFFS, "a", "b")
    query = '{ parcel { light heavy weight(unit: "t") } }'
    plan = plan_document(supergraph, query)
    assert [fetch.subgraph for fetch in plan.fetches] == ["a", "b"]
    names = [{part.name: part.key for part in row.representation}["weight"] for row in plan.fetches[1].entities]
    assert len(set(names)) == 2
    assert "weight" in plan.fetches[0].document
    first = {"parcel": {"id": "1", "weight": 0, "weight__1": 1000, "weight__2": 1}}
    answer, sent = execute_operation(
        supergraph, query, {"a": [first], "b": [{"_0": [{"light": 5}], "_1": [{"heavy": 9}]}]}
    )
    assert answer == {"data": {"parcel": {"light": 5, "heavy": 9, "weight": 0}}}
    assert [rows[0]["weight"] for rows in sent] == [1000, 1]


def test_what_is_required_of_a_union_travels_with_its_types() -> None:
    supergraph = supergraph_of(TARIFFS, "a", "b")
    content = [{"__typename": "Book", "pages": 9}, {"__typename": "Food"}]
    answers: dict[str, Any] = {
        "a": [{"parcel": {"id": "1", "content": content}}],
        "b": [{"_entities": [{"duty": 3}]}],
    }
    answer, sent = execute_operation(supergraph, "{ parcel { duty } }", answers)
    assert answer == {"data": {"parcel": {"duty": 3}}}
    assert sent == [[{"__typename": "Parcel", "id": "1", "content": content}]]


BOXES = """
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) { parcel: Parcel @join__field(graph: A) }
type Parcel @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  box: Box @join__field(graph: A) @join__field(graph: B, external: true)
  cost: Int @join__field(graph: B, requires: "box { weight }")
  fee: Int @join__field(graph: B, requires: "box { weight }")
  seal: Int @join__field(graph: B, requires: "box { maker }")
}
type Box @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID!
  weight: Int @join__field(graph: A) @join__field(graph: B, external: true)
  size: Int @join__field(graph: A)
  maker: String! @join__field(graph: A) @join__field(graph: B, external: true)
  label: String! @join__field(graph: C)
  inner: Box @join__field(graph: A)
}
"""


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("{ parcel { box { maker } cost } }", "{ parcel { box { maker } id box__1: box { weight } } }"),
        ("{ parcel { box { maker } cost fee } }", "{ parcel { box { maker } id box__1: box { weight } } }"),
        ("{ parcel { cost seal } }", "{ parcel { id box { weight } box__1: box { maker } } }"),
        ("{ parcel { box { maker weight } seal } }", "{ parcel { box { maker weight } id } }"),
        (
            "{ parcel { box { id size inner { maker } } cost } }",
            "{ parcel { box { id size inner { maker } weight } id } }",
        ),
        ("{ parcel { box { label } cost } }", "{ parcel { box { id weight } id } }"),
    ],
)
def test_what_is_required_inside_an_object_is_apart_from_what_could_null_the_object(query: str, asked: str) -> None:
    assert print_fetches(plan_document(supergraph_of(BOXES, "a", "b", "c"), query))[0] == f"a: query {asked}"


def test_a_null_that_the_client_alone_meets_takes_nothing_from_what_is_required() -> None:
    lost = {"parcel": {"id": "1", "box": None, "box__1": {"weight": 7}}}
    answers: dict[str, Any] = {"a": [lost], "b": [{"_entities": [{"cost": 70}]}]}
    answer, sent = execute_operation(supergraph_of(BOXES, "a", "b", "c"), "{ parcel { box { maker } cost } }", answers)
    assert answer["data"] == {"parcel": {"box": None, "cost": 70}}
    assert sent == [[{"__typename": "Parcel", "id": "1", "box": {"weight": 7}}]]
