"""The example of an agency's subgraph as a process, and what publishes it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from support.portal import ADMIN, bearer

from gateway.cli import demo_agency
from gateway.cli.demo_agency import EXAMPLE

SDL = (EXAMPLE.parent / "schema.graphql").read_text(encoding="utf-8")
PUBLISH = """mutation ($input: PublishSubgraphInput!) { publishSubgraph(input: $input) {
  subgraph { version } findings { kind code message } userErrors { code message } } }"""
START_SECONDS = 60


@asynccontextmanager
async def running(port: int, gateway: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The example on a port, until it is left or killed."""
    async with asyncio.timeout(START_SECONDS) as starting:
        async with demo_agency.run_agency(port, f"{gateway}/.well-known/jwks.json") as process:
            starting.reschedule(None)
            yield process


async def published(session: aiohttp.ClientSession, gateway: str, url: str, sdl: str = SDL) -> Any:
    asked = {"query": PUBLISH, "variables": {"input": {"agency": "kab-badung", "url": url, "sdl": sdl}}}
    async with session.post(f"{gateway}/graphql", json=asked, headers=bearer(ADMIN)) as response:
        answer = await response.json()
    return answer["data"]["publishSubgraph"]
