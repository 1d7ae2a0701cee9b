"""Answers over composed subgraphs where several directives meet, or a directive stands in an unusual place."""

from typing import Any

from support.served_subgraphs import ServedSubgraph, ask_subgraphs


def data(query: str, /, **subgraphs: ServedSubgraph) -> Any:
    """Returns the answer's data; fails if it has errors."""
    answer, _ = ask_subgraphs(query, **subgraphs)
    assert "errors" not in answer, answer
    return answer["data"]


# Each subgraph has other keys; one key is compound and nested.
ORDERS = ServedSubgraph(
    """
    type Query { a: P }
    type P @key(fields: "id") @key(fields: "id box { no }") { id: ID! box: Box @shareable x: Int }
    type Box @shareable { no: ID! }
    """,
    {"Query.a": lambda _: {"id": "1", "box": {"no": "7"}, "x": 1}},
    {"P": [{"id": "1", "box": {"no": "7"}, "x": 1}]},
)
STOCK = ServedSubgraph(
    'type P @key(fields: "id box { no }") @key(fields: "sku") { id: ID! box: Box @shareable sku: ID! y: Int } '
    "type Box @shareable { no: ID! }",
    {},
    {"P": [{"id": "1", "box": {"no": "7"}, "sku": "s1", "y": 2}]},
)
PRICES = ServedSubgraph(
    'type Query { c: [P] } type P @key(fields: "sku") { sku: ID! z: Int w: String! }',
    {"Query.c": lambda _: [{"sku": "s1", "z": 3, "w": "w"}, None, {"sku": "gone", "z": 4, "w": "w"}]},
    {"P": [{"sku": "s1", "z": 3, "w": "w"}]},
)


def test_keys_lead_on_from_subgraph_to_subgraph_both_ways() -> None:
    assert data("{ a { x y z w } }", a=ORDERS, b=STOCK, c=PRICES) == {"a": {"x": 1, "y": 2, "z": 3, "w": "w"}}


def test_an_object_that_another_subgraph_does_not_know_is_null_there_and_its_neighbours_are_not() -> None:
    assert data("{ c { __typename z y x } }", a=ORDERS, b=STOCK, c=PRICES) == {
        "c": [
            {"__typename": "P", "z": 3, "y": 2, "x": 1},
            None,
            {"__typename": "P", "z": 4, "y": None, "x": None},
        ]
    }


def test_a_key_that_is_null_is_sent_to_nobody() -> None:
    nothing = ServedSubgraph(
        'type Query { a: P } type P @key(fields: "id") { id: ID x: Int }', {"Query.a": lambda _: {"id": None, "x": 1}}
    )
    other = ServedSubgraph('type P @key(fields: "id") { id: ID y: Int }', {}, {"P": [{"id": None, "y": 1}]})
    answer, requests = ask_subgraphs("{ a { x y } }", a=nothing, b=other)
    assert answer == {"data": {"a": {"x": 1, "y": None}}}
    assert len(requests) == 1


SHELVES = ServedSubgraph(
    """
    type Query {
      shelf: Media @provides(fields: "... on Book { title }")
      pets: [Animal] @provides(fields: "... on Dog { name }")
    }
    interface Media { id: ID! }
    union Animal = Dog | Cat
    type Book implements Media @key(fields: "id") { id: ID! title: String @external }
    type Film implements Media @key(fields: "id") { id: ID! }
    type Dog @key(fields: "id") { id: ID! name: String @external }
    type Cat @key(fields: "id") { id: ID! }
    """,
    {
        "Query.shelf": lambda _: {"__typename": "Book", "id": "b", "title": "provided"},
        "Query.pets": lambda _: [
            {"__typename": "Dog", "id": "d", "name": "Rex"},
            {"__typename": "Cat", "id": "c"},
        ],
    },
)
NAMES = ServedSubgraph(
    """
    type Book @key(fields: "id") { id: ID! title: String @shareable }
    type Film @key(fields: "id") { id: ID! title: String @shareable }
    type Dog @key(fields: "id") { id: ID! name: String @shareable }
    type Cat @key(fields: "id") { id: ID! name: String @shareable }
    """,
    {},
    {
        "Book": [{"id": "b", "title": "asked for"}],
        "Film": [{"id": "f", "title": "Film"}],
        "Dog": [{"id": "d", "name": "asked for"}],
        "Cat": [{"id": "c", "name": "Tom"}],
    },
)


