"""`@context` and `@fromContext`: arguments whose values come from the objects above."""

import orjson
import pytest
from support.served_subgraphs import Resolvers, Row, ServedSubgraph, ask_subgraphs

from gateway.federation.executor.run import MAX_CONTEXTS

KIDS = 'type Kid @key(fields: "id") { id: ID! grown(by: %s @fromContext(field: "%s")): String next: Kid%s }'
ROWS: dict[str, list[Row]] = {"Kid": [{"id": "k1", "next": {"id": "k2"}}, {"id": "k2", "next": None}]}


def family(
    user: str, argument: str, selection: str, users: list[Row], more: str = "", **rows: list[Row]
) -> ServedSubgraph:
    """A subgraph whose users have kids; `Kid.grown` gets a value of its user as an argument."""
    sdl = "type Query { users: [User!]! } " + user + KIDS % (argument, selection, more)
    known = {"Kid": ROWS["Kid"], **rows}
    resolvers: Resolvers = {
        "Query.users": lambda _: users,
        "Kid.grown": lambda kid, by=None: f"{kid['id']} by {orjson.dumps(by).decode()}",
    }
    return ServedSubgraph(sdl, resolvers, known)


USER = 'type User @key(fields: "id") @context(name: "user") { id: ID! name: String! kids: [Kid!]! } '


def test_objects_take_from_the_object_above_them_each_its_own() -> None:
    users = [
        {"id": "1", "name": "Ayu", "kids": [{"id": "k1"}, {"id": "k2"}]},
        {"id": "2", "name": "Budi", "kids": [{"id": "k1"}]},
        {"id": "3", "name": "Ayu", "kids": [{"id": "k2"}]},
    ]
    answer, requests = ask_subgraphs("{ users { kids { grown } } }", a=family(USER, "String!", "$user { name }", users))
    assert answer == {
        "data": {
            "users": [
                {"kids": [{"grown": 'k1 by "Ayu"'}, {"grown": 'k2 by "Ayu"'}]},
                {"kids": [{"grown": 'k1 by "Budi"'}]},
                {"kids": [{"grown": 'k2 by "Ayu"'}]},
            ]
        }
    }
    assert requests == [
        "a: query { users { name kids { id } } }",
        "a: query($r0: [_Any!]!, $r0_0: String!, $r1: [_Any!]!, $r1_0: String!) { "
        "_0: _entities(representations: $r0) { ... on Kid { grown(by: $r0_0) } } "
        "_1: _entities(representations: $r1) { ... on Kid { grown(by: $r1_0) } } }",
    ]


def test_many_different_values_are_asked_about_in_several_requests() -> None:
    users = [{"id": str(n), "name": f"n{n}", "kids": [{"id": "k1"}]} for n in range(MAX_CONTEXTS + 1)]
    answer, requests = ask_subgraphs("{ users { kids { grown } } }", a=family(USER, "String!", "$user { name }", users))
    assert answer["data"]["users"] == [{"kids": [{"grown": f'k1 by "n{n}"'}]} for n in range(MAX_CONTEXTS + 1)]
    assert len(requests) == 3


def test_the_value_may_be_known_elsewhere() -> None:
    user = USER.replace("name: String!", "name: String! @external")
    a = family(user, "String!", "$user { name }", [{"id": "1", "kids": [{"id": "k1"}]}])
    b = ServedSubgraph(
        'type User @key(fields: "id") { id: ID! name: String! }', {}, {"User": [{"id": "1", "name": "Ayu"}]}
    )
    answer, requests = ask_subgraphs("{ users { kids { grown } } }", a=a, b=b)
    assert answer == {"data": {"users": [{"kids": [{"grown": 'k1 by "Ayu"'}]}]}}
    assert [request.split(":")[0] for request in requests] == ["a", "b", "a"]


def test_the_nearest_object_above_counts_and_the_objects_own_type_does_not() -> None:
    sdl = USER + 'extend type Kid @context(name: "user") { name: String! } '
    users = [{"id": "1", "name": "Ayu", "kids": [{"id": "k1", "name": "K", "next": {"id": "k2", "name": "L"}}]}]
    a = family(sdl, "String!", "$user { name }", users)
    answer, _ = ask_subgraphs("{ users { kids { grown next { grown } } } }", a=a)
    assert answer["data"]["users"] == [{"kids": [{"grown": 'k1 by "Ayu"', "next": {"grown": 'k2 by "K"'}}]}]


@pytest.mark.parametrize(
    ("fields", "selection", "row", "by"),
    [
        ("home: Home! } type Home { city: String ", "$user { home { city } }", {"home": {"city": "Ubud"}}, '"Ubud"'),
        ("names: [String] ", "$user { names }", {"names": ["a", None]}, '["a",null]'),
        ("boxes: [Box] } type Box { n: Int ", "$user { boxes { n } }", {"boxes": [{"n": 1}, None]}, "[1,null]"),
    ],
)
def test_what_is_taken_may_stand_further_in_or_be_a_list(fields: str, selection: str, row: Row, by: str) -> None:
    argument = {"home": "String", "names": "[String]", "boxes": "[Int]"}[next(iter(row))]
    user = 'type User @key(fields: "id") @context(name: "user") { id: ID! kids: [Kid!]! ' + fields + "} "
    a = family(user, argument, selection, [{"id": "1", "kids": [{"id": "k1"}], **row}])
    answer, _ = ask_subgraphs("{ users { kids { grown } } }", a=a)
    assert answer == {"data": {"users": [{"kids": [{"grown": f"k1 by {by}"}]}]}}


MEMBERS = """interface User @context(name: "user") { id: ID! kids: [Kid!]! }
type Child implements User @key(fields: "id") { id: ID! age: Int kids: [Kid!]! }
type Parent implements User @key(fields: "id") { id: ID! name: String kids: [Kid!]! } """


