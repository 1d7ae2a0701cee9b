"""Answers where requirements depend on each other, are nested, or hold arguments, types and lists."""

from typing import Any

import pytest
from support.composing import error_codes
from support.one_world import View, World, check_agreement

ORDER = {
    "__typename": "Order",
    "id": "1",
    "base": 10,
    "a": lambda o: o("base") + 1,
    "b": lambda o: o("a") * 2,
    "c": lambda o: o("b") + 5,
    "d": lambda o: o("c") * 3,
}


@pytest.mark.parametrize(
    "query", ["{ order { b } }", "{ order { c } }", "{ orders { d } }", "{ order { d c b a base } orders { a } }"]
)
def test_two_subgraphs_may_require_of_each_other_in_turn(query: str) -> None:
    check_agreement(
        World({"order": ORDER, "orders": [ORDER]}, [ORDER]),
        query,
        x="""type Query { order: Order } type Order @key(fields: "id") {
          id: ID! base: Int a: Int @external b: Int @requires(fields: "a")
          c: Int @external d: Int @requires(fields: "c") }""",
        y="""type Query { orders: [Order] } type Order @key(fields: "id") {
          id: ID! base: Int @external a: Int @requires(fields: "base")
          b: Int @external c: Int @requires(fields: "b") }""",
    )


def test_a_circle_of_requirements_is_refused() -> None:
    assert error_codes(
        """type Query { order: Order } type Order @key(fields: "id") {
          id: ID! ping: Int @requires(fields: "pong") pong: Int @external }""",
        'type Order @key(fields: "id") { id: ID! ping: Int @external pong: Int @requires(fields: "ping") }',
    ) == {"SATISFIABILITY_ERROR"}


def test_a_circle_that_a_third_subgraph_breaks_is_answered() -> None:
    check_agreement(
        World({"order": ORDER}, [ORDER]),
        "{ order { b a } }",
        x="""type Query { order: Order }
        type Order @key(fields: "id") { id: ID! a: Int @external b: Int @requires(fields: "a") }""",
        y='type Order @key(fields: "id") { id: ID! base: Int a: Int @shareable }',
        z="""type Order @key(fields: "id") {
          id: ID! base: Int @external a: Int @shareable @requires(fields: "base") }""",
    )


LEFT: dict[str, Any] = {"__typename": "Left", "id": "1", "k": 5, "n": lambda o: o("right")("m") + 1}
RIGHT: dict[str, Any] = {"__typename": "Right", "id": "2", "left": LEFT, "m": lambda o: o("left")("k") * 3}
LEFT["right"] = RIGHT


@pytest.mark.parametrize("query", ["{ left { n right { m left { n k } } } }", "{ right { m left { n } } }"])
def test_requirements_go_through_objects_that_require_of_one_another(query: str) -> None:
    check_agreement(
        World({"left": LEFT, "right": RIGHT}, [LEFT, RIGHT]),
        query,
        x="""type Query { left: Left right: Right } type Left @key(fields: "id") { id: ID! right: Right k: Int }
        type Right @key(fields: "id") { id: ID! left: Left }""",
        y="""type Left @key(fields: "id") { id: ID! right: Right @external n: Int @requires(fields: "right { m }") }
        type Right @key(fields: "id") { id: ID! m: Int @external }""",
        z="""type Right @key(fields: "id") { id: ID! left: Left @external m: Int @requires(fields: "left { k }") }
        type Left @key(fields: "id") { id: ID! k: Int @external }""",
    )


def price(o: View, currency: str = "IDR") -> int:
    rate: int = {"IDR": 15_000, "USD": 1}[currency] * o("no")
    return rate


def an_item(number: int) -> dict[str, Any]:
    return {
        "__typename": "Item",
        "id": f"i{number}",
        "no": number,
        "price": price,
        "tax": lambda o: o("price", currency="USD") * 2,
        "vat": lambda o: o("price", currency="IDR") // 10,
    }


