"""The gateway under test, over HTTP in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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
_find_sdl = cache(schema.print_subgraph_sdl)


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
        patch.object(schema, "print_subgraph_sdl", _find_sdl),
    ):
        return build(settings, store)


class _PromptServer(uvicorn.Server):
    """Stops at once. Uvicorn looks every tenth of a second whether it should, and then sleeps for another one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_told = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self.is_told.set()

    async def main_loop(self) -> None:
        # Ten ticks are a second, after which Uvicorn renews its `date` header.
        counter = 0
        while not await self.on_tick(counter):
            counter += 10
            with suppress(TimeoutError):
                await asyncio.wait_for(self.is_told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's own, where a connection or a request is left for which it has to wait."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(settings: Settings, uri: str, database: str) -> AsyncIterator[Portal]:
    """The gateway under uvicorn on a port of its own, and a session to it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = UVICORN | {"loop": "auto", "log_level": "critical", "timeout_graceful_shutdown": 5}
        config = uvicorn.Config(build_gateway(settings, connect(uri, database)), **options)
        server = _PromptServer(config)
        running = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.005)
        try:
            async with aiohttp.ClientSession() as session:
                yield Portal(session, url)
        finally:
            await _wait_until_closed(server)
            server.stop()
            await running


async def _wait_until_closed(server: uvicorn.Server) -> None:
    """Until the server has noticed that its clients have gone, unless one of them stays."""
    for _ in range(50):
        if not server.server_state.connections:
            return
        await asyncio.sleep(0.001)