def test_what_is_provided_through_an_interface_is_taken_where_it_is_and_asked_for_elsewhere() -> None:
    query = "{ shelf { id ... on Book { title } ... on Film { title } } }"
    assert data(query, s=SHELVES, n=NAMES) == {"shelf": {"id": "b", "title": "provided"}}


def test_what_is_provided_for_one_member_of_a_union_is_asked_for_of_the_others() -> None:
    answer, requests = ask_subgraphs(
        "{ pets { __typename ... on Dog { name } ... on Cat { name } } }", s=SHELVES, n=NAMES
    )
    assert answer == {"data": {"pets": [{"__typename": "Dog", "name": "Rex"}, {"__typename": "Cat", "name": "Tom"}]}}
    assert len(requests) == 2
    assert "Dog" not in requests[1]


# An overridden field that another field requires, and one that each type of an interface has.
OLD = ServedSubgraph(
    """
    type Query { user: User nodes: [Node] }
    interface Node { id: ID! label: String }
    type User implements Node @key(fields: "id") { id: ID! label: String name: String }
    type Post implements Node @key(fields: "id") { id: ID! label: String }
    """,
    {
        "Query.user": lambda _: {"id": "1", "name": "old", "label": "old"},
        "Query.nodes": lambda _: [
            {"__typename": "User", "id": "1", "label": "old"},
            {"__typename": "Post", "id": "2", "label": "post"},
        ],
    },
    {"User": [{"id": "1", "name": "old", "label": "old"}]},
)
NEW = ServedSubgraph(
    'type User @key(fields: "id") { id: ID! name: String @override(from: "old") label: String @override(from: "old") }',
    {},
    {"User": [{"id": "1", "name": "new", "label": "new"}]},
)
GREETS = ServedSubgraph(
    'type User @key(fields: "id") { id: ID! name: String @external hello: String @requires(fields: "name") }',
    {"User.hello": lambda user: f"hello {user['name']}"},
    {"User": [{"id": "1"}]},
)


def test_a_required_field_that_has_moved_comes_from_its_new_subgraph() -> None:
    assert data("{ user { hello } }", old=OLD, new=NEW, greets=GREETS) == {"user": {"hello": "hello new"}}


def test_an_overridden_field_under_an_interface_has_moved_for_its_own_type_alone() -> None:
    assert data("{ nodes { label } }", old=OLD, new=NEW) == {"nodes": [{"label": "new"}, {"label": "post"}]}


# Interface objects in two subgraphs, one of which requires a field of the other; the types are in a third.
TYPES = ServedSubgraph(
    """
    type Query { accounts: [Account] }
    interface Account @key(fields: "id") { id: ID! name: String }
    type Admin implements Account @key(fields: "id") { id: ID! name: String level: Int }
    type Guest implements Account @key(fields: "id") { id: ID! name: String }
    """,
    {
        "Query.accounts": lambda _: [
            {"__typename": "Admin", "id": "1", "name": "Ada", "level": 9},
            {"__typename": "Guest", "id": "2", "name": "Gus"},
        ]
    },
    {
        "Account": [
            {"__typename": "Admin", "id": "1", "name": "Ada", "level": 9},
            {"__typename": "Guest", "id": "2", "name": "Gus"},
        ]
    },
)
SCORES = ServedSubgraph(
    """
    type Query { top: Account }
    type Account @key(fields: "id") @interfaceObject { id: ID! score: Int }
    """,
    {"Query.top": lambda _: {"id": "1", "score": 50}},
    {"Account": [{"id": "1", "score": 50}, {"id": "2", "score": 7}]},
)
BADGES = ServedSubgraph(
    """
    type Account @key(fields: "id") @interfaceObject {
      id: ID! score: Int @external name: String @external badge: String @requires(fields: "score name")
    }
    """,
    {"Account.badge": lambda account: f"{account['name']}: {account['score']}"},
    {"Account": [{"id": "1"}, {"id": "2"}]},
)


