"""Plans for `@provides`, `@external` and `@shareable`: which subgraph resolves a field."""

from support.supergraphs import plan_document, print_fetches, supergraph_of

LIBRARY = """
type Query @join__type(graph: A) @join__type(graph: B) {
  reviewed: Book @join__field(graph: A, provides: "title author { name }")
  plain: Book @join__field(graph: A)
}
type Book @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  title: String @join__field(graph: A, external: true) @join__field(graph: B)
  author: Author
  stars: Int @join__field(graph: A)
}
type Author @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String @join__field(graph: A, external: true) @join__field(graph: B)
}
"""
SUPERGRAPH = supergraph_of(LIBRARY, "a", "b")


def test_what_is_provided_is_asked_on_that_way_alone() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ reviewed { title stars author { name } } }")) == [
        "a: query { reviewed { title stars author { name } } }"
    ]
    assert print_fetches(plan_document(SUPERGRAPH, "{ plain { title stars } }")) == [
        "a: query { plain { stars id } }",
        "b[0]: entities { ... on Book { title } } }",
    ]


SHARED = """
type Query @join__type(graph: A) @join__type(graph: B) { place: Place }
type Place @join__type(graph: A) @join__type(graph: B) {
  name: String
  climate: Climate
  area: Int @join__field(graph: A)
  mayor: String @join__field(graph: B)
}
type Climate @join__type(graph: A) @join__type(graph: B) {
  rain: Int @join__field(graph: A)
  wind: Int @join__field(graph: B)
}
"""


def test_a_shared_value_is_put_together_from_all_who_know_a_part() -> None:
    plan = print_fetches(
        plan_document(supergraph_of(SHARED, "a", "b"), "{ place { name area mayor climate { rain wind } } }")
    )
    assert sorted(plan) == [
        "a: query { place { name area climate { rain } } }",
        "b: query { place { mayor climate { wind } } }",
    ]


def test_what_both_know_is_asked_once() -> None:
    assert (
        len(print_fetches(plan_document(supergraph_of(SHARED, "a", "b"), "{ place { name climate { rain } } }"))) == 1
    )
