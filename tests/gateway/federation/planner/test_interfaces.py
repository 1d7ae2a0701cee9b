"""Plans for interfaces, unions and `@interfaceObject`: the object types are known only at run time."""

from typing import Any

from support.supergraphs import execute_operation, plan_document, print_fetches, supergraph_of

MEDIA = """
type Query @join__type(graph: A) @join__type(graph: B) { media: [Media] @join__field(graph: A) }
interface Media @join__type(graph: A) @join__type(graph: B) { id: ID! title: String }
type Book implements Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
  @join__implements(graph: A, interface: "Media") @join__implements(graph: B, interface: "Media") {
  id: ID! title: String pages: Int @join__field(graph: B)
}
type Film implements Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
  @join__implements(graph: A, interface: "Media") @join__implements(graph: B, interface: "Media") {
  id: ID! title: String @join__field(graph: B) minutes: Int @join__field(graph: B)
}
"""
SUPERGRAPH = supergraph_of(MEDIA, "a", "b")


def test_a_field_that_every_type_has_here_is_asked_of_the_interface() -> None:
    assert print_fetches(plan_document(SUPERGRAPH, "{ media { id } }")) == ["a: query { media { __typename id } }"]


def test_a_field_that_one_type_has_elsewhere_is_asked_type_by_type() -> None:
    plan = plan_document(SUPERGRAPH, "{ media { title } }")
    assert plan.fetches[0].document == (
        "query { media { __typename ... on Book { __typename title } ... on Film { __typename id } } }"
    )
    assert [entities.type_name for entities in plan.fetches[1].entities] == ["Film"]
    assert plan.fetches[1].entities[0].path == ("media", frozenset({"Film"}))


def test_fragments_on_types_go_to_who_knows_them_in_one_request() -> None:
    plan = plan_document(SUPERGRAPH, "{ media { ... on Book { pages } ... on Film { minutes } } }")
    assert [fetch.subgraph for fetch in plan.fetches] == ["a", "b"]
    assert [entities.type_name for entities in plan.fetches[1].entities] == ["Book", "Film"]


CONFLICT = """
type Query @join__type(graph: A) { things: [Thing] @join__field(graph: A) }
union Thing @join__type(graph: A) @join__unionMember(graph: A, member: "X") @join__unionMember(graph: A, member: "Y")
  = X | Y
type X @join__type(graph: A) { size: String }
type Y @join__type(graph: A) { size: Int! }
"""


def test_fields_of_conflicting_shapes_get_keys_of_their_own() -> None:
    plan = plan_document(supergraph_of(CONFLICT, "a"), "{ things { ... on X { size } ... on Y { big: size } } }")
    assert print_fetches(plan) == [
        "a: query { things { __typename ... on X { __typename size__X: size } ... on Y { __typename size__Y: size } } }"
    ]


RATED = """
type Query @join__type(graph: A) @join__type(graph: B) {
  media: [Media] @join__field(graph: A)
  best: Media @join__field(graph: B)
}
interface Media @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID! title: String @join__field(graph: A) stars: Int @join__field(graph: B)
}
type Book implements Media @join__type(graph: A, key: "id") @join__implements(graph: A, interface: "Media") {
  id: ID! title: String pages: Int stars: Int @join__field
}
"""
RATINGS = supergraph_of(RATED, "a", "b")


def test_an_interface_objects_field_is_asked_of_all_types_at_once() -> None:
    assert print_fetches(plan_document(RATINGS, "{ media { title stars } }")) == [
        "a: query { media { __typename title id } }",
        "b[0]: entities { ... on Media { stars } } }",
    ]


def test_who_does_not_know_the_types_leaves_them_to_who_does() -> None:
    assert print_fetches(plan_document(RATINGS, "{ best { stars ... on Book { pages } } }")) == [
        "b: query { best { stars id } }",
        "a[0]: entities { ... on Media { __typename ... on Book { __typename pages } } } }",
    ]


def test_an_interface_objects_own_fields_need_nobody_who_knows_its_type() -> None:
    answer, _ = execute_operation(RATINGS, "{ best { id stars } }", {"b": [{"best": {"id": "1", "stars": 4}}]})
    assert answer == {"data": {"best": {"id": "1", "stars": 4}}}


def test_the_type_of_an_interface_object_is_asked_for_even_where_all_else_is_left_out() -> None:
    query = "query ($no: Boolean!) { best { stars title @include(if: $no) ... on Book { stars } } }"
    answers: dict[str, Any] = {"b": [{"best": {"stars": 4, "id": "1"}}], "a": [{"_entities": [{"__typename": "Book"}]}]}
    answer, sent = execute_operation(RATINGS, query, answers, no=False)
    assert answer == {"data": {"best": {"stars": 4}}}
    assert sent == [[{"__typename": "Media", "id": "1"}]]


def test_a_supergraph_may_claim_an_implementation_that_its_subgraph_has_not() -> None:
    sdl = MEDIA.replace('@join__type(graph: B, key: "id")\n  @join__implements', "\n  @join__implements", 1)
    plan = plan_document(
        supergraph_of(sdl.replace("pages: Int @join__field(graph: B)", ""), "a", "b"), "{ media { title } }"
    )
    assert not any("Book" in fetch.document for fetch in plan.fetches if fetch.subgraph == "b")


DIFFERENT_INSIDE = """
type Query @join__type(graph: A) { things: [Thing] }
union Thing @join__type(graph: A) @join__unionMember(graph: A, member: "X") @join__unionMember(graph: A, member: "Y")
  = X | Y
type X @join__type(graph: A) { part: XPart }
type Y @join__type(graph: A) { part: YPart }
type XPart @join__type(graph: A) { size: Int }
type YPart @join__type(graph: A) { size: String }
"""


def test_fields_whose_insides_conflict_get_keys_of_their_own() -> None:
    query = "{ things { ... on X { part { size } } ... on Y { part { large: size } } } }"
    [fetch] = plan_document(supergraph_of(DIFFERENT_INSIDE, "a"), query).fetches
    assert "part__X: part { size }" in fetch.document
    assert "part__Y: part { size }" in fetch.document
