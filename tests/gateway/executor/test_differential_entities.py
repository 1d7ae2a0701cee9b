"""Random entities as other routers ask for them: batched, absent, wrongly named, not the asker's, some corrupted."""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from support.commands import Commands
from support.differential import NOW, OPERATIONS, SEED, check_same, corrupted, forgiving, outcome, prepared
from support.examples import a_complaint
from support.operations import Asked, Generator, Values
from support.portal import EVERYONE, OTHER_ADMIN, SUBGRAPH
from support.states import TEAM, in_status

import schema
from gateway.executor.answer import execute_operation
from gateway.executor.reference import ReferenceRequest, execute_reference
from gateway.executor.run import Program
from gateway.operation.document import Documents
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import Document, Store, connect

TYPES = ["KabBadungLocalCase"]
BUILT = schema.build_subgraph(TYPES)._schema
FORGIVING = forgiving(schema.build_subgraph(TYPES)._schema)
BROKEN = (0.0, 0.2, 0.5)

ContextOf = Callable[..., RequestContext]


async def complaints(store: Store, chance: random.Random, broken: float) -> list[str]:
    rows = [in_status(status, confidential=chance.random() < 0.3) for status in ComplaintStatus for _ in range(2)]
    await store.complaints.insert_many([corrupted(row, chance) if chance.random() < broken else row for row in rows])
    return [row["_id"] for row in rows]


def representation(chance: random.Random, keys: dict[str, tuple[str, list[str]]]) -> Any:
    """Mostly one of an entity that there is; else one with another key, type or shape."""
    type_name = chance.choice(list(keys))
    key_field, known = keys[type_name]
    key: Any = chance.choice([*known, *known, "x"])
    if chance.random() < 0.7:
        return {"__typename": type_name, key_field: key} | ({"title": "mine"} if chance.random() < 0.1 else {})
    return chance.choice(
        [
            {"__typename": chance.choice(list(keys)), key_field: key},
            {"__typename": "Nothing", "id": key},
            {"__typename": chance.choice(["Node", "Query", "KabBadungLocalCase"]), "id": key},
            {"__typename": type_name, key_field: chance.choice([5, None, ["x"], {"$ne": None}])},
            {"__typename": type_name},
            {"__typename": [type_name], key_field: key},
            {key_field: key},
            key,
            7,
            [],
        ]
    )


def values(chance: random.Random, ids: list[str]) -> Values:
    keys = {
        "Complaint": ("id", ids),
        "Agency": ("id", ["kab-badung", "prov-bali", "kemenpanrb"]),
        "Category": ("code", ["ROAD.POTHOLE", "ROAD"]),
        "Region": ("code", ["51.03", "51"]),
        "Team": ("id", [TEAM]),
    }
    return {
        "chance": [0.05],
        "_Any": [representation(chance, keys) for _ in range(200)],
        "ID": ["kab-badung", *ids[:5]],
        "code": ["51"],
        "first": [1, 2, 5, 0],
        "last": [1, 2],
        "after": ["bm9uc2Vuc2U"],
        "before": ["bm9uc2Vuc2U"],
        "Int": [1, -1],
        "Float": [0.5],
        "String": ["x", ""],
        "Boolean": [True, False],
        "DateTime": ["2026-11-02T10:00:00+08:00"],
        "Date": ["2026-11-24"],
    }


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.timeout(7200)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_random_entities_are_answered_as_the_reference_executor_answers_them(
    register: Store, context_of: ContextOf, broken: float
) -> None:
    chance, documents = random.Random(f"{SEED}/entities/{broken}"), Documents(BUILT)
    generator = Generator(BUILT, values(chance, await complaints(register, chance, broken)), chance)
    generator.favoured["Query"], generator.favours = ["_entities"], 1.0
    outcomes: Counter[str] = Counter()
    while outcomes.total() < OPERATIONS // 5 // len(BROKEN):
        asked = generator.operation()
        operation = prepared(documents, asked) if "_entities" in asked.text else None
        if operation is None:
            continue
        viewer = chance.choice(EVERYONE)
        request = ReferenceRequest(operation.compiled.document, asked.operation_name, asked.variables)
        found = await execute_operation(BUILT, operation.program, operation.variables, request, context_of(viewer, NOW))
        expected = await execute_reference(BUILT, request, context_of(viewer, NOW))
        whole = partial(execute_reference, FORGIVING, request, context_of(viewer, NOW))
        await check_same((viewer, asked), found, expected, whole)
        outcomes[await outcome(operation, context_of(viewer, NOW))] += 1
    assert outcomes["compiled"] > (0.2 if broken else 0.6) * outcomes.total(), outcomes


ASKED = """query ($of: [_Any!]!) { _entities(representations: $of) { __typename
  ... on Complaint { id title holder { id } } ... on Agency { id name } } }"""


async def asked(context: RequestContext, of: list[Any]) -> list[Document | None]:
    operation = prepared(Documents(BUILT), Asked(ASKED, None, {"of": of}))
    assert operation is not None
    assert isinstance(operation.program, Program)
    request = ReferenceRequest(operation.compiled.document, None, {"of": of})
    found = await execute_operation(BUILT, operation.program, operation.variables, request, context)
    assert found.errors == ()
    assert found.data is not None
    entities: list[Document | None] = found.data["_entities"]
    return entities


async def test_compiled_entities_of_a_type_are_read_in_one_command(
    register: Store, context_of: ContextOf, mongodb_uri: str
) -> None:
    rows = [a_complaint() for _ in range(30)]
    await register.complaints.insert_many(rows)
    commands, context = Commands(), context_of(SUBGRAPH, NOW)
    watched = connect(mongodb_uri, register.database.name, event_listeners=[commands])
    context.store, context.loaders = watched, Loaders(watched)
    try:
        found = await asked(context, [{"__typename": "Complaint", "id": row["_id"]} for row in rows])
    finally:
        watched.close()
    assert [row and row["id"] for row in found] == [row["_id"] for row in rows]
    sent = [command["find"] for command in commands.sent if "find" in command]
    assert sent == ["complaints", "agencies"]


async def test_compiled_entities_are_those_that_the_asker_may_know_of(register: Store, context_of: ContextOf) -> None:
    hidden, shown = a_complaint(confidential=True), a_complaint()
    await register.complaints.insert_many([hidden, shown])
    of = [{"__typename": "Complaint", "id": row["_id"]} for row in (hidden, shown)]
    found = await asked(context_of(OTHER_ADMIN, NOW), [*of, {"__typename": "Complaint", "id": "LP-NONE"}])
    assert [row and row["title"] for row in found] == [None, "Jalan berlubang", None]
