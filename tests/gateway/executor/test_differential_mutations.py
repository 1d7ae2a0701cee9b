"""Random mutations over two copies of the same documents: equal answers, and equal documents afterwards."""

import asyncio
import gc
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import bson
import pytest
from graphql import ExecutionResult
from pymongo import MongoClient
from support.databases import Pool, make_state
from support.differential import NOW, OPERATIONS, SEED, check_same, corrupted, forgiving, prepared
from support.operations import Asked, Generator, Values
from support.portal import ADMIN, CITIZEN, COORDINATOR, EVERYONE, LIAISON, NATIONAL, UNIT
from support.states import HELD_BY_DESK, HELD_BY_PROVINCE, PROVINCE_TEAM, TEAM, in_status, register_of_bali

import schema
from gateway.executor.answer import execute_operation
from gateway.executor.reference import ReferenceRequest, execute_reference
from gateway.executor.run import Program
from gateway.operation.document import Documents
from gateway.operation.prepare import BoundOperation
from resolvers import key_ring
from resolvers.agencies import action_plan, team_changes
from resolvers.audit_log import audit_trail
from resolvers.complaints import forwarding, intake
from resolvers.complaints.transition import hash_secret, list_allowed_actions
from resolvers.domain import tracking_id
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store import indexes
from resolvers.store.database import Document, Store, connect
from resolvers.vault import vault
from resolvers.viewer import Viewer

BUILT = schema.build()._schema
FORGIVING = forgiving(schema.build()._schema)
MUTATIONS = list(BUILT.mutation_type.fields) if BUILT.mutation_type else []
BATCHES = 5
PER_WORLD = 15
SECRET = "rahasia"
WHO = (*EVERYONE, ADMIN, ADMIN, CITIZEN, CITIZEN, NATIONAL, COORDINATOR, LIAISON)
WRITTEN = ("complaints", "agencies", "teams", "action_plans", "reporters", "reporter_keys", "audit", "identity_reads")
OF_EVERYBODY = ["submitComplaint", "createTeam", "createActionPlan", "updateAgency", "addTeamMember", "addFollowUp"]

ContextOf = Callable[..., RequestContext]
Everything = dict[str, list[Document]]


@pytest.fixture(scope="module")
def bali_databases(mongo: MongoClient[Any], mongodb_uri: str, run_name: str) -> Iterator[Pool]:
    """Databases with what of the register the complaints touch, and all indexes."""
    name = f"{run_name}_bali_seed"

    async def fill() -> None:
        store = connect(mongodb_uri, name)
        await register_of_bali(store)
        await indexes.create(store)
        store.close()

    # The test itself puts back what it wrote, so none needs to rest.
    pool = Pool(mongo, f"{run_name}_bali", make_state(mongo, name, lambda: asyncio.run(fill())), rest=0)
    yield pool
    pool.close()


@pytest.fixture
async def copies(mongodb_uri: str, bali_databases: Pool) -> AsyncIterator[list[Store]]:
    """Three databases: one for each executor, and one for the contract that tells all errors."""
    with ExitStack() as lent:
        opened = [connect(mongodb_uri, lent.enter_context(bali_databases.lend())) for _ in range(3)]
        yield opened
        for each in opened:
            each.close()


