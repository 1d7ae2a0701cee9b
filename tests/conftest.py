"""A real mongod for the run, a clean database for each test, and the gateway over it."""

import asyncio
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from support.databases import Pool, make_state
from support.portal import DEVELOPMENT_KEY, Portal
from support.served_gateway import serving

from gateway.mongod import run_embedded
from gateway.settings import Mode, Settings
from resolvers.key_ring import parse_ring
from resolvers.migrations import runner
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store import indexes, seed
from resolvers.store.database import Store, connect
from resolvers.viewer import PUBLIC, Viewer

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
MEMORY_BYTES: Final = 6 * 1024**3
"""What a run's database may take of the memory that stands in for a disk."""


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the run starts mongod; workers of a parallel run find it in their environment."""
    if hasattr(config, "workerinput") or config.option.collectonly or "SATUGRAF_TEST_MONGODB" in os.environ:
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    folder = Path(stack.enter_context(_folder()))
    os.environ["SATUGRAF_TEST_TURNS"] = str(folder)
    os.environ["SATUGRAF_TEST_MONGODB"] = stack.enter_context(run_embedded(folder))


LONG_FILES: Final = (
    "gateway/federation/test_monolith.py",
    "schema/test_walk.py",
    "gateway/executor/test_differential.py",
    "resolvers/store/test_plans.py",
    "gateway/executor/test_differential_mutations.py",
    "bench/test_smoke.py",
    "gateway/cli/test_demo.py",
    "gateway/operation/test_memory.py",
    "gateway/graph/test_exchange.py",
    "gateway/test_killed.py",
    "resolvers/complaints/test_whole_life.py",
    "gateway/graph/test_agency_down.py",
    "gateway/test_worker.py",
    "gateway/registry/test_hostile_subgraph.py",
    "gateway/executor/test_generated.py",
    "gateway/executor/test_differential_entities.py",
    "gateway/cli/test_router_process.py",
    "resolvers/demonstration/test_routing_accuracy.py",
)
"""A file's tests run in one process: these begin first, so that no process is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {str(Path(__file__).parent / name): number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: rank.get(str(item.path), len(rank)))


def _folder() -> "tempfile.TemporaryDirectory[str]":
    """In memory where there is enough of it: no test cuts the power, and a disk's journal costs a tenth of the run."""
    has_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    where = MEMORY if has_memory else None
    return tempfile.TemporaryDirectory(prefix="satugraf-test-", dir=where, ignore_cleanup_errors=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """A test marked `alone`, which measures how long a process takes, waits for the others, and they for it."""
    folder = os.environ.get("SATUGRAF_TEST_TURNS")
    if folder is None:
        return (yield)
    with _turn(Path(folder), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _turn(folder: Path, *, alone: bool) -> Iterator[None]:
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            # Who is alone keeps it, so that nobody comes in while the last ones go.
            fcntl.flock(door, fcntl.LOCK_UN)
        yield


@pytest.fixture(scope="session")
def mongodb_uri() -> str:
    return os.environ["SATUGRAF_TEST_MONGODB"]


@pytest.fixture(scope="session")
def mongo(mongodb_uri: str) -> Iterator[MongoClient[Any]]:
    """The driver's own client, which is bound to no event loop: for the databases themselves."""
    with MongoClient[Any](mongodb_uri) as client:
        yield client


@pytest.fixture(scope="session")
def empty_databases(mongo: MongoClient[Any], run_name: str) -> Iterator[Pool]:
    pool = Pool(mongo, f"{run_name}_empty")
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def registers(mongo: MongoClient[Any], mongodb_uri: str, run_name: str) -> Iterator[Pool]:
    """Databases with agencies, regions, categories, teams and all indexes, as `satugraf seed` leaves them."""
    name = f"{run_name}_seed"

    async def seed_register() -> None:
        store = connect(mongodb_uri, name)
        await runner.run(store, lambda: parse_ring(b"a new database has nothing sealed"))
        await seed.write_reference_data(store)
        await indexes.create(store)
        store.close()

    pool = Pool(mongo, f"{run_name}_register", make_state(mongo, name, lambda: asyncio.run(seed_register())))
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def run_name() -> str:
    """Begins the names of this process's databases: one mongod may serve several runs."""
    return f"test_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def database_name(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the test's own database: the register where the test asks for it, else an empty one."""
    pool = "registers" if "register" in request.fixturenames else "empty_databases"
    with request.getfixturevalue(pool).lend() as name:
        yield name


@pytest.fixture
async def store(mongodb_uri: str, database_name: str) -> AsyncIterator[Store]:
    """The test's own database. A test that also asks for `register` has the register in it."""
    opened = connect(mongodb_uri, database_name)
    yield opened
    opened.close()


@pytest.fixture
async def register(store: Store) -> Store:
    """The store with agencies, regions, categories and teams, and its migrations recorded as `satugraf seed` does."""
    return store


@pytest.fixture
def settings() -> Settings:
    """What the gateway under test runs with; a test module overrides it for its own."""
    return Settings(
        mode=Mode.DEVELOPMENT,
        secret_key=SecretStr("the secret key of the tests, 32 long"),
        development_key=SecretStr(DEVELOPMENT_KEY),
        worker=False,
    )


@pytest.fixture
async def portal(register: Store, settings: Settings, mongodb_uri: str) -> AsyncIterator[Portal]:
    """The gateway over the register."""
    async with serving(settings, mongodb_uri, register.database.name) as opened:
        yield opened


@pytest.fixture
async def edge(store: Store, settings: Settings, mongodb_uri: str) -> AsyncIterator[Portal]:
    """The gateway over an empty database: what is decided before any data are read."""
    async with serving(settings, mongodb_uri, store.database.name) as opened:
        yield opened


@pytest.fixture
def context_of(store: Store) -> Callable[..., RequestContext]:
    """A request's context: of whom, and when."""

    def make(viewer: Viewer = PUBLIC, now: datetime | None = None) -> RequestContext:
        moment = now or datetime.now(UTC).replace(microsecond=0)
        return RequestContext(store, Loaders(store), moment, b"the secret key of the tests", find_calendar, viewer)

    return make
