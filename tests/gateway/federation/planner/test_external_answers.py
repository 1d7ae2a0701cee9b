"""Answers where a field is `@external` in the subgraph that is asked first."""

import pytest
from support.composing import error_codes
from support.one_world import World, check_agreement

LAMP = {
    "__typename": "Product",
    "id": "p1",
    "name": "Lamp",
    "price": 100,
    "label": lambda o: f"{o('name')} {o('price')}",
}
DESK = LAMP | {"id": "p2", "name": "Desk", "price": 200}
PRODUCTS = World({"product": LAMP, "products": [LAMP, DESK], "lamp": LAMP}, [LAMP, DESK])
PRICES = 'type Query { products: [Product] } type Product @key(fields: "id") { id: ID! price: Int }'


def test_an_external_field_is_provided_on_one_way_and_asked_for_on_the_other() -> None:
    requests = check_agreement(
        PRODUCTS,
        "{ product { name } lamp { name price } }",
        a="""type Query { product: Product @provides(fields: "name") lamp: Product }
        type Product @key(fields: "id") { id: ID! name: String @external }""",
        b='type Product @key(fields: "id") { id: ID! name: String @shareable price: Int }',
    )
    assert len(requests) == 2


@pytest.mark.parametrize("extends", ["extend type Product", "type Product @extends"])
def test_the_external_key_of_an_extended_type_is_known(extends: str) -> None:
    check_agreement(
        PRODUCTS,
        "{ product { id name price } products { name } }",
        a=f'type Query {{ product: Product }} {extends} @key(fields: "id") {{ id: ID! @external name: String }}',
        b=PRICES,
    )


def test_the_external_key_of_a_type_that_is_not_extended_is_not_known() -> None:
    assert error_codes(
        'type Query { product: Product } type Product @key(fields: "id") { id: ID! @external name: String }', PRICES
    ) == {"SATISFIABILITY_ERROR"}


@pytest.mark.parametrize(
    "query",
    [
        "{ product { name label price } }",
        "{ products { a: label b: name } }",
        "{ products { id ... on Product { label } } }",
    ],
)
def test_what_is_external_and_required_may_be_asked_for_beside(query: str) -> None:
    check_agreement(
        PRODUCTS,
        query,
        a='type Query { product: Product } type Product @key(fields: "id") { id: ID! name: String }',
        b='type Product @key(fields: "id") { id: ID! price: Int }',
        c="""type Query { products: [Product] } type Product @key(fields: "id") {
          id: ID! name: String @external price: Int @external label: String @requires(fields: "name price") }""",
    )


SIDES = {"__typename": "Sides", "w": 3, "h": 4}
BOX = {"__typename": "Box", "id": "1", "sides": SIDES, "area": lambda o: o("sides")("w") * o("sides")("h")}
MAKER = {"__typename": "Maker", "id": "m", "name": "ACME"}
BOX["maker"] = MAKER


def test_a_type_whose_every_field_is_external_is_what_its_owner_says() -> None:
    check_agreement(
        World({"box": BOX}, [BOX]),
        "{ box { area sides { w h } } }",
        a='type Query { box: Box } type Box @key(fields: "id") { id: ID! sides: Sides } type Sides { w: Int h: Int }',
        b="""type Box @key(fields: "id") { id: ID! sides: Sides @external area: Int @requires(fields: "sides { w h }") }
        type Sides @external { w: Int h: Int }""",
    )


def test_a_provided_field_of_a_provided_object_needs_nobody_else() -> None:
    requests = check_agreement(
        World({"box": BOX}, [BOX, MAKER]),
        "{ box { maker { id name } } }",
        a="""type Query { box: Box @provides(fields: "maker { name }") }
        type Box @key(fields: "id") { id: ID! maker: Maker }
        type Maker @key(fields: "id") { id: ID! name: String @external }""",
        b='type Maker @key(fields: "id") { id: ID! name: String @shareable }',
    )
    assert len(requests) == 1


USER = {
    "__typename": "User",
    "id": "u",
    "email": "a@b",
    "nick": "a",
    "score": 3,
    "greets": lambda o: f"hi {o('email')}",
}


@pytest.mark.parametrize("query", ["{ me { id email nick score greets } }", "{ users { score nick greets } }"])
def test_an_external_field_may_be_anothers_key(query: str) -> None:
    check_agreement(
        World({"me": USER, "users": [USER]}, [USER]),
        query,
        a="""type Query { me: User }
        type User @key(fields: "id") { id: ID! email: String @external greets: String @requires(fields: "email") }""",
        b='type User @key(fields: "id") @key(fields: "email") { id: ID! email: String nick: String }',
        c='type Query { users: [User] } type User @key(fields: "email") { email: String score: Int }',
    )
