"""A subgraph answers `_entities` wrongly: only its own fields are null."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from support.composing import compose_all_orders

from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.operation.document import Documents

Row = dict[str, Any]

A = 'type Query { all: [Item] one: Item } type Item @key(fields: "id") { id: ID name: String }'
B = 'type Item @key(fields: "id") { id: ID stock: Int maker: Maker } type Maker @key(fields: "id") { id: ID }'
C = 'type Maker @key(fields: "id") { id: ID label: String }'
ITEMS = [{"__typename": "Item", "id": str(number), "name": f"name {number}"} for number in range(3)]
MADE = compose_all_orders(A, B, C).supergraph


async def answered(query: str, of_b: Callable[[list[Row]], Any], items: Any = ITEMS) -> Row:
    """Returns the answer if `b` answers representations with the given function and `c` answers correctly."""
    assert MADE is not None

    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller) -> Row:
        if subgraph == "a":
            return deepcopy({"data": {"all": items, "one": items[0]}})
        rows = request.variables["r0"]
        if subgraph == "b":
            return {"data": {"_entities": of_b(rows)}}
        return {"data": {"_entities": [{"label": f"label {row['id']}"} for row in rows]}}

    documents = Documents(MADE.api_schema)
    checked = documents.check(query)
    [operation] = checked.operations.values()
    engine = Engine(MADE, ask)
    return await engine.execute(engine.prepare(checked.document, operation, checked.fragments), {}, {})


def truth(row: Row) -> Row:
    return {"__typename": "Item", "stock": int(row["id"]), "maker": {"__typename": "Maker", "id": f"m{row['id']}"}}


def stocks(answer: Row) -> list[Any]:
    return [row["stock"] for row in answer["data"]["all"]]


QUERY = "{ all { id name stock maker { label } } }"


@pytest.mark.parametrize(
    ("of_b", "expected"),
    [
        (lambda rows: [truth(row) for row in rows], [0, 1, 2]),
        (lambda rows: [truth(rows[0])], [0, None, None]),
        (lambda rows: [truth(row) for row in rows] + [{"stock": 99}] * 3, [0, 1, 2]),
        (lambda rows: [], [None] * 3),
        (lambda rows: None, [None] * 3),
        (lambda rows: {"0": truth(rows[0])}, [None] * 3),
        (lambda rows: "Item", [None] * 3),
        (lambda rows: [None, truth(rows[1]), None], [None, 1, None]),
        (lambda rows: [7, truth(rows[1]), "x"], [None, 1, None]),
        (lambda rows: [[truth(rows[0])], truth(rows[1]), {}], [None, 1, None]),
        (lambda rows: [{"stock": [1]}, {"stock": {"x": 1}}, truth(rows[2])], [None, None, 2]),
        (lambda rows: [{**truth(row), "maker": 5} for row in rows], [0, 1, 2]),
        (lambda rows: [{**truth(row), "maker": [{"id": "m"}]} for row in rows], [0, 1, 2]),
        (lambda rows: [{**truth(row), "maker": {"id": None}} for row in rows], [0, 1, 2]),
        (lambda rows: [{**truth(row), "maker": {"id": {"deep": 1}}} for row in rows], [0, 1, 2]),
    ],
)
async def test_rows_that_are_missing_too_many_or_of_another_shape(
    of_b: Callable[[list[Row]], Any], expected: list[int | None]
) -> None:
    answer = await answered(QUERY, of_b)
    assert stocks(answer) == expected
    assert [row["name"] for row in answer["data"]["all"]] == ["name 0", "name 1", "name 2"]


async def test_a_key_that_comes_back_otherwise_does_not_replace_the_one_that_was_asked() -> None:
    answer = await answered(QUERY, lambda rows: [{**truth(row), "id": "another", "name": "another"} for row in rows])
    assert [(row["id"], row["name"]) for row in answer["data"]["all"]] == [(str(n), f"name {n}") for n in range(3)]


async def test_an_entity_of_another_type_gives_no_more_than_the_fields_that_were_asked() -> None:
    answer = await answered(QUERY, lambda rows: [{**truth(row), "__typename": "Maker", "secret": "s"} for row in rows])
    assert stocks(answer) == [0, 1, 2]
    assert "secret" not in str(answer)


@pytest.mark.parametrize("item", [{"__typename": "Item", "id": None, "name": "n"}, {"name": "n"}, None, 7])
async def test_what_has_no_usable_key_is_asked_for_nowhere(item: Any) -> None:
    def never(rows: list[Row]) -> Any:
        raise AssertionError(rows)

    [found] = (await answered("{ all { name stock } }", never, [item]))["data"]["all"]
    assert found in (None, {"name": "n", "stock": None})
