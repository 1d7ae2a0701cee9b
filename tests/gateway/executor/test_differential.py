"""The compiled executor gives what the reference executor gives: random queries, some documents corrupted."""

import asyncio
import gc
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from support.differential import NOW, OPERATIONS, SEED, check_same, corrupted, forgiving, outcome, prepared
from support.operations import Asked, Generator, Values
from support.portal import EVERYONE

import schema
from gateway.executor.answer import execute_operation
from gateway.executor.reference import ReferenceRequest, execute_reference
from gateway.operation.document import Documents
from gateway.operation.prepare import BoundOperation
from resolvers.complaints.transition import hash_secret
from resolvers.demonstration import synthetic
from resolvers.documents import apply_changes
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import Collection, Store
from resolvers.store.reference_data import MAX_AGE_SECONDS, ReferenceData
from resolvers.viewer import Viewer

BUILT = schema.build()._schema
FORGIVING = forgiving(schema.build()._schema)
BATCHES = 10
SECRET = "rahasia"

ContextOf = Callable[..., RequestContext]


async def fill(store: Store, chance: random.Random, broken: float) -> Values:
    """Complaints, a part of them and some of the register corrupted; gives what arguments are made of."""
    rows = list(synthetic.generate_complaints(80, now=NOW, seed=chance.randint(0, 10**6)))
    rows = [apply_changes(row, {"secretHash": hash_secret(SECRET)}) for row in rows]
    await store.complaints.insert_many([corrupted(row, chance) if chance.random() < broken else row for row in rows])
    ids = [row["_id"] for row in rows]
    pools: dict[str, list[Any]] = {}
    collections: tuple[Collection[Any], ...] = (store.agencies, store.teams, store.regions, store.categories)
    for collection in collections:
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


async def check(operation: BoundOperation, asked: Asked, context: Callable[[], RequestContext]) -> None:
    request = ReferenceRequest(operation.compiled.document, asked.operation_name, asked.variables)
    compiled = await execute_operation(BUILT, operation.program, operation.variables, request, context())
    expected = await execute_reference(BUILT, request, context())
    await check_same(asked, compiled, expected, lambda: execute_reference(FORGIVING, request, context()))


async def asked_in(
    batch: int, register: Store, context_of: ContextOf
) -> AsyncGenerator[tuple[BoundOperation, Asked, Callable[[], RequestContext]], None]:
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
                made.loaders = Loaders(register, data if batch % 2 else None)
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
