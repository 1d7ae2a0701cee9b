"""Answers over value types, unions, interfaces and enums that each subgraph knows in part."""

from typing import Any

import pytest
from support.one_world import World, check_agreement

VALUE = {"__typename": "Value", "x": 1, "y": 2, "z": 3}
HOLDER = {"__typename": "Holder", "id": "h", "value": VALUE}


@pytest.mark.parametrize(
    "query",
    [
        "{ one { value { x y z } } }",
        "{ many { value { z y } } }",
        "{ last { value { x z } } }",
        "{ one { value { __typename } } }",
        "{ one { value { ... on Value { y } } again: value { x } } }",
    ],
)
def test_a_value_is_put_together_of_what_each_subgraph_knows(query: str) -> None:
    holder = 'type Holder @key(fields: "id") { id: ID! value: Value @shareable }'
    check_agreement(
        World({"one": HOLDER, "many": [HOLDER, None], "last": HOLDER}, [HOLDER]),
        query,
        a=f"type Query {{ one: Holder }} {holder} type Value {{ x: Int @shareable }}",
        b=f"type Query {{ many: [Holder] }} {holder} type Value {{ y: Int @shareable x: Int @shareable }}",
        c=f"type Query {{ last: Holder }} {holder} type Value {{ z: Int y: Int @shareable }}",
    )


def test_a_shared_root_is_put_together_too() -> None:
    rows = [
        {"__typename": "Row", "id": "1", "a": 1, "b": 2, "c": {"__typename": "C", "x": 1, "y": 2}},
        {"__typename": "Row", "id": "2", "a": 3, "b": 4, "c": None},
    ]
    check_agreement(
        World({"rows": rows, "row": lambda o, no=None: rows[no or 0]}),
        "query ($n: Int) { rows { id a b c { x y } } row { a b } w: row(no: $n) { b c { y } } v: row(no: $n) { a } }",
        {"n": 1},
        a="""type Query { rows: [Row] @shareable row(no: Int): Row @shareable }
        type Row { id: ID! @shareable a: Int c: C @shareable } type C { x: Int }""",
        b="""type Query { rows: [Row] @shareable row(no: Int): Row @shareable }
        type Row { id: ID! @shareable b: Int c: C @shareable } type C { y: Int }""",
    )


A = {"__typename": "A", "id": "1", "x": 1}
B = {"__typename": "B", "id": "2", "y": 2}
C = {"__typename": "C", "id": "3", "z": 3, "w": 9}
OF_ALL = {"__typename": "Box", "id": "b", "common": A, "own": [A, B]}


@pytest.mark.parametrize(
    "query",
    [
        "{ box { common { __typename ... on A { x } ... on B { y } ... on C { z } } } }",
        "{ here { ... on A { x } ... on C { z w } } there { ... on C { z w } ... on A { x } ... on B { y } } }",
        "{ boxes { own { ... on B { y } ... on C { w } } } }",
        "{ here { ... on C { w } } }",
    ],
)
def test_a_union_has_other_members_in_each_subgraph(query: str) -> None:
    check_agreement(
        World({"box": OF_ALL, "here": [A, B], "there": [C, B], "boxes": [OF_ALL]}, [OF_ALL, A, B, C]),
        query,
        a="""type Query { box: Box here: [U] } union U = A | B
        type Box @key(fields: "id") { id: ID! common: U @shareable own: [U] }
        type A @key(fields: "id") { id: ID! x: Int } type B @key(fields: "id") { id: ID! }""",
        b="""type Query { there: [U] boxes: [Box] } union U = A | C | B
        type Box @key(fields: "id") { id: ID! common: U @shareable } type A @key(fields: "id") { id: ID! }
        type C @key(fields: "id") { id: ID! z: Int } type B @key(fields: "id") { id: ID! y: Int }""",
        c='type C @key(fields: "id") { id: ID! w: Int }',
    )


