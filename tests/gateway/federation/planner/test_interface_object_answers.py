"""Answers through interface objects: with requirements between them, with other keys, with extended types."""

from typing import Any

import pytest
from support.one_world import World, check_agreement


def media(type_name: str, number: int, **further: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "__typename": type_name,
        "id": f"m{number}",
        "title": f"title {number}",
        "rating": number,
        "blurb": lambda o: f"{o('title')}: {o('rating')}",
        "stars": lambda o: "*" * o("rating"),
        **further,
    }
    row["reviews"] = [{"__typename": "Review", "id": f"r{number}", "text": f"text {number}", "media": row}]
    return row


MOVIE, SONG = media("Movie", 1, minutes=90), media("Song", 2, beats=120)
ALL = World(
    {"all": [MOVIE, SONG], "top": MOVIE, "tops": [SONG, MOVIE], "song": SONG},
    [MOVIE, SONG, *MOVIE["reviews"], *SONG["reviews"]],
)


@pytest.mark.parametrize(
    "query",
    [
        "{ all { id title rating blurb stars } }",
        "{ all { ... on Movie { stars } } }",
        "{ top { __typename id rating blurb title } }",
        "{ top { reviews { media { __typename reviews { media { ... on Movie { minutes } } } } } } }",
        "{ tops { id rating } }",
        "{ tops { blurb stars ... on Movie { minutes blurb } ... on Song { beats rating } } }",
        "{ tops { ... on Media { id stars } ... on Song { __typename } } }",
        "{ tops { ...Said } } fragment Said on Media { ... on Movie { title } blurb }",
        "{ song { blurb stars reviews { text media { id title } } } }",
    ],
)
def test_interface_objects_require_of_each_other_and_of_the_types(query: str) -> None:
    check_agreement(
        ALL,
        query,
        types="""type Query { all: [Media] song: Song }
        interface Media @key(fields: "id") { id: ID! title: String }
        type Movie implements Media @key(fields: "id") { id: ID! title: String minutes: Int }
        type Song implements Media @key(fields: "id") { id: ID! title: String beats: Int }""",
        ratings="""type Query { top: Media }
        type Media @interfaceObject @key(fields: "id") { id: ID! rating: Int reviews: [Review] }
        type Review @key(fields: "id") { id: ID! text: String media: Media }""",
        blurbs="""type Query { tops: [Media] }
        type Media @interfaceObject @key(fields: "id") {
          id: ID! title: String @external rating: Int @external blurb: String @requires(fields: "title rating") }""",
        stars="""type Media @interfaceObject @key(fields: "id") {
          id: ID! rating: Int @external stars: String @requires(fields: "rating") }""",
    )


FOO, BAR = (
    {
        "__typename": name,
        "id": f"{name} 1",
        "sku": f"sku {name}",
        "name": name.lower(),
        "stock": 4,
        "note": lambda o: f"{o('stock')}!",
        "extra": 1,
    }
    for name in ("Foo", "Bar")
)
ITEMS = World({"items": [FOO, BAR], "stocked": [BAR], "one": FOO, "bar": BAR}, [FOO, BAR])
TYPES = """type Query { items: [Item] } interface Item @key(fields: "id") { id: ID! name: String }
type Foo implements Item @key(fields: "id") { id: ID! name: String }
type Bar implements Item @key(fields: "id") { id: ID! name: String %s }"""


@pytest.mark.parametrize(
    "query", ["{ items { stock name note } }", "{ stocked { name stock note id sku __typename ... on Bar { extra } } }"]
)
def test_interface_objects_lead_on_by_another_key(query: str) -> None:
    check_agreement(
        ITEMS,
        query,
        types=TYPES % "extra: Int",
        keys='type Item @interfaceObject @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! }',
        stock="""type Query { stocked: [Item] }
        type Item @interfaceObject @key(fields: "sku") { sku: ID! stock: Int }""",
        notes="""type Item @interfaceObject @key(fields: "id") {
          id: ID! stock: Int @external note: String @requires(fields: "stock") }""",
    )


@pytest.mark.parametrize("query", ["{ one { id name } }", "{ one { __typename id } items { name } }"])
def test_an_interface_object_that_nobody_may_ask_for_is_asked_for_elsewhere(query: str) -> None:
    check_agreement(
        ITEMS,
        query,
        types=TYPES % "",
        one='type Query { one: Item } type Item @interfaceObject @key(fields: "id", resolvable: false) { id: ID! }',
    )


@pytest.mark.parametrize("query", ["{ items { stock ... on Bar { extra } name } }", "{ bar { extra stock name } }"])
def test_a_type_that_a_third_subgraph_extends_has_the_interface_objects_fields(query: str) -> None:
    check_agreement(
        ITEMS,
        query,
        types=TYPES % "",
        bars='type Query { bar: Bar } type Bar @key(fields: "id") { id: ID! extra: Int }',
        stock='type Item @interfaceObject @key(fields: "id") { id: ID! stock: Int }',
    )