ITEMS = [an_item(number) for number in range(3)]
CART = {
    "__typename": "Cart",
    "id": "c",
    "rows": [[ITEMS[0], None], [ITEMS[1], ITEMS[2]], None],
    "items": ITEMS[:2],
    "total": lambda o: sum(item("price", currency="USD") for row in o("rows") for item in row or () if item),
}


@pytest.mark.parametrize(
    "query",
    [
        "{ cart { total } }",
        "{ cart { total rows { tax vat price usd: price(currency: USD) } } }",
        "query ($c: Currency) { cart { items { price(currency: $c) tax vat } total } }",
        "{ item { price tax vat } again: item { tax price(currency: USD) } }",
    ],
)
def test_required_arguments_are_kept_apart_from_the_clients_through_lists_of_lists(query: str) -> None:
    currency = "enum Currency { IDR USD }"
    check_agreement(
        World({"cart": CART, "item": ITEMS[1]}, [CART, *ITEMS]),
        query,
        {"c": "USD"} if "$c" in query else {},
        a="""type Query { cart: Cart item: Item }
        type Cart @key(fields: "id") { id: ID! rows: [[Item]] items: [Item!] }
        type Item @key(fields: "id") { id: ID! no: Int }""",
        b=f'{currency} type Item @key(fields: "id") {{ id: ID! price(currency: Currency = IDR): Int }}',
        c=f"""{currency}
        type Item @key(fields: "id") {{
          id: ID! price(currency: Currency = IDR): Int @external
          tax: Int @requires(fields: "price(currency: USD)") vat: Int @requires(fields: "price(currency: IDR)") }}
        type Cart @key(fields: "id") {{
          id: ID! rows: [[Item]] @external total: Int @requires(fields: "rows {{ price(currency: USD) }}") }}""",
    )


DOG = {"__typename": "Dog", "id": "d", "name": "Rex", "weight": 30}
CAT = {"__typename": "Cat", "id": "c", "name": "Tom", "lives": 9}
OWNER = {
    "__typename": "Owner",
    "id": "o",
    "pet": DOG,
    "pets": [DOG, CAT, None],
    "any": [CAT, DOG],
    "tag": lambda o: o("pet")("name"),
    "sizes": lambda o: str([pet and pet("weight" if pet.type == "Dog" else "lives") for pet in o("pets")]),
    "names": lambda o: str([pet("weight" if pet.type == "Dog" else "name") for pet in o("any")]),
}


@pytest.mark.parametrize(
    "query",
    [
        "{ owner { tag } }",
        "{ owner { sizes } }",
        "{ owner { names } }",
        "{ owner { tag sizes names pets { id __typename } any { ... on Cat { name lives } } } }",
        "{ owner { sizes pet { ... on Dog { weight } } pets { ... on Cat { n: lives } ... on Dog { n: weight } } } }",
    ],
)
def test_requirements_through_interfaces_and_unions_say_which_type_it_is(query: str) -> None:
    check_agreement(
        World({"owner": OWNER}, [OWNER, DOG, CAT]),
        query,
        a="""type Query { owner: Owner }
        type Owner @key(fields: "id") { id: ID! pet: Pet pets: [Pet] any: [Any] }
        interface Pet { id: ID! name: String } union Any = Dog | Cat
        type Dog implements Pet @key(fields: "id") { id: ID! name: String }
        type Cat implements Pet @key(fields: "id") { id: ID! name: String lives: Int }""",
        b='type Dog @key(fields: "id") { id: ID! weight: Int }',
        c="""interface Pet { id: ID! name: String } union Any = Dog | Cat
        type Owner @key(fields: "id") {
          id: ID! pet: Pet @external pets: [Pet] @external any: [Any] @external
          tag: String @requires(fields: "pet { name }")
          sizes: String @requires(fields: "pets { ... on Dog { weight } ... on Cat { lives } }")
          names: String @requires(fields: "any { ... on Dog { weight } ... on Cat { name } }") }
        type Dog implements Pet @key(fields: "id") { id: ID! name: String @external weight: Int @external }
        type Cat implements Pet @key(fields: "id") { id: ID! name: String @external lives: Int @external }""",
    )