OVEN: dict[str, Any] = {"__typename": "Oven", "id": "o", "name": "oven", "warranty": 1, "power": 10, "value": 1}
TOASTER: dict[str, Any] = {
    "__typename": "Toaster",
    "id": "t",
    "name": "toaster",
    "warranty": 2,
    "slots": 4,
    "value": "v",
}
OVEN["near"], TOASTER["near"] = [TOASTER], OVEN
KITCHEN = World(
    {
        "node": OVEN,
        "nodes": [OVEN, TOASTER],
        "products": [TOASTER, OVEN, None],
        "oven": OVEN,
        "one": TOASTER,
        "things": [OVEN, TOASTER],
    },
    [OVEN, TOASTER],
)


@pytest.mark.parametrize(
    "query",
    [
        "{ node { id ... on Product { name } } }",
        "{ nodes { ... on Product { name ... on Appliance { warranty ... on Slotted { slots } } } } }",
        "{ products { ... on Node { id ... on Slotted { slots } ... on Oven { power } } } }",
        """{ things {
          ... on Node { id } ... on Product { name } ... on Slotted { slots } ... on Appliance { warranty } __typename
        } }""",
        """{ one { ... on Slotted { slots } ... on Oven { power } name }
          oven { ... on Product { name } ... on Node { ... on Appliance { warranty } } } }""",
        """{ node { ...N } } fragment N on Node { ...P ... on Slotted { ... on Toaster { name slots } } }
        fragment P on Product { __typename ... on Appliance { ... on Oven { power name } } }""",
        "{ nodes { ... on Slotted { slots } } things { ... on Slotted { __typename } ... on Node { __typename } } }",
    ],
)
def test_fragments_on_interfaces_go_where_nobody_knows_the_interface(query: str) -> None:
    check_agreement(
        KITCHEN,
        query,
        a="""type Query { node: Node nodes: [Node] oven: Oven } interface Node { id: ID! }
        type Oven implements Node @key(fields: "id") { id: ID! power: Int }
        type Toaster implements Node @key(fields: "id") { id: ID! }""",
        b="""type Query { products: [Product] one: Appliance } interface Product { id: ID! name: String }
        interface Appliance implements Product { id: ID! name: String warranty: Int }
        type Oven implements Product & Appliance @key(fields: "id") { id: ID! name: String warranty: Int }
        type Toaster implements Product & Appliance @key(fields: "id") { id: ID! name: String warranty: Int }""",
        c="""type Query { things: [Thing] } union Thing = Oven | Toaster interface Slotted { slots: Int }
        type Oven @key(fields: "id") { id: ID! }
        type Toaster implements Slotted @key(fields: "id") { id: ID! slots: Int }""",
    )


@pytest.mark.parametrize(
    "query",
    ["{ nodes { id name warranty } }", "{ nodes { ... on Oven { power } warranty ... on Toaster { slots name } } }"],
)
def test_of_an_interfaces_types_each_has_another_field_elsewhere(query: str) -> None:
    check_agreement(
        KITCHEN,
        query,
        a="""type Query { nodes: [Item] } interface Item { id: ID! name: String warranty: Int }
        type Oven implements Item @key(fields: "id") { id: ID! name: String warranty: Int @external power: Int }
        type Toaster implements Item @key(fields: "id") { id: ID! name: String @external warranty: Int }""",
        b="""type Oven @key(fields: "id") { id: ID! warranty: Int }
        type Toaster @key(fields: "id") { id: ID! name: String slots: Int }""",
    )


@pytest.mark.parametrize(
    "query",
    [
        "{ things { ... on Oven { value o: near { name } } ... on Toaster { v: value p: near { name power } } } }",
        "{ things { ... on Oven { n: power name } ... on Toaster { n: slots name } } }",
    ],
)
def test_fields_of_one_name_and_other_types_go_on_to_other_subgraphs(query: str) -> None:
    check_agreement(
        KITCHEN,
        query,
        a="""type Query { things: [Thing] } union Thing = Oven | Toaster
        type Oven @key(fields: "id") { id: ID! value: Int near: [Toaster] power: Int }
        type Toaster @key(fields: "id") { id: ID! value: String near: Oven slots: Int }""",
        b="""type Oven @key(fields: "id") { id: ID! name: String! }
        type Toaster @key(fields: "id") { id: ID! name: String! }""",
    )


