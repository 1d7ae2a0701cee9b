"""Plans for `@key`: how the same object is found in another subgraph."""

from support.supergraphs import plan_document, print_fetches, supergraph_of

SHOP = """
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) { product: Product @join__field(graph: A) }
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: B, key: "sku")
  @join__type(graph: C, key: "sku") {
  id: ID! @join__field(graph: A) @join__field(graph: B)
  sku: ID! @join__field(graph: B) @join__field(graph: C)
  name: String @join__field(graph: A)
  price: Int @join__field(graph: B)
  stock: Int @join__field(graph: C)
}
"""
SUPERGRAPH = supergraph_of(SHOP, "a", "b", "c")


def test_what_one_subgraph_knows_is_asked_there_alone() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ product { name id } }")) == ["a: query { product { name id } }"]


def test_another_subgraphs_field_is_asked_by_the_key() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ product { name price } }")) == [
        "a: query { product { name id } }",
        "b[0]: entities { ... on Product { price } } }",
    ]


def test_a_key_that_is_not_known_here_is_fetched_on_the_way() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ product { stock } }")) == [
        "a: query { product { id } }",
        "b[0]: entities { ... on Product { sku } } }",
        "c[1]: entities { ... on Product { stock } } }",
    ]


def test_one_visit_brings_the_next_key_and_what_else_is_asked() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ product { price stock } }")) == [
        "a: query { product { id } }",
        "b[0]: entities { ... on Product { price sku } } }",
        "c[1]: entities { ... on Product { stock } } }",
    ]


def test_the_clients_names_do_not_reach_subgraphs() -> None:
    plan = print_fetches(plan_document(SUPERGRAPH, "{ p: product { id: name other: price again: price } }"))
    assert plan == ["a: query { product { name id } }", "b[0]: entities { ... on Product { price } } }"]


NESTED = """
type Query @join__type(graph: A) @join__type(graph: B) { order: Order @join__field(graph: A) }
type Order @join__type(graph: A, key: "buyer { id } number") @join__type(graph: B, key: "buyer { id } number") {
  number: Int!
  buyer: User!
  total: Int @join__field(graph: B)
}
type User @join__type(graph: A) @join__type(graph: B) { id: ID! }
"""


def test_a_compound_and_nested_key_is_read_whole() -> None:
    plan = plan_document(supergraph_of(NESTED, "a", "b"), "{ order { total } }")
    assert print_fetches(plan) == [
        "a: query { order { buyer { id } number } }",
        "b[0]: entities { ... on Order { total } } }",
    ]
    [entities] = plan.fetches[1].entities
    assert [part.name for part in entities.representation] == ["buyer", "number"]
    assert [part.name for part in entities.representation[0].inside or ()] == ["id"]


UNRESOLVABLE = """
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) { product: Product @join__field(graph: A) }
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", resolvable: false)
  @join__type(graph: C, key: "id") {
  id: ID!
  price: Int @join__field(graph: B) @join__field(graph: C)
}
"""


def test_a_key_that_is_not_resolvable_is_no_way_in() -> None:
    plan = print_fetches(plan_document(supergraph_of(UNRESOLVABLE, "a", "b", "c"), "{ product { price } }"))
    assert plan[1] == "c[0]: entities { ... on Product { price } } }"


def test_objects_of_several_places_travel_in_one_request() -> None:
    sdl = SHOP.replace(
        "{ product: Product @join__field(graph: A) }",
        "{ x: Product @join__field(graph: A) y: Product @join__field(graph: A) }",
    )
    plan = plan_document(supergraph_of(sdl, "a", "b", "c"), "{ x { price } y { price } }")
    assert [fetch.subgraph for fetch in plan.fetches] == ["a", "b"]
    assert [entities.path for entities in plan.fetches[1].entities] == [("x",), ("y",)]
