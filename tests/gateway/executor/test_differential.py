"""The compiled executor gives what the reference executor gives: random operations, some documents corrupted."""

import asyncio
import copy
import gc
import os
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
)
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
from resolvers.loaders import loaders
from resolvers.store.database import Store
from resolvers.store.reference_data import MAX_AGE_SECONDS, ReferenceData
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


async def fill(store: Store, chance: random.Random, broken: float) -> Values:
    """Complaints, a part of them and some of the register corrupted; gives what arguments are made of."""
    rows = list(synthetic.complaints(80, now=NOW, seed=chance.randint(0, 10**6)))
    rows = [row | {"secretHash": secret_hash(SECRET)} for row in rows]
    await store.complaints.insert_many([corrupted(row, chance) if chance.random() < broken else row for row in rows])
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


def told(data: Any, errors: Sequence[GraphQLError]) -> Told:
    """Paths and messages, by the place in the data that became null for them."""
    places: Told = {}
    for error in errors:
        place, here = [], data
        for key in error.path or ():
            if here is None:
                break
            place.append(str(key))
            here = here[key]
        places.setdefault(str(place), set()).add((str(error.path), error.message))
    return places


def without_non_null(output: Any) -> Any:
    if isinstance(output, GraphQLNonNull):
        return without_non_null(output.of_type)
    return GraphQLList(without_non_null(output.of_type)) if isinstance(output, GraphQLList) else output


def forgiving() -> GraphQLSchema:
    """The contract with every output nullable: no error hides another."""
    built = schema.build()._schema
    for named in built.type_map.values():
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for declared in named.fields.values():
                declared.type = without_non_null(declared.type)
    return built


FORGIVING = forgiving()


def untrue(errors: Sequence[GraphQLError], whole: ExecutionResult) -> list[GraphQLError]:
    """The errors that are not there when all of them are told, and those of nulls where there is a value."""
    known = {(str(error.path), error.message) for error in whole.errors or ()}
    failed = {path for path, _ in known}

    def is_true(error: GraphQLError) -> bool:
        if not error.message.startswith("Cannot return null for non-nullable field"):
            return (str(error.path), error.message) in known
        here: Any = whole.data
        for key in error.path or ():
            here = here[key]
        return here is None and str(error.path) not in failed

    return [error for error in errors if not is_true(error)]


async def check(operation: Operation, asked: Asked, context: Callable[[], RequestContext]) -> None:
    """Data are equal byte for byte, and so are the places of nulls that have errors, and errors where each has one.

    Of several that fail below one null, the specification lets an executor tell any: the reference tells those which
    its reads brought first, another one each time. Each that is told must be among all that there are.
    """
    request = reference.Request(operation.prepared.checked.document, asked.operation_name, asked.variables)
    compiled = await answered(BUILT, operation.program, operation.variables, request, context())
    expected = await reference.executed(BUILT, request, context())
    assert orjson.dumps(compiled.data) == orjson.dumps(expected.data), asked
    found, wanted = told(compiled.data, compiled.errors), told(expected.data, expected.errors or ())
    assert found.keys() == wanted.keys(), (asked, found, wanted)
    if found != wanted:
        whole = await reference.executed(FORGIVING, request, context())
        assert untrue(compiled.errors, whole) == [], (asked, found, wanted)


async def outcome(operation: Operation, context: RequestContext) -> str:
    """How the program fared by itself."""
    if isinstance(operation.program, Unsupported):
        return operation.program.reason
    try:
        await operation.program.run(Run(context, operation.variables, operation.program.source))
    except Declined:
        return "declined"
    return "compiled"


async def asked_in(
    batch: int, register: Store, context_of: ContextOf
) -> AsyncGenerator[tuple[Operation, Asked, Callable[[], RequestContext]], None]:
    """The batch's operations, each with what makes its asker's contexts; every second batch reads from the process."""
    chance = random.Random(f"{SEED}/{batch}")
    generator = Generator(BUILT, await fill(register, chance, (0.1, 0.35, 0.6)[batch % 3]), chance)
    async with held(register) as data:
        made = 0
        while made < OPERATIONS // BATCHES:
            asked = generator.operation()
            operation = prepared(Documents(BUILT), asked)
            if operation is None:
                continue
            made += 1
            viewer = chance.choice(EVERYONE)

            def context(viewer: Viewer = viewer) -> RequestContext:
                made = context_of(viewer, NOW)
                made.loaders = loaders(register, data if batch % 2 else None)
                return made

            yield operation, asked, context


@asynccontextmanager
async def held(store: Store) -> AsyncIterator[ReferenceData]:
    data = ReferenceData()
    following = asyncio.create_task(data.follow(store))
    try:
        async with asyncio.timeout(60):
            while data.age_seconds() > MAX_AGE_SECONDS:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
        yield data
    finally:
        following.cancel()
        await asyncio.wait([following])


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(7200)
# graphql-core lets go of what resolvers have begun below a null, wherever Python then happens to collect it.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_random_operations_are_answered_as_the_reference_executor_answers_them(
    register: Store, context_of: ContextOf, batch: int
) -> None:
    async with aclosing(asked_in(batch, register, context_of)) as operations:
        async for operation, asked, context in operations:
            await check(operation, asked, context)
    gc.collect()  # here, where such coroutines are expected, and not in whichever test runs next


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(7200)
async def test_programs_await_all_that_they_begin_and_mostly_answer_by_themselves(
    register: Store, context_of: ContextOf, batch: int
) -> None:
    """By themselves: what the reference executor leaves behind is not in the way of a warning of ours."""
    outcomes: Counter[str] = Counter()
    async with aclosing(asked_in(batch, register, context_of)) as operations:
        async for operation, _, context in operations:
            outcomes[await outcome(operation, context())] += 1
    gc.collect()
    assert outcomes["compiled"] > (0.4, 0.2, 0.1)[batch % 3] * outcomes.total(), outcomes