COMPANY = {"__typename": "Company", "id": "co", "name": "ACME", "tier": 2}
HOLDER = {"__typename": "Holder", "id": "h", "company": COMPANY, "nick": "n"}
CATEGORY = {"__typename": "Category", "id": "c", "name": "Cat", "tag": "t"}
LAMP = {
    "__typename": "Product",
    "id": "p",
    "name": "Lamp",
    "holder": HOLDER,
    "holders": [HOLDER, None],
    "category": CATEGORY,
    "price": 7,
    "tier": lambda o: o("holder")("company")("tier") * 10,
    "all": lambda o: str([holder and holder("company")("name") for holder in o("holders")]),
    "sum": lambda o: f"{o('category')('tag')}{o('price')}",
    "label": lambda o: "L" + o("name"),
    "full": lambda o: f"{o('label')} {o('tier')}",
}


@pytest.mark.parametrize(
    "query",
    [
        "{ product { tier } }",
        "{ products { all } }",
        "{ provided { label } }",
        "{ bare { label name } }",
        "{ product { sum } }",
        "{ provided { full } }",
        "{ products { full sum all category { name } holder { nick company { name tier } } } }",
    ],
)
def test_what_is_required_lies_some_subgraphs_away(query: str) -> None:
    check_agreement(
        World(
            {"product": LAMP, "products": [LAMP, None, LAMP], "provided": LAMP, "bare": LAMP},
            [LAMP, COMPANY, HOLDER, CATEGORY],
        ),
        query,
        a="""type Query { product: Product products: [Product] }
        type Product @key(fields: "id") { id: ID! holder: Holder holders: [Holder] }
        type Holder @key(fields: "id") { id: ID! }""",
        b="""type Holder @key(fields: "id") { id: ID! company: Company nick: String }
        type Company @key(fields: "id") { id: ID! name: String }""",
        c='type Company @key(fields: "id") { id: ID! tier: Int }',
        d="""type Query { provided: Product @provides(fields: "name") bare: Product }
        type Product @key(fields: "id") {
          id: ID! name: String @external holder: Holder @external holders: [Holder] @external
          tier: Int @requires(fields: "holder { company { tier } }")
          all: String @requires(fields: "holders { company { name } }") label: String @requires(fields: "name") }
        type Holder @key(fields: "id") { id: ID! company: Company @external }
        type Company @key(fields: "id") { id: ID! name: String @external tier: Int @external }""",
        e="""type Product @key(fields: "id category { id }") {
          id: ID! category: Category @shareable price: Int @external
          sum: String @requires(fields: "price category { tag }") }
        type Category @key(fields: "id") { id: ID! tag: String @external }""",
        f="""type Product @key(fields: "id") {
          id: ID! name: String @shareable category: Category @shareable price: Int }
        type Category @key(fields: "id") { id: ID! tag: String name: String }""",
        g="""type Product @key(fields: "id") {
          id: ID! label: String @external tier: Int @external full: String @requires(fields: "label tier") }""",
    )


def test_an_object_requires_of_the_next_of_its_own_kind() -> None:
    rows: list[dict[str, Any]] = [{"__typename": "Row", "id": str(number), "v": number} for number in range(3)]
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        row["next"] = following
        row["w"] = lambda o: o("v") + (o("next")("v") if o("next") else 0)
    check_agreement(
        World({"row": rows[0]}, rows),
        "{ row { w next { w next { w v next { w } } } } }",
        a='type Query { row: Row } type Row @key(fields: "id") { id: ID! next: Row }',
        b='type Row @key(fields: "id") { id: ID! v: Int }',
        c="""type Row @key(fields: "id") {
          id: ID! next: Row @external v: Int @external w: Int @requires(fields: "v next { v }") }""",
    )
