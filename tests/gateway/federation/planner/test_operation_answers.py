"""Answers to mutations, conditions where a plan changes subgraphs, aliases and input values."""

from itertools import product
from typing import Any

import pytest
from support.one_world import World, check_agreement

USER = {
    "__typename": "User",
    "id": "u",
    "type": "ADMIN",
    "name": "Ani",
    "age": 3,
    "level": lambda o, of: of,
    "echo": lambda o, **given: str(given),
    "greets": lambda o, loud=None: f"{o('type')} {loud}",
}
A = 'type Query { user: User me: User } type User @key(fields: "id") { id: ID! type: String }'
B = 'type User @key(fields: "id") { id: ID! name: String age: Int level(of: Int): Int }'
C = """type User @key(fields: "id") {
  id: ID! type: String @external greets(loud: Boolean = true): String @requires(fields: "type") }"""
WORLD = World({"user": USER, "me": USER}, [USER])


@pytest.mark.parametrize("variables", [{"y": y, "n": n} for y in (True, False) for n in (True, False)])
@pytest.mark.parametrize(
    "query",
    [
        """query ($y: Boolean!, $n: Boolean!) {
          user { ...F @include(if: $y) ... @skip(if: $n) { greets ... on User @include(if: $y) { level(of: 1) } } }
          me @skip(if: $y) { name }
          again: me { ... on User @include(if: $n) { name greets @skip(if: $n) } }
        } fragment F on User { name type }""",
        """query ($y: Boolean!, $n: Boolean!) {
          user { name @include(if: $y) @skip(if: $n) greets @skip(if: $y) id @include(if: $n) } }""",
        "query ($y: Boolean!, $n: Boolean = true) { user @include(if: $y) { greets @include(if: $n) name } }",
    ],
)
def test_conditions_hold_at_the_border_of_subgraphs(query: str, variables: dict[str, bool]) -> None:
    check_agreement(WORLD, query, variables, a=A, b=B, c=C)


@pytest.mark.parametrize("never", [False, True])
@pytest.mark.parametrize(
    "query",
    [
        "query ($n: Boolean!) { user { type } user @include(if: $n) { name } }",
        "query ($n: Boolean!) { user @skip(if: $n) { greets } user @include(if: $n) { name greets } }",
        "query ($n: Boolean!) { user { id } ...F @include(if: $n) } fragment F on Query { user { id ...G } } "
        "fragment G on User { name age }",
        "query ($n: Boolean!) { me { id friend { id } friend @include(if: $n) { friend { type } friend { name } } } }",
    ],
)
def test_what_is_not_included_is_asked_of_nobody_though_its_object_is_there(query: str, never: bool) -> None:
    friend: dict[str, Any] = {"__typename": "User", "id": "v", "type": "GUEST", "name": "Budi"}
    friend["friend"] = USER
    world = World({"user": USER, "me": {**USER, "id": "w", "friend": friend}}, [USER, friend])
    of_friends = A.replace("type: String", "type: String friend: User")
    requests = check_agreement(world, query, {"n": not never}, a=of_friends, b=B, c=C)
    assert any(request.startswith("b:") for request in requests) is not never


@pytest.mark.parametrize(
    "query",
    [
        "{ user { a: greets(loud: true) b: greets(loud: false) c: greets name } me { a: name b: type } }",
        "query ($l: Boolean) { user { greets(loud: $l) x: greets(loud: true) ... on User { y: greets(loud: $l) } } }",
        "{ user { __typename: name } me { name: id id: name age: __typename x: age } }",
        "{ user: me { name: age age: name } me: user { r0: id _entities: name } _entities: __typename }",
    ],
)
def test_a_clients_names_and_arguments_cross_the_border(query: str) -> None:
    check_agreement(WORLD, query, {"l": False} if "$l" in query else {}, a=A, b=B, c=C)


def payload(o: Any, text: str | None = None) -> dict[str, Any]:
    return {"__typename": "Payload", "user": USER, "ok": True, "text": text}


VALUE = "type Payload @shareable { ok: Boolean user: User text: String }"
DOING = {
    "a": f"""type Query {{ user: User }} type Mutation {{ one(text: String): Payload three: Other }} {VALUE}
      type Other {{ n: Int user: User }} type User @key(fields: "id") {{ id: ID! type: String }}""",
    "b": f"""type Mutation {{ two(text: String): Payload }} {VALUE}
      type User @key(fields: "id") {{ id: ID! name: String }}""",
    "c": C,
}
MUTATIONS = {"one": payload, "two": payload, "three": lambda o: {"__typename": "Other", "n": 3, "user": USER}}


