"""The compiled executor gives what the reference executor gives: random operations, some documents corrupted."""

import copy
import gc
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from operations import Asked, Generator, Values
from portal import EVERYONE

import schema
from gateway.executor import reference
from gateway.executor.answer import answered
from gateway.executor.collect import Unsupported
from gateway.executor.run import Declined, Run
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.prepare import Operation, prepare
from resolvers import synthetic
from resolvers.context import RequestContext
from resolvers.store.database import Store
from resolvers.transition import secret_hash
from resolvers.viewer import Viewer

BUILT = schema.build()._schema
NOW = datetime(2026, 11, 24, 3, 4, 5, 678000, tzinfo=UTC)
OPERATIONS = int(os.environ.get("SATUGRAF_TEST_OPERATIONS", "1000"))
SEED = int(os.environ.get("SATUGRAF_TEST_SEED", "20261125"))
BATCHES = 10
SECRET = "rahasia"
NO_LIMIT = 10**9
OTHERS = (7, 2**40, 0.5, float("nan"), float("inf"), True, "x", {"x": 1}, NOW, ["x"], [None])

ContextOf = Callable[..., RequestContext]


def corrupted(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The document with one key missing, null, of another type, or no member of its enum."""
    broken = copy.deepcopy(document)
    place: Any = broken
    for _ in range(2):
        inner = [value for value in place.values() if isinstance(value, dict)]
        inner += [
            value[0] for value in place.values() if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
        if inner and chance.random() < 0.4:
            place = chance.choice(inner)
    key = chance.choice([key for key in place if key != "_id"])
    match chance.randint(0, 3):
        case 0:
            del place[key]
        case 1:
            place[key] = None
        case 2:
            # An index takes no document with two lists in its keys: those of complaints are broken in other ways.
            place[key] = chance.choice(OTHERS if place is not broken else OTHERS[:-2])
        case _:
            place[key] = "NO_SUCH_VALUE"
    return broken


async def fill(store: Store, chance: random.Random) -> Values:
    """Complaints, some of them and some of the register corrupted; gives what arguments are made of."""
    rows = list(synthetic.complaints(80, now=NOW, seed=chance.randint(0, 10**6)))
    rows = [row | {"secretHash": secret_hash(SECRET)} for row in rows]
    await store.complaints.insert_many([corrupted(row, chance) if chance.random() < 0.1 else row for row in rows])
    ids = [row["_id"] for row in rows]
    pools: dict[str, list[Any]] = {}
    for collection in (store.agencies, store.teams, store.regions, store.categories):
        found = await collection.find({}).to_list(None)
        pools[collection.name] = [row["_id"] for row in found]
        for row in chance.sample(found, len(found) // 100):
            await collection.replace_one({"_id": row["_id"]}, corrupted(row, chance))
    held = [row["holder"] for row in rows]
    some = [*ids[:20], *held[:20], *chance.sample(pools["teams"], 20), "kab-badung", "prov-bali", "51", "51.03", "x"]
    return {
        "chance": [0.2],
        "ID": [*some, *chance.sample(pools["regions"], 10), *chance.sample(pools["categories"], 10)],
        "code": [*chance.sample(pools["regions"], 10), *pools["categories"], "51"],
        "holder": held,
        "team": pools["teams"][:40],
        "region": ["51", "51.03", "32", "33.01"],
        "first": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 0, 101],
        "last": [1, 2, 5],
        "after": ["bm9uc2Vuc2U"],
        "before": ["bm9uc2Vuc2U"],
        "Int": [1, 2, 3, -1, 2**31 - 1],
        "Float": [0.5, -8.4, 1e300],
        "String": [SECRET, "Badung", "", "x"],
        "Boolean": [True, False],
        "DateTime": ["2026-11-02T10:00:00+08:00", "2026-01-01T00:00:00Z"],
        "Date": ["2026-11-24"],
    }


def prepared(documents: Documents, asked: Asked) -> Operation | None:
    """None for what is refused before it runs: both executors would never see it."""
    try:
        return prepare(documents, asked.text, asked.operation_name, asked.variables, NO_LIMIT)
    except InvalidDocument:
        return None


Told = dict[str, set[tuple[str, str]]]


def told(data: Any, errors: Any) -> Told:
    """Paths and messages, by the place in the data that became null for them."""
    places: Told = {}
    for error in errors or ():
        place, here = [], data
        for key in error.path or ():
            if here is None:
                break
            place.append(str(key))
            here = here[key]
        places.setdefault(str(place), set()).add((str(error.path), error.message))
    return places


def same(compiled: Told, expected: Told) -> bool:
    """Equal, but that where a null discards several failing fields those are told that were still first."""
    return compiled.keys() == expected.keys() and all(
        compiled[place] <= expected[place] or compiled[place] >= expected[place] for place in expected
    )


async def check(operation: Operation, asked: Asked, context: Callable[[], RequestContext]) -> bool:
    """Fails where the data differ; whether the errors are the same."""
    request = reference.Request(operation.prepared.checked.document, asked.operation_name, asked.variables)
    compiled = await answered(BUILT, operation.program, operation.variables, request, context())
    expected = await reference.executed(BUILT, request, context())
    assert orjson.dumps(compiled.data) == orjson.dumps(expected.data), asked
    told_by = told(compiled.data, compiled.errors), told(expected.data, expected.errors)
    assert told_by[0].keys() == told_by[1].keys(), (asked, *told_by)
    return same(*told_by)


async def outcome(operation: Operation, context: RequestContext) -> str:
    """How the program fared by itself."""
    if isinstance(operation.program, Unsupported):
        return operation.program.reason
    try:
        await operation.program.run(Run(context, operation.variables, operation.program.source))
    except Declined:
        return "declined"
    return "compiled"


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(7200)
# graphql-core lets go of what resolvers have begun below a null, wherever Python then happens to collect it.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_random_operations_are_answered_as_the_reference_executor_answers_them(
    register: Store, context_of: ContextOf, batch: int
) -> None:
    chance = random.Random(f"{SEED}/{batch}")
    generator = Generator(BUILT, await fill(register, chance), chance)
    outcomes: Counter[str] = Counter()
    raced = 0
    while outcomes.total() < OPERATIONS // BATCHES:
        asked = generator.operation()
        operation = prepared(Documents(BUILT), asked)
        if operation is None:
            continue
        viewer = chance.choice(EVERYONE)

        def context(viewer: Viewer = viewer) -> RequestContext:
            return context_of(viewer, NOW)

        raced += not await check(operation, asked, context)
        outcomes[await outcome(operation, context())] += 1
    # Two fields that fail below one null: graphql-core tells of the one that its reads brought first.
    assert raced <= 0.1 * outcomes.total()
    assert outcomes["compiled"] > 0.4 * outcomes.total(), outcomes
    gc.collect()  # here, where such coroutines are expected, and not in whichever test runs next
