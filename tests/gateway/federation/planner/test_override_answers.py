"""Answers where fields of keys, interfaces and requirements have moved to another subgraph."""

import pytest
from support.composing import error_codes
from support.one_world import World, check_agreement

USER = {
    "__typename": "User",
    "id": "u",
    "name": "Ani",
    "email": "a@b",
    "display": lambda o: f"{o('name')} <{o('email')}>",
    "age": 3,
}
BOT = {"__typename": "Bot", "id": "b", "name": "bot", "email": "bot@b"}
WORLD = World({"nodes": [USER, BOT], "user": USER, "actor": BOT, "me": USER}, [USER, BOT])
OLD = """type Query { nodes: [Node] user: User } interface Node { id: ID! name: String }
type User implements Node @key(fields: "id") { id: ID! name: String email: String }
type Bot implements Node @key(fields: "id") { id: ID! name: String%s email: String%s }"""
NEW = """type Query { actor: Node me: User } interface Node { id: ID! name: String email: String }
type User implements Node @key(fields: "id") {
  id: ID! name: String @override(from: "old") email: String @override(from: "old") }
type Bot implements Node @key(fields: "id") { id: ID! name: String%s email: String%s }"""
SHOWS = """type User @key(fields: "id") {
  id: ID! name: String @external email: String @external display: String @requires(fields: "name email") }"""


@pytest.mark.parametrize(
    ("of_bot_before", "of_bot_now"), [("", ' @override(from: "old")'), (" @shareable", " @shareable")]
)
@pytest.mark.parametrize(
    "query",
    [
        "{ nodes { id name } }",
        "{ nodes { name ... on User { display email } ... on Bot { email } } }",
        "{ actor { name email ... on User { display } } me { display } user { display name } }",
        "{ actor { __typename ... on Node { email } } nodes { ...N } } fragment N on Node { email name }",
    ],
)
def test_fields_of_an_interface_move_type_by_type(query: str, of_bot_before: str, of_bot_now: str) -> None:
    check_agreement(
        WORLD, query, old=OLD % (of_bot_before, of_bot_before), new=NEW % (of_bot_now, of_bot_now), shows=SHOWS
    )


@pytest.mark.parametrize("query", ["{ user { id name email age } }", "{ me { id name email } }", "{ rest { age id } }"])
def test_a_second_key_may_move(query: str) -> None:
    check_agreement(
        World({"user": USER, "me": USER, "rest": [USER]}, [USER]),
        query,
        a="""type Query { user: User }
        type User @key(fields: "id") @key(fields: "email") { id: ID! email: String name: String }""",
        b="""type Query { me: User }
        type User @key(fields: "id") @key(fields: "email") { id: ID! email: String @override(from: "a") }""",
        c='type Query { rest: [User] } type User @key(fields: "email") { email: String age: Int }',
    )


def test_the_only_key_may_not_move_from_where_objects_come() -> None:
    assert error_codes(
        'type Query { user: User } type User @key(fields: "id") { id: ID! name: String }',
        'type User @key(fields: "id") { id: ID! @override(from: "a") email: String }',
    ) == {"SATISFIABILITY_ERROR"}


@pytest.mark.parametrize("percent", [0, 100])
@pytest.mark.parametrize(
    "query", ["{ user { id display } me { display name email } }", "{ user { name display age } }"]
)
def test_what_is_required_may_be_moving_by_a_label(query: str, percent: int) -> None:
    check_agreement(
        World({"user": USER, "me": USER}, [USER]),
        query,
        old='type Query { user: User } type User @key(fields: "id") { id: ID! name: String email: String }',
        new=f"""type Query {{ me: User }} type User @key(fields: "id") {{
          id: ID! name: String @override(from: "old", label: "percent({percent})") age: Int }}""",
        shows=SHOWS,
    )


def test_an_override_of_a_subgraph_that_has_left_is_a_field_like_others() -> None:
    check_agreement(
        World({"user": USER}, [USER]),
        "{ user { name age } }",
        a='type Query { user: User } type User @key(fields: "id") { id: ID! name: String @override(from: "gone") }',
        b='type User @key(fields: "id") { id: ID! age: Int @override(from: "never") }',
    )