@pytest.mark.parametrize(
    ("query", "done"),
    [
        (
            """mutation {
              one(text: "a") { ok user { name greets } text } x: two(text: "b") { user { type name } text }
              three { n user { greets(loud: false) name } } y: one { user { id } }
            }""",
            ["a.one", "b.two", "a.three", "a.one"],
        ),
        (
            """mutation ($t: String) {
              a: two(text: $t) { text } b: one(text: $t) { text user { name } } c: two { text user { greets } }
            }""",
            ["b.two", "a.one", "b.two"],
        ),
        (
            """mutation { ... on Mutation { two { __typename } } ...F }
            fragment F on Mutation { one { user { name } } two { ok } }""",
            ["b.two", "a.one"],
        ),
    ],
)
def test_mutations_run_in_their_order_and_bring_what_others_know(query: str, done: list[str]) -> None:
    world = World({"user": USER}, [USER], MUTATIONS)
    check_agreement(world, query, {"t": "T"} if "$t" in query else {}, **DOING)
    assert world.log == done


@pytest.mark.parametrize(("x", "y", "z"), list(product((True, False), repeat=3)))
def test_a_mutation_is_done_once_where_it_is_first_included(x: bool, y: bool, z: bool) -> None:
    mentions = {
        "one @include(if: $x) @skip(if: $y) { ok user { name } }": ("a.one", x and not y),
        "two @skip(if: $z) { ok }": ("b.two", not z),
        "one @include(if: $y) { user { type greets } }": ("a.one", y),
        "three { n }": ("a.three", True),
        "one @skip(if: $z) { ok user { name } }": ("a.one", not z),
        "two { user { name } }": ("b.two", True),
    }
    world = World({"user": USER}, [USER], MUTATIONS)
    query = f"mutation ($x: Boolean!, $y: Boolean!, $z: Boolean!) {{ {' '.join(mentions)} }}"
    requests = check_agreement(world, query, {"x": x, "y": y, "z": z}, **DOING)
    assert world.log == list(dict.fromkeys(name for name, is_included in mentions.values() if is_included))
    assert len(set(requests)) == len(requests)


@pytest.mark.parametrize(
    "query",
    [
        """query ($i: In, $c: Color = RED, $l: [In!]) {
          echo(i: $i, c: $c, l: $l, s: "x") user { echo(i: {n: 1, inner: {c: $c}}) again: echo(i: $i) } }""",
        "query ($n: Int = 4) { user { echo(i: {n: $n}) } echo(l: [{n: $n}], s: {a: 1}) }",
    ],
)
def test_inputs_go_to_the_subgraph_that_knows_them(query: str) -> None:
    given: dict[str, Any] = {"i": {"n": 2, "inner": {"c": "GREEN", "n": 1}}, "l": [{"n": 3}]}
    inner = "enum Color { RED GREEN } input Inner { c: Color n: Int }"
    check_agreement(
        World({"user": USER, "echo": USER["echo"]}, [USER]),
        query,
        given if "$i" in query else {},
        a=f"""scalar Free {inner} input In {{ n: Int! inner: Inner a: Int }}
        type Query {{ echo(i: In, c: Color, l: [In!], s: Free): String user: User }}
        type User @key(fields: "id") {{ id: ID! }}""",
        b=f"""{inner} input In {{ n: Int! inner: Inner }}
        type User @key(fields: "id") {{ id: ID! echo(i: In): String }}""",
    )


def test_a_field_that_leads_back_to_the_root_is_followed() -> None:
    root: dict[str, Any] = {"__typename": "Query", "ping": "pong", "user": USER}
    root |= {"query": root, "viewer": {"__typename": "Viewer", "id": "v", "name": "V", "root": root}}
    check_agreement(
        World(root, [USER, root["viewer"]]),
        "{ query { ping user { name type } query { viewer { name root { ping user { type } } } } } }",
        a="""type Query { query: Query @shareable viewer: Viewer user: User }
        type Viewer @key(fields: "id") { id: ID! root: Query } type User @key(fields: "id") { id: ID! type: String }""",
        b="""type Query { ping: String } type Viewer @key(fields: "id") { id: ID! name: String }
        type User @key(fields: "id") { id: ID! name: String }""",
    )