def test_each_type_says_by_what_it_gives_a_context() -> None:
    users: list[Row] = [
        {"__typename": "Child", "id": "1", "age": 7, "kids": [{"id": "k1"}]},
        {"__typename": "Parent", "id": "2", "name": "8", "kids": [{"id": "k2"}]},
    ]
    sdl = MEMBERS.replace("age: Int", "age: String")
    a = family(sdl, "String", "$user ... on Child { age } ... on Parent { name }", users)
    a.resolvers = {**a.resolvers, "Child.age": lambda row: str(row["age"])}
    answer, _ = ask_subgraphs("{ users { kids { grown } ... on Child { id } } }", a=a)
    assert answer["data"]["users"] == [
        {"id": "1", "kids": [{"grown": 'k1 by "7"'}]},
        {"kids": [{"grown": 'k2 by "8"'}]},
    ]


def test_an_object_of_a_type_that_sets_none_leaves_it_to_the_one_above() -> None:
    sdl = """type Query { town: Town } union Home = House | Boat
    type Town @context(name: "place") { name: String homes: [Home] }
    type House @context(name: "place") { name: String kid: Kid }
    type Boat { length: Int kid: Kid } """
    town = {
        "name": "Ubud",
        "homes": [
            {"__typename": "House", "name": "Puri", "kid": {"id": "k1"}},
            {"__typename": "Boat", "length": 3, "kid": {"id": "k1"}},
        ],
    }
    resolvers: Resolvers = {"Query.town": lambda _: town, "Kid.grown": lambda kid, by: f"{kid['id']} by {by}"}
    a = ServedSubgraph(sdl + KIDS % ("String", "$place { name }", ""), resolvers, ROWS)
    answer, _ = ask_subgraphs(
        "{ town { homes { ... on House { kid { grown } } ... on Boat { kid { grown } } } } }", a=a
    )
    assert answer == {"data": {"town": {"homes": [{"kid": {"grown": "k1 by Puri"}}, {"kid": {"grown": "k1 by Ubud"}}]}}}


def test_the_root_of_a_query_can_set_a_context() -> None:
    sdl = 'type Query @context(name: "now") { day: String kid: Kid } ' + KIDS % ("String", "$now { day }", "")
    resolvers = {"Query.day": lambda _: "Monday", "Query.kid": lambda _: {"id": "k1"}}
    a = ServedSubgraph(sdl, resolvers | {"Kid.grown": lambda kid, by: f"{kid['id']} by {by}"}, ROWS)
    answer, _ = ask_subgraphs("{ kid { grown } }", a=a)
    assert answer == {"data": {"kid": {"grown": "k1 by Monday"}}}


@pytest.mark.parametrize(("argument", "grown"), [("String", "k1 by null"), ("String!", None)])
def test_null_is_given_only_where_it_may_be(argument: str, grown: str | None) -> None:
    user = USER.replace("name: String!", "name: %s" % ("String" if argument == "String" else "String!"))
    a = family(user, argument, "$user { name }", [{"id": "1", "name": None, "kids": [{"id": "k1"}]}])
    a.resolvers = {**a.resolvers, "User.name": lambda _: None}
    answer, requests = ask_subgraphs("{ users { kids { grown } } }", a=a)
    if argument == "String":
        assert answer == {"data": {"users": [{"kids": [{"grown": grown}]}]}}
    else:
        assert answer["errors"], "the subgraph has broken its own word"
        assert len(requests) == 1


def test_a_required_field_takes_from_its_context_too() -> None:
    user = USER.replace("kids", "toys: [Toy!]! kids") + 'type Toy @key(fields: "id") { id: ID! of: Kid }'
    a = family(user, "String!", "$user { name }", [{"id": "1", "name": "Ayu", "toys": [{"id": "t"}], "kids": []}])
    a.resolvers = {**a.resolvers, "Toy.of": lambda _: {"id": "k2"}}
    b = ServedSubgraph(
        'type Toy @key(fields: "id") { id: ID! of: Kid @external label: String @requires(fields: "of { grown }") } '
        "type Kid { grown: String @external }",
        {"Toy.label": lambda toy: f"of {toy['of']['grown']}"},
        {"Toy": [{"id": "t"}]},
    )
    answer, _ = ask_subgraphs("{ users { toys { label } } }", a=a, b=b)
    assert answer == {"data": {"users": [{"toys": [{"label": 'of k2 by "Ayu"'}]}]}}


def test_what_the_caller_may_not_have_is_not_told_to_a_subgraph_either() -> None:
    user = USER.replace("name: String!", "name: String! @authenticated")
    users = [{"id": "1", "name": "Ayu", "kids": [{"id": "k1"}]}]
    a = family(user, "String!", "$user { name }", users)
    a.sdl = a.sdl.replace("): String next", "): String @authenticated next")
    answer, requests = ask_subgraphs("{ users { kids { id grown } } }", a=a)
    assert answer["data"] == {"users": [{"kids": [{"id": "k1", "grown": None}]}]}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert requests == ["a: query { users { kids { id } } }"]


def test_a_field_under_a_condition_asks_for_its_context_under_the_same() -> None:
    a = family(USER, "String!", "$user { name }", [{"id": "1", "name": "Ayu", "kids": [{"id": "k1"}]}])
    text = "query($all: Boolean = false) { users { kids { id grown @include(if: $all) } } }"
    answer, requests = ask_subgraphs(text, a=a)
    assert answer == {"data": {"users": [{"kids": [{"id": "k1"}]}]}}
    [request] = requests
    assert "name @include(if: $all)" in request