def test_an_interface_objects_field_requires_what_another_interface_object_and_the_types_say() -> None:
    assert data("{ accounts { badge ... on Admin { level } } }", t=TYPES, s=SCORES, b=BADGES) == {
        "accounts": [{"badge": "Ada: 50", "level": 9}, {"badge": "Gus: 7"}]
    }


def test_from_an_interface_object_the_type_and_its_own_fields_are_found() -> None:
    assert data("{ top { __typename badge ... on Admin { level badge } } }", t=TYPES, s=SCORES, b=BADGES) == {
        "top": {"__typename": "Admin", "badge": "Ada: 50", "level": 9}
    }


# Requirements over lists, through fragments, and with other arguments than the client's.
CART = {
    "id": "1",
    "things": [{"__typename": "Box", "size": 3}, {"__typename": "Bag", "litres": 4}, None],
    "items": [{"no": 1, "parts": [{"grams": 5}, None]}, {"no": 2, "parts": None}],
}
ITEMS = ServedSubgraph(
    """
    type Query { cart: Cart }
    union Thing = Box | Bag
    type Cart @key(fields: "id") { id: ID! things: [Thing] weights(unit: String): [[Int]] items: [Item!]! }
    type Box { size: Int } type Bag { litres: Int }
    type Item { no: Int parts: [Part] } type Part { grams: Int }
    """,
    {
        "Query.cart": lambda _: CART,
        "Cart.weights": lambda cart, unit=None: [[1, None], [2000 if unit == "g" else 2], None],
    },
    {"Cart": [CART]},
)
FREIGHT = ServedSubgraph(
    """
    union Thing = Box | Bag
    type Cart @key(fields: "id") {
      id: ID!
      things: [Thing] @external
      weights(unit: String): [[Int]] @external
      items: [Item!]! @external
      volume: String @requires(fields: "things { ... on Box { size } ... on Bag { litres } }")
      heavy: String @requires(fields: "weights(unit: \\"g\\")")
      light: String @requires(fields: "weights(unit: \\"kg\\")")
      grams: String @requires(fields: "items { no parts { grams } }")
    }
    type Box { size: Int @external } type Bag { litres: Int @external }
    type Item { no: Int @external parts: [Part] @external } type Part { grams: Int @external }
    """,
    {
        "Cart.volume": lambda cart: str([row and (row.get("size") or row.get("litres")) for row in cart["things"]]),
        "Cart.heavy": lambda cart: str(cart["weights"]),
        "Cart.light": lambda cart: str(cart["weights"]),
        "Cart.grams": lambda cart: str(
            [[part and part["grams"] for part in item["parts"] or ()] for item in cart["items"]]
        ),
    },
    {"Cart": [{"id": "1"}]},
)


def test_requirements_over_lists_through_fragments_and_with_other_arguments_each_get_their_own() -> None:
    query = """{ cart {
      volume heavy light grams weights(unit: "t") other: weights things { __typename ... on Bag { l: litres } }
    } }"""
    assert data(query, items=ITEMS, freight=FREIGHT) == {
        "cart": {
            "volume": "[3, 4, None]",
            "heavy": "[[1, None], [2000], None]",
            "light": "[[1, None], [2], None]",
            "grams": "[[5, None], []]",
            "weights": [[1, None], [2], None],
            "other": [[1, None], [2], None],
            "things": [{"__typename": "Box"}, {"__typename": "Bag", "l": 4}, None],
        }
    }
