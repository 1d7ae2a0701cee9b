"""Answers over keys with lists and objects, keys that form a chain, and keys that are not resolvable."""

from typing import Any

import pytest
from support.one_world import World, check_agreement

PARTS = [
    {"__typename": "Part", "no": no, "of": {"__typename": "Origin", "code": code}}
    for no, code in ((1, "ID"), (2, "SG"))
]
LAMP = {"__typename": "Product", "id": "p", "name": "Lamp", "parts": PARTS, "tags": ["a", None], "stock": 7, "price": 5}


@pytest.mark.parametrize(
    "query", ["{ one { stock name price } }", "{ one { parts { no of { code } } stock } }", "{ two { price name } }"]
)
def test_a_key_may_hold_lists_of_objects(query: str) -> None:
    values = "type Part @shareable { no: Int of: Origin } type Origin @shareable { code: String }"
    check_agreement(
        World({"one": LAMP, "two": LAMP}, [LAMP]),
        query,
        a=f"""type Query {{ one: Product }}
        type Product @key(fields: "parts {{ no of {{ code }} }}") {{ name: String parts: [Part] }} {values}""",
        b=f"""type Query {{ two: Product }}
        type Product @key(fields: "parts {{ no of {{ code }} }}") @key(fields: "tags id") {{
          parts: [Part] stock: Int id: ID! tags: [String] }} {values}""",
        c='type Product @key(fields: "tags id") { id: ID! tags: [String] price: Int }',
    )


THING: dict[str, Any] = {"__typename": "Thing", "id": "t", "code": "c", "stock": 3, "price": 9}
CATALOGUE = {"__typename": "Catalogue", "things": [THING], "first": THING, "size": 1, "note": "n"}


@pytest.mark.parametrize(
    "query", ["{ catalogue { size note things { price stock } } }", "{ catalogue { note first { code stock price } } }"]
)
def test_a_list_may_be_known_by_the_keys_of_what_is_in_it(query: str) -> None:
    check_agreement(
        World({"catalogue": CATALOGUE}, [CATALOGUE, THING]),
        query,
        a="""type Query { catalogue: Catalogue }
        type Catalogue @key(fields: "things { id }") { things: [Thing!]! first: Thing @shareable }
        type Thing @key(fields: "id") { id: ID! }""",
        b="""type Catalogue @key(fields: "things { id code }") { things: [Thing!]! size: Int first: Thing @shareable }
        type Thing @key(fields: "id code") @key(fields: "id") { id: ID! code: ID stock: Int }""",
        c="""type Catalogue @key(fields: "things { id code } first { id }") {
          things: [Thing!]! note: String first: Thing @shareable }
        type Thing @key(fields: "id code") { id: ID! code: ID price: Int }""",
    )


LINK = {"__typename": "Link", "a": "1", "b": "2", "c": "3", "d": "4", "e": 5, "f": 6}
CHAIN = World({"first": LINK, "middle": [LINK, None], "last": LINK}, [LINK])


@pytest.mark.parametrize(
    ("query", "requests"),
    [("{ first { d } }", 4), ("{ first { e } }", 5), ("{ middle { e f c } }", 5), ("{ last { f e a } }", 5)],
)
def test_a_chain_of_keys_is_followed_to_its_end_both_ways(query: str, requests: int) -> None:
    made = check_agreement(
        CHAIN,
        query,
        s1='type Query { first: Link } type Link @key(fields: "a") { a: ID! f: Int }',
        s2='type Link @key(fields: "a") @key(fields: "b") { a: ID! b: ID! }',
        s3='type Query { middle: [Link] } type Link @key(fields: "b") @key(fields: "c") { b: ID! c: ID! }',
        s4='type Link @key(fields: "c") @key(fields: "d") { c: ID! d: ID! }',
        s5='type Query { last: Link } type Link @key(fields: "d") { d: ID! e: Int }',
    )
    assert len(made) == requests


def test_keys_that_are_not_resolvable_lead_on_and_not_back() -> None:
    check_agreement(
        CHAIN,
        "{ first { e f c } }",
        s1='type Query { first: Link } type Link @key(fields: "a", resolvable: false) { a: ID! }',
        s2='type Link @key(fields: "a") @key(fields: "b", resolvable: false) { a: ID! b: ID! }',
        s3='type Link @key(fields: "b") @key(fields: "c", resolvable: false) { b: ID! c: ID! }',
        s4='type Link @key(fields: "c") { c: ID! e: Int f: Int }',
    )


FIRST = {"__typename": "First", "id": "1", "name": "one", "info": "i"}
SECOND = {"__typename": "Second", "sku": "2", "name": "two", "info": "j"}


@pytest.mark.parametrize("query", ["{ all { name info } }", "{ all { ... on First { info } name } }"])
def test_the_types_of_an_interface_may_have_other_keys(query: str) -> None:
    check_agreement(
        World({"all": [FIRST, SECOND]}, [FIRST, SECOND]),
        query,
        a="""type Query { all: [Kept] } interface Kept { name: String }
        type First implements Kept @key(fields: "id") { id: ID! name: String }
        type Second implements Kept @key(fields: "sku") { sku: ID! name: String }""",
        b="""interface Kept { info: String }
        type First implements Kept @key(fields: "id") { id: ID! info: String }
        type Second implements Kept @key(fields: "sku") { sku: ID! info: String }""",
    )
