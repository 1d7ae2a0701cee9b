"""Answers over subgraphs that write the same schema differently: renamed directives, Federation 1, root types."""

import pytest
from support.composing import FED1
from support.one_world import World, check_agreement

USER = {
    "__typename": "User",
    "id": "u",
    "type": "ADMIN",
    "name": "Ani",
    "secret": "s",
    "address": {"__typename": "Address", "city": "Jakarta"},
    "level": lambda o, of="NONE": of,
    "greets": lambda o, loud=None: f"{o('type')} {loud}",
}
WORLD = World(
    {"user": USER, "users": lambda o, kind=None: [USER], "me": USER},
    [USER],
    {"one": lambda o, text=None: USER, "two": lambda o: USER},
)
FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5"'
RENAMED = f"""{FEDERATION}, import: [{{name: "@key", as: "@primaryKey"}}, {{name: "@external", as: "@elsewhere"}},
{{name: "@requires", as: "@needs"}}, {{name: "@provides", as: "@gives"}}, {{name: "@shareable", as: "@common"}}])
"""
GREETS = """type User @key(fields: "id") {
  id: ID! type: String @external greets(loud: Boolean = true): String @requires(fields: "type") }"""


def test_directives_are_known_under_what_they_are_imported_as() -> None:
    check_agreement(
        WORLD,
        "{ user { greets name } me { name greets type } }",
        a=f"""{RENAMED} type Query {{ user: User @gives(fields: "name") }}
        type User @primaryKey(fields: "id") {{ id: ID! type: String @common name: String @elsewhere }}""",
        b=f"""{FEDERATION}) type Query {{ me: User @federation__provides(fields: "type") }}
        type User @federation__key(fields: "id") {{
          id: ID! type: String @federation__external name: String @federation__shareable }}""",
        c=f"""{FEDERATION}, as: "fed", import: ["@key"]) type User @key(fields: "id") {{
          id: ID! type: String @fed__external
          greets(loud: Boolean = true): String @fed__requires(fields: "type") }}""",
    )


@pytest.mark.parametrize("query", ["{ user { greets name } me { name greets } }", "{ user { address { city } name } }"])
def test_subgraphs_of_federation_1_extend_and_share(query: str) -> None:
    check_agreement(
        WORLD,
        query,
        a=f"""{FED1} extend type Query {{ user: User }}
        type User @key(fields: "id") {{ id: ID! type: String address: Address }} type Address {{ city: String }}""",
        b=f"""{FED1} type Query {{ me: User @provides(fields: "type") }}
        extend type User @key(fields: "id") {{ id: ID! @external type: String @external name: String }}
        type Address {{ city: String }} extend type Query {{ home: Address }}""",
        c=FED1 + "extend " + GREETS.replace("id: ID!", "id: ID! @external"),
    )


@pytest.mark.parametrize(
    "query",
    [
        "{ user { greets name } }",
        "{ me { name type } users { name } }",
        'mutation { one(text: "x") { name type } two { name } again: one { type } }',
    ],
)
def test_root_types_have_other_names_in_each_subgraph(query: str) -> None:
    check_agreement(
        WORLD,
        query,
        a=f"""{FEDERATION}, import: ["@key"]) schema {{ query: RootQuery mutation: RootMutation }}
        type RootQuery {{ user: User users: [User] }} type RootMutation {{ one(text: String): User }}
        type User @key(fields: "id") {{ id: ID! type: String }}""",
        b=f"""{FEDERATION}, import: ["@key"]) {{ query: Asked }} type Asked {{ me: User }} type Mutation {{ two: User }}
        type User @key(fields: "id") {{ id: ID! name: String }}""".replace(
            "{ query: Asked }", "{ query: Asked mutation: Mutation }"
        ),
        c=GREETS,
    )


@pytest.mark.parametrize(
    "query",
    ["{ user { id type } }", "{ users(kind: ADMIN) { type greets } me { type name } }", "{ user { level(of: HIGH) } }"],
)
def test_what_is_inaccessible_is_used_inside_and_enums_differ_by_use(query: str) -> None:
    check_agreement(
        WORLD,
        query,
        a="""type Query { user: User users(kind: Kind): [User] } enum Kind { ADMIN GUEST BOT @inaccessible }
        type User @key(fields: "id") { id: ID! type: Kind @shareable }""",
        b="""type Query { me: User } enum Kind { ADMIN GUEST } enum Level { HIGH LOW NONE SECRET @inaccessible }
        type User @key(fields: "id") {
          id: ID! type: Kind @shareable name: String level(of: Level, hidden: Int @inaccessible): Level
          secret: String @inaccessible }""",
        c="enum Kind { ADMIN GUEST BOT @inaccessible } " + GREETS.replace("type: String", "type: Kind"),
    )