ANI = {
    "__typename": "Author",
    "id": "a",
    "name": "Ani",
    "country": {"__typename": "Country", "code": "ID", "label": "Indonesia"},
}
BUDI = {"__typename": "Author", "id": "b", "name": "Budi", "country": None}
BOOK = {"__typename": "Book", "id": "b", "title": "A book", "authors": [ANI, BUDI, None], "pages": 3}
FILM = {"__typename": "Film", "id": "f", "title": "A film", "director": ANI, "length": 4}
SHELF = {"__typename": "Shelf", "id": "s", "media": [BOOK, FILM, None], "first": BOOK}


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        (
            """{ shelf { media { ... on Book { title authors { name country { label } } }
              ... on Film { director { name } } } } }""",
            1,
        ),
        (
            """{ shelf { media { ... on Book { title pages authors { id name country { code label } } }
              ... on Film { title length director { name country { label } } } } } }""",
            3,
        ),
        ("{ shelves { first { title authors { name } } media { __typename ... on Book { title } } } }", 3),
        ("{ books { title authors { name } } media { ... on Film { title } ... on Book { title } } }", 3),
    ],
)
def test_what_is_provided_goes_through_lists_and_unions(query: str, requests: int) -> None:
    made = check_agreement(
        World(
            {"shelf": SHELF, "shelves": [SHELF, None], "books": [BOOK], "media": [FILM, BOOK]},
            [SHELF, BOOK, FILM, ANI, BUDI],
        ),
        query,
        a='''type Query {
          shelf: Shelf @provides(fields: """
            media { ... on Book { title authors { name country { label } } } ... on Film { director { name } } }
          """)
          shelves: [Shelf] @provides(fields: "first { title }")
          books: [Book]
          media: [Media] @provides(fields: "... on Film { title }")
        }
        type Shelf @key(fields: "id") { id: ID! media: [Media] first: Book }
        union Media = Book | Film
        type Book @key(fields: "id") { id: ID! title: String @external authors: [Author] }
        type Film @key(fields: "id") { id: ID! title: String @external director: Author }
        type Author @key(fields: "id") { id: ID! name: String @external country: Country @external }
        type Country @key(fields: "code") { code: ID! label: String @external }''',
        b="""type Book @key(fields: "id") { id: ID! title: String @shareable pages: Int }
        type Film @key(fields: "id") { id: ID! title: String @shareable length: Int }""",
        c="""type Author @key(fields: "id") { id: ID! name: String @shareable country: Country @shareable }
        type Country @key(fields: "code") { code: ID! label: String @shareable }""",
    )
    assert len(made) == requests


@pytest.mark.parametrize(
    "query",
    [
        "{ one { id ... on Lost { z } } }",
        "{ many { ... on Found { x y } ... on Lost { sku z } } }",
        "{ one { ... on Lost { z } ... on Found { x } } many { id } }",
        "{ one { __typename ... on Lost { sku } } }",
    ],
)
def test_a_type_that_one_of_those_who_share_a_field_does_not_know_is_never_there(query: str) -> None:
    found = {"__typename": "Found", "id": "1", "x": 1, "y": 2}
    shared = "type Query { one: Kept @shareable many: [Kept] @shareable } interface Kept { id: ID! }"
    check_agreement(
        World({"one": found, "many": [found]}, [found]),
        query,
        a=f"""{shared} type Found implements Kept @key(fields: "id") {{ id: ID! x: Int }}
        type Lost implements Kept @key(fields: "id") {{ id: ID! }}""",
        b=f'{shared} type Found implements Kept @key(fields: "id") {{ id: ID! y: Int }}',
        c='type Lost @key(fields: "sku") { sku: ID! z: Int }',
    )
