"""A real mongod for the run, a database for each test, and the gateway over it."""

import asyncio
import fcntl
import os
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import uvicorn
from pydantic import SecretStr
from support.portal import DEVELOPMENT_KEY, Portal

from gateway.app import build
from gateway.cli.server import UVICORN
from gateway.mongod import run_embedded
from gateway.settings import Mode, Settings
from resolvers.key_ring import ring
from resolvers.migrations import runner
from resolvers.regulations.holiday_tables import find_calendar
from resolvers.request.context import RequestContext
from resolvers.request.loaders import loaders
from resolvers.store import indexes, seed
from resolvers.store.database import Store, connect
from resolvers.viewer import PUBLIC, Viewer


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the run starts mongod; workers of a parallel run find it in their environment."""
    if hasattr(config, "workerinput") or config.option.collectonly or "SATUGRAF_TEST_MONGODB" in os.environ:
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    folder = Path(stack.enter_context(_folder()))
    os.environ["SATUGRAF_TEST_TURNS"] = str(folder)
    os.environ["SATUGRAF_TEST_MONGODB"] = stack.enter_context(run_embedded(folder))


def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="satugraf-test-", ignore_cleanup_errors=True)


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


@pytest.fixture
async def store(mongodb_uri: str) -> AsyncIterator[Store]:
    opened = connect(mongodb_uri, f"test_{uuid.uuid4().hex[:16]}")
    yield opened
    await opened.client.drop_database(opened.database.name)
    opened.close()


@pytest.fixture
async def register(store: Store) -> Store:
    """The store with agencies, regions, categories and teams, and its migrations recorded as `satugraf seed` does."""
    await runner.run(store, lambda: ring(b"a new database has nothing sealed"))
    await seed.write_reference_data(store)
    await indexes.create(store)
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


@asynccontextmanager
async def serving(settings: Settings, uri: str, database: str) -> AsyncIterator[Portal]:
    """The gateway under uvicorn on a port of its own, and a session to it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = UVICORN | {"loop": "auto", "log_level": "critical", "timeout_graceful_shutdown": 5}
        config = uvicorn.Config(build(settings, connect(uri, database)), **options)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.005)
        try:
            async with aiohttp.ClientSession() as session:
                yield Portal(session, url)
        finally:
            server.should_exit = True
            await running


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
        return RequestContext(store, loaders(store), moment, b"the secret key of the tests", find_calendar, viewer)

    return make
