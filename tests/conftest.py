"""A real mongod for the run, a database for each test."""

import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.mongod import embedded
from resolvers.store.database import Store, connect


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the run starts mongod; workers of a parallel run find it in their environment."""
    if hasattr(config, "workerinput") or config.option.collectonly or "SATUGRAF_TEST_MONGODB" in os.environ:
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    folder = Path(stack.enter_context(_folder()))
    os.environ["SATUGRAF_TEST_MONGODB"] = stack.enter_context(embedded(folder))


def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="satugraf-test-", ignore_cleanup_errors=True)


@pytest.fixture(scope="session")
def mongodb_uri() -> str:
    return os.environ["SATUGRAF_TEST_MONGODB"]


@pytest.fixture
async def store(mongodb_uri: str) -> AsyncIterator[Store]:
    opened = connect(mongodb_uri, f"test_{uuid.uuid4().hex[:16]}")
    yield opened
    await opened.client.drop_database(opened.database.name)
    opened.close()
