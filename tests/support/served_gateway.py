"""The gateway under test, over HTTP in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from unittest.mock import patch

import aiohttp
import strawberry
import uvicorn
from starlette.applications import Starlette
from support.portal import Portal

import schema
from gateway.app import build
from gateway.cli.server import UVICORN
from gateway.settings import Settings
from resolvers.store.database import Store, connect

_build, _build_subgraph = schema.build, schema.build_subgraph
_find_sdl = cache(schema.subgraph_sdl)


@cache
def _find_schema(*local_cases: str) -> strawberry.Schema:
    return _build(local_cases)


@cache
def _find_subgraph(*local_cases: str) -> strawberry.federation.Schema:
    return _build_subgraph(local_cases)


def build_gateway(settings: Settings, store: Store) -> Starlette:
    """The product's own, except that gateways of one process start with one and the same national schema.

    Strawberry takes a third of a second of CPU to build it, and nothing is ever changed in it.
    """
    with (
        patch.object(schema, "build", lambda local_cases=(): _find_schema(*local_cases)),
        patch.object(schema, "build_subgraph", lambda local_cases=(): _find_subgraph(*local_cases)),
        patch.object(schema, "subgraph_sdl", _find_sdl),
    ):
        return build(settings, store)


@asynccontextmanager
async def serving(settings: Settings, uri: str, database: str) -> AsyncIterator[Portal]:
    """The gateway under uvicorn on a port of its own, and a session to it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = UVICORN | {"loop": "auto", "log_level": "critical", "timeout_graceful_shutdown": 5}
        config = uvicorn.Config(build_gateway(settings, connect(uri, database)), **options)
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
