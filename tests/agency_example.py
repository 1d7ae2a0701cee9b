"""The example of an agency's subgraph as a process, and what publishes it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from portal import ADMIN, bearer

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "agency-subgraph" / "app.py"
SDL = (EXAMPLE.parent / "schema.graphql").read_text(encoding="utf-8")
PUBLISH = """mutation ($input: PublishSubgraphInput!) { publishSubgraph(input: $input) {
  subgraph { version } findings { kind code message } userErrors { code message } } }"""


@asynccontextmanager
async def running(port: int, gateway: str) -> AsyncIterator[None]:
    """The example on a port, until it is left or killed."""
    environment = {**os.environ, "SATUGRAF_KEYS_URL": f"{gateway}/.well-known/jwks.json"}
    process = await asyncio.create_subprocess_exec(sys.executable, str(EXAMPLE), str(port), env=environment)
    try:
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                break
        yield
    finally:
        process.kill()
        await process.wait()


async def published(session: aiohttp.ClientSession, gateway: str, url: str, sdl: str = SDL) -> Any:
    asked = {"query": PUBLISH, "variables": {"input": {"agency": "kab-badung", "url": url, "sdl": sdl}}}
    async with session.post(f"{gateway}/graphql", json=asked, headers=bearer(ADMIN)) as response:
        answer = await response.json()
    return answer["data"]["publishSubgraph"]