@pytest.fixture
def chance_of_writes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Seeds what ids, keys and salts are made of: who is given the same seed writes the same bytes."""
    seeded = random.Random()
    made = SimpleNamespace(token_bytes=seeded.randbytes, token_hex=lambda size: seeded.randbytes(size).hex())
    monkeypatch.setattr(audit_trail, "_NUMBERS", seeded)
    for module in (action_plan, forwarding, intake, key_ring, team_changes, vault):
        monkeypatch.setattr(module, "secrets", made)
    return seeded.seed


def complaints(chance: random.Random, broken: float) -> list[Any]:
    rows = []
    for status in ComplaintStatus:
        for _ in range(2):
            given: Document = {"confidential": chance.random() < 0.2, **chance.choice([{}, {}, HELD_BY_PROVINCE])}
            if status is ComplaintStatus.SUBMITTED and chance.random() < 0.5:
                given = {**HELD_BY_DESK, "takenInBy": None}
            own_id = tracking_id.make_id("LP", chance.randbytes(16))
            rows.append(in_status(status, _id=own_id, secretHash=hash_secret(SECRET), **given))
    return [corrupted(row, chance) if chance.random() < broken else row for row in rows]


def values(chance: random.Random, rows: list[Document], teams: list[Document]) -> Values:
    ids = [row["_id"] for row in rows]
    words = [
        "Kami kirim keterangan tambahan tentang lubang di depan pasar.",
        "Hubungi Wayan Sudira, 0812-3456-7890",
        "",
    ]
    days = ["2026-11-24", "2026-11-25", "2026-12-01", "2026-12-20", "2027-06-30", "2020-01-01"]
    keys = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(4)]
    agencies = ["kab-badung", "kab-gianyar", "prov-bali", "kab-sleman", "kemenpanrb", "nowhere"]
    return {
        "chance": [0.2],
        "ID": [*ids, *agencies, TEAM, "51.03", "x"],
        "complaint": ids,
        "into": ids,
        "followUp": [f"{each}/1" for each in ids],
        "team": [TEAM, PROVINCE_TEAM, "x"],
        "supersedes": [TEAM, "x"],
        "member": [member["id"] for team in teams for member in team["members"]][:20],
        "liaison": [member["id"] for team in teams for member in team["members"]][:20],
        "unit": [UNIT, "kab-badung/x"],
        "region": ["51.03", "51", "34.04", "x"],
        "category": ["ROAD.POTHOLE", "SAFETY.CHILD", "x"],
        **dict.fromkeys(("agency", "holder", "to", "suggested", "namedAgency", "supporting"), agencies),
        "secret": [SECRET, "x"],
        "idempotencyKey": [*keys, "x"],
        "expectedRevision": [1, 1, 1, 2, 3, 0],
        "stars": [1, 5, 6],
        "first": [1, 2, 10, 101],
        "Int": [1, 2, -1],
        "Float": [0.5, 1.0, -8.4],
        "String": words,
        "Boolean": [True, False],
        "DateTime": ["2026-11-02T10:00:00+08:00"],
        "Date": days,
        "last": [2],
        "after": ["bm9uc2Vuc2U"],
        "before": ["bm9uc2Vuc2U"],
        "code": ["51.03", "ROAD"],
    }


async def everything(store: Store) -> Everything:
    found: Everything = {}
    for name in WRITTEN:
        found[name] = await store.database[name].find({}).sort("_id").to_list(None)
    # A list that is completed anew may have the same reading on record twice, each under a name of its own.
    readings = {bson.encode(row | {"_id": None}): row | {"_id": None} for row in found["identity_reads"]}
    found["identity_reads"] = [readings[key] for key in sorted(readings)]
    return found


async def put_back(store: Store, documents: Everything) -> None:
    for name, rows in documents.items():
        await store.database[name].delete_many({})
        if rows and name != "identity_reads":
            await store.database[name].insert_many([dict(row) for row in rows])


def bytes_of(documents: Everything) -> dict[str, list[bytes]]:
    return {name: [bson.encode(row) for row in rows] for name, rows in documents.items()}


@dataclass
class World:
    """The same documents twice, what random operations on them are made of, and what became of those."""

    copies: list[Store]
    context_of: ContextOf
    seed: Callable[[int], None]
    chance: random.Random
    untouched: Everything
    """The register."""
    documents: Everything = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    async def begin(self, broken: float) -> Generator:
        rows = complaints(self.chance, broken)
        for store in self.copies[:2]:
            await put_back(store, self.untouched | {"complaints": rows})
        self.documents = await everything(self.copies[0])
        return Generator(BUILT, values(self.chance, rows, self.documents["teams"]), self.chance, root="mutation")

    def context(self, viewer: Viewer, store: Store) -> RequestContext:
        return replace(self.context_of(viewer, NOW), store=store, loaders=Loaders(store))

    def aim(self, generator: Generator, viewer: Viewer) -> None:
        """Points the generator at a few complaints, and at what the viewer may do with them."""
        rows = self.chance.sample(self.documents["complaints"], 2)
        generator.values["complaint"] = [row["_id"] for row in rows]
        names = [name for row in rows for name in self.possible(viewer, row)]
        generator.favoured["Mutation"] = names * 3 + OF_EVERYBODY

    def possible(self, viewer: Viewer, row: Any) -> list[str]:
        try:
            actions = list_allowed_actions(self.context_of(viewer, NOW), row)
        except (KeyError, TypeError, ValueError, AttributeError):
            return []  # it is broken
        return [
            name
            for name in MUTATIONS
            if any(all(word in name.lower() for word in action.lower().split("_")) for action in actions)
        ]

    async def check(self, operation: BoundOperation, asked: Asked, viewer: Viewer) -> None:
        request = ReferenceRequest(operation.compiled.document, asked.operation_name, asked.variables)
        one, other, third = self.copies
        chance = self.chance.getrandbits(64)
        self.seed(chance)
        context = self.context(viewer, one)
        compiled = await execute_operation(BUILT, operation.program, operation.variables, request, context)
        self.seed(chance)
        expected = await execute_reference(BUILT, request, self.context(viewer, other))

        async def whole() -> ExecutionResult:
            await put_back(third, self.documents)
            self.seed(chance)
            return await execute_reference(FORGIVING, request, self.context(viewer, third))

        await check_same((viewer, asked), compiled, expected, whole)
        found, wanted = await everything(one), await everything(other)
        assert bytes_of(found) == bytes_of(wanted), (viewer, asked)
        self.outcomes["asked"] += 1
        self.outcomes["compiled"] += isinstance(operation.program, Program)
        self.outcomes["written"] += bytes_of(found) != bytes_of(self.documents)
        self.outcomes["failed"] += bool(compiled.errors)
        self.outcomes["refused"] += "'userErrors': [{" in str(compiled.data)
        self.documents = found


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(7200)
# graphql-core lets go of what resolvers have begun below a null, wherever Python then happens to collect it.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_random_mutations_answer_and_write_as_the_reference_executors_do(
    copies: list[Store], context_of: ContextOf, chance_of_writes: Callable[[int], None], batch: int
) -> None:
    """A fifth as many as queries, each operation with some mutations in series."""
    chance, documents = random.Random(f"{SEED}/mutations/{batch}"), Documents(BUILT)
    world = World(copies, context_of, chance_of_writes, chance, await everything(copies[0]))
    wanted = OPERATIONS // BATCHES // 5
    while world.outcomes["asked"] < wanted:
        generator = await world.begin((0.0, 0.15, 0.4)[batch % 3])
        for _ in range(PER_WORLD):
            viewer = chance.choice(WHO)
            world.aim(generator, viewer)
            asked = generator.operation()
            operation = prepared(documents, asked)
            if operation is not None:
                await world.check(operation, asked, viewer)
    gc.collect()  # here, where such coroutines are expected, and not in whichever test runs next
    assert world.outcomes["compiled"] > 0.8 * wanted, world.outcomes
    assert world.outcomes["written"] > 0.05 * wanted, world.outcomes
    assert world.outcomes["refused"] > 0.2 * wanted, world.outcomes
