"""Plans for `@override`: a field that has moved to another subgraph, at once or by a label."""

from support.supergraphs import plan_document, print_fetches, supergraph_of

MOVED = """
type Query @join__type(graph: A) @join__type(graph: B) { user: User @join__field(graph: A) }
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String @join__field(graph: A) @join__field(graph: B, override: "a"%s)
}
"""


def test_an_overridden_field_is_asked_of_the_new_subgraph() -> None:
    assert print_fetches(plan_document(supergraph_of(MOVED % "", "a", "b"), "{ user { name } }")) == [
        "a: query { user { id } }",
        "b[0]: entities { ... on User { name } } }",
    ]


def test_with_a_label_it_moves_when_the_label_is_active() -> None:
    supergraph = supergraph_of(MOVED % ', overrideLabel: "percent(50)"', "a", "b")
    assert print_fetches(plan_document(supergraph, "{ user { name } }")) == ["a: query { user { name } }"]
    assert [fetch.subgraph for fetch in plan_document(supergraph, "{ user { name } }", "percent(50)").fetches] == [
        "a",
        "b",
    ]
