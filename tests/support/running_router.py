"""Runs the standalone router on a supergraph file, over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn

from gateway.cli.router import ListFiles, ReadSupergraph, list_no_files, make_router_app, read_sdl
from gateway.cli.router_config import RouterConfig
from gateway.cli.running_schemas import RunningSchemas
from gateway.cli.server import UVICORN


@dataclass(frozen=True, slots=True)
class RunningRouter:
    """The URL of a running router, and a client session. Call it to send a query."""

    url: str
    session: aiohttp.ClientSession

    async def __call__(self, query: str, **variables: Any) -> Any:
        async with self.session.post(self.url, json={"query": query, "variables": variables}) as response:
            return await response.json(content_type=None)


@asynccontextmanager
async def run_router(
    file: Path,
    config: RouterConfig | None = None,
    read: ReadSupergraph = read_sdl,
    named: ListFiles = list_no_files,
    running: RunningSchemas | None = None,
) -> AsyncIterator[RunningRouter]:
    """Runs a router that serves the file."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        # In a thread: reading the first supergraph may run an event loop of its own to ask subgraphs.
        app = await asyncio.to_thread(make_router_app, file, read, config, named, running)
        server = uvicorn.Server(
            uvicorn.Config(app, **UVICORN | {"log_level": "critical", "timeout_graceful_shutdown": 1})
        )
        serving = asyncio.create_task(server.serve([listening]))
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
                await asyncio.sleep(0.005)
            async with aiohttp.ClientSession() as session:
                yield RunningRouter(f"http://127.0.0.1:{listening.getsockname()[1]}/graphql", session)
        finally:
            server.should_exit = True
            await serving
