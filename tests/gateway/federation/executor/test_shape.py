"""Values that do not fit the schema become null for the client, with an error for each."""

import asyncio
from typing import Any

import pytest
from support.supergraphs import execute_operation, supergraph_of

from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.operation.document import Documents

SUPERGRAPH = supergraph_of(
    """
    scalar Anything
    type Query @join__type(graph: A) {
      s: String i: Int f: Float b: Boolean id: ID any: Anything must: String! names: [String!] grid: [[Int]]
      rows: [Row!]
    }
    type Row @join__type(graph: A) { s: String n: Int! }
    """,
    "a",
)


def errors_of(query: str, data: dict[str, Any]) -> list[tuple[list[str | int], str]]:
    """Returns the path and message of each error."""
    errors = execute_operation(SUPERGRAPH, query, {"a": [data]})[0].get("errors", [])
    assert all(error["extensions"] == {"code": "INVALID_SUBGRAPH_RESPONSE"} for error in errors)
    return [(error["path"], error["message"]) for error in errors]


def answered(query: str, data: dict[str, Any]) -> tuple[Any, list[str]]:
    answer, _ = execute_operation(SUPERGRAPH, query, {"a": [data]})
    return answer["data"], [message for _, message in errors_of(query, data)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("s", ""), ("i", -1), ("f", 1.5), ("f", 2), ("b", False), ("id", "7"), ("id", 7)],
        *[("any", {"free": [1]}), ("names", ["x"]), ("names", []), ("grid", [[1, None], None])],
        *[(name, None) for name in ("s", "i", "f", "b", "id", "any", "names", "grid")],
    ],
)
def test_what_fits_is_given_as_it_is(name: str, value: object) -> None:
    assert answered(f"{{ {name} }}", {name: value}) == ({name: value}, [])


@pytest.mark.parametrize(
    ("name", "value", "type_name"),
    [
        *[("s", {"a": 1}, "String"), ("s", ["a"], "String"), ("s", 1, "String"), ("s", True, "String")],
        *[("i", "1", "Int"), ("i", True, "Int"), ("i", 1.5, "Int"), ("i", {}, "Int")],
        *[("f", "1.5", "Float"), ("f", False, "Float"), ("b", 1, "Boolean"), ("b", "true", "Boolean")],
        *[("id", 1.5, "ID"), ("id", True, "ID"), ("id", {}, "ID")],
    ],
)
def test_a_scalar_of_another_kind_is_null_with_an_error(name: str, value: object, type_name: str) -> None:
    message = f"Query.{name} must be of type {type_name}, but the subgraph returned another value."
    assert answered(f"{{ other: {name} }}", {name: value}) == ({"other": None}, [message])


def test_a_whole_number_may_be_written_with_a_point() -> None:
    [value] = answered("{ i }", {"i": 3.0})[0].values()
    assert repr(value) == "3"


def test_where_null_may_not_be_its_holder_is_null() -> None:
    assert answered("{ must s }", {"must": {}, "s": "x"})[0] is None
    rows = [{"s": "x", "n": 1}, {"s": "y", "n": "2"}]
    assert answered("{ rows { s n } s }", {"rows": rows, "s": "z"})[0] == {"rows": None, "s": "z"}
    assert answered("{ names grid }", {"names": ["x", 1], "grid": [["1"], [2]]})[0] == {
        "names": None,
        "grid": [[None], [2]],
    }


def test_of_a_thousand_wrong_values_a_hundred_are_told_with_their_places() -> None:
    rows = {"rows": [{"s": number, "n": 1} for number in range(1000)]}
    assert answered("{ rows { s n } }", rows)[0] == {"rows": [{"s": None, "n": 1}] * 1000}
    message = "Row.s must be of type String, but the subgraph returned another value."
    assert errors_of("{ rows { text: s n } }", rows) == [(["rows", index, "text"], message) for index in range(100)]


NOT_NULL = "Cannot return null for non-nullable field "


@pytest.mark.parametrize(
    ("query", "data", "path", "message"),
    [
        ("{ m: must }", {"must": None}, ["m"], NOT_NULL + "Query.must."),
        ("{ must }", {}, ["must"], NOT_NULL + "Query.must."),
        ("{ rows { n } }", {"rows": [{"n": 1}, {"n": None}]}, ["rows", 1, "n"], NOT_NULL + "Row.n."),
        ("{ names }", {"names": ["x", None]}, ["names", 1], NOT_NULL + "Query.names."),
        ("{ rows { s } }", {"rows": ["x"]}, ["rows", 0], "The subgraph returned no object for the type Row."),
        (
            "{ rows { s } }",
            {"rows": {}},
            ["rows"],
            "Query.rows must be a list, but the subgraph returned another value.",
        ),
        (
            "{ g: grid }",
            {"grid": [[1], ["1"]]},
            ["g", 1, 0],
            "Query.grid must be of type Int, but the subgraph returned another value.",
        ),
    ],
)
def test_an_error_says_under_the_clients_names_where_it_is(
    query: str, data: dict[str, Any], path: list[str | int], message: str
) -> None:
    assert errors_of(query, data) == [(path, message)]


def test_an_error_about_an_object_is_told_at_each_of_its_places() -> None:
    keyed = supergraph_of(
        """
        type Query @join__type(graph: A) @join__type(graph: B) { rows: [Row] @join__field(graph: A) }
        type Row @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID! n: Int @join__field(graph: B)
        }
        """,
        "a",
        "b",
    )

    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
        if subgraph == "a":
            return {"data": {"rows": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}}
        paths = (["_entities", 0, "n"], ["_entities", -1], ["_entities", 9])
        errors = [{"message": "no", "path": path} for path in paths]
        return {"data": {"_entities": [{"n": None}, {"n": 2}]}, "errors": errors}

    checked = Documents(keyed.api_schema).check("{ rows { other: n } }")
    [operation] = checked.operations.values()
    engine = Engine(keyed, ask)
    prepared = engine.prepare(checked.document, operation, checked.fragments)
    answer = asyncio.run(engine.execute(prepared, {}, {}))
    assert answer["data"] == {"rows": [{"other": None}, {"other": 2}, {"other": None}]}
    told = [error["path"] for error in answer["errors"]]
    assert told == [["rows", 0, "other"], ["rows", 2, "other"], ["rows"], ["rows"]]
