"""Answers over interfaces, unions and cycles, where each object type reaches the same field another way."""

from typing import Any

from support.served_subgraphs import ServedSubgraph, ask_subgraphs


def data(query: str, /, **subgraphs: ServedSubgraph) -> Any:
    """Returns the answer's data; fails if it has errors."""
    answer, _ = ask_subgraphs(query, **subgraphs)
    assert "errors" not in answer, answer
    return answer["data"]


BOOK = {"__typename": "Book", "id": "b"}
FILM = {"__typename": "Film", "id": "f"}
NODES = ServedSubgraph(
    """
    type Query { node(id: ID!): Node nodes: [[Node]] }
    interface Node { id: ID! }
    type Book implements Node @key(fields: "id", resolvable: false) { id: ID! }
    type Film implements Node @key(fields: "id", resolvable: false) { id: ID! }
    """,
    {
        "Query.node": lambda _, **given: {"b": BOOK, "f": FILM}.get(given["id"]),
        "Query.nodes": lambda _: [[FILM, None, BOOK], None, []],
    },
)
BOOKS = ServedSubgraph(
    """
    interface Work { id: ID! next: Work title: String }
    type Book implements Work @key(fields: "id") { id: ID! next: Work title: String price: Int same: [Book] }
    type Film implements Work @key(fields: "id") { id: ID! next: Work title: String @external price: String }
    """,
    {
        "Book.next": lambda _: FILM,
        "Film.next": lambda _: BOOK | {"title": "Book", "price": 1},
        "Book.same": lambda b: [b],
    },
    {"Book": [{"id": "b", "title": "Book", "price": 1}], "Film": [{"id": "f", "price": "one"}]},
)
FILMS = ServedSubgraph(
    'type Film @key(fields: "id") { id: ID! title: String minutes: Int }',
    {},
    {"Film": [{"id": "f", "title": "Film", "minutes": 90}]},
)
GRAPH: dict[str, ServedSubgraph] = {"nodes": NODES, "books": BOOKS, "films": FILMS}


def test_a_node_by_its_id_is_followed_to_whoever_knows_its_type() -> None:
    query = """{ b: node(id: "b") { id ...F } f: node(id: "f") { __typename ...F } no: node(id: "x") { ...F } }
    fragment F on Node { ... on Book { title } ... on Film { title minutes } }"""
    assert data(query, **GRAPH) == {
        "b": {"id": "b", "title": "Book"},
        "f": {"__typename": "Film", "title": "Film", "minutes": 90},
        "no": None,
    }


def test_lists_of_lists_keep_their_holes() -> None:
    assert data("{ nodes { __typename ... on Work { title } } }", **GRAPH) == {
        "nodes": [[{"__typename": "Film", "title": "Film"}, None, {"__typename": "Book", "title": "Book"}], None, []]
    }


def test_fields_of_the_same_name_and_other_types_are_asked_side_by_side() -> None:
    query = "{ nodes { ... on Book { number: price } ... on Film { words: price } } }"
    assert data(query, **GRAPH) == {"nodes": [[{"words": "one"}, None, {"number": 1}], None, []]}


def test_a_cycle_through_an_interface_is_followed_as_far_as_it_is_asked() -> None:
    query = """{ node(id: "b") {
      ... on Work { next { __typename title next { t: title next { id title next { id } } } } }
      ... on Book { same { same { next { ... on Film { minutes } } } } } } }"""
    assert data(query, **GRAPH) == {
        "node": {
            "next": {
                "__typename": "Film",
                "title": "Film",
                "next": {"t": "Book", "next": {"id": "f", "title": "Film", "next": {"id": "b"}}},
            },
            "same": [{"same": [{"next": {"minutes": 90}}]}],
        }
    }


def test_typename_alone_at_every_place_asks_no_more_than_the_place() -> None:
    answer, requests = ask_subgraphs('{ __typename a: __typename node(id: "b") { __typename x: __typename } }', **GRAPH)
    assert answer == {
        "data": {"__typename": "Query", "a": "Query", "node": {"__typename": "Book", "x": "Book"}},
    }
    assert len(requests) == 1


def union(members: str, fields: str, thing: Any) -> ServedSubgraph:
    return ServedSubgraph(
        f"type Query {{ thing: Thing @shareable }} union Thing = {members} {fields}", {"Query.thing": thing}
    )


def test_a_shared_union_has_the_members_of_the_subgraph_that_is_asked() -> None:
    kinds = "type Car @shareable { wheels: Int } "
    one = union(
        "Car | Boat", kinds + "type Boat @shareable { sails: Int }", lambda _: {"__typename": "Car", "wheels": 4}
    )
    two = union(
        "Car | Plane", kinds + "type Plane @shareable { wings: Int }", lambda _: {"__typename": "Car", "wheels": 4}
    )
    query = "{ thing { __typename ... on Boat { sails } ... on Plane { wings } ... on Car { wheels } } }"
    assert data(query, one=one, two=two) == {"thing": {"__typename": "Car", "wheels": 4}}
    assert data("{ thing { ... on Boat { sails } } }", one=one, two=two) == {"thing": {}}


# A chain of requirements: each subgraph needs a field of the other, which needs a third field of the first.
ROUND_A = ServedSubgraph(
    """
    type Query { t: T }
    type T @key(fields: "id") { id: ID! one: Int two: Int @external three: Int @requires(fields: "two") }
    """,
    {"Query.t": lambda _: {"id": "1", "one": 1}, "T.three": lambda t: t["two"] + 1},
    {"T": [{"id": "1", "one": 1}]},
)
ROUND_B = ServedSubgraph(
    """
    type T @key(fields: "id") {
      id: ID! one: Int @external three: Int @external
      two: Int @requires(fields: "one") four: Int @requires(fields: "three one")
    }
    """,
    {"T.two": lambda t: t["one"] + 1, "T.four": lambda t: t["three"] + t["one"]},
    {"T": [{"id": "1"}]},
)


def test_requirements_that_go_back_and_forth_are_met_in_their_order() -> None:
    answer, requests = ask_subgraphs("{ t { four } }", a=ROUND_A, b=ROUND_B)
    assert answer == {"data": {"t": {"four": 4}}}
    assert [request.partition(":")[0] for request in requests] == ["a", "b", "a", "b"]
