"""New versions of an agency's subgraph under load, on two processes of the real gateway: nobody notices.

SATUGRAF_TEST_VERSIONS says how many; docs/testing.md has what was measured.
"""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from support import agency_example
from support.hostile_subgraph import Hostile, hostile
from support.one_graph import a_stored, knows, until
from support.portal import NATIONAL, Portal
from support.ports import free_port
from support.serving_processes import ready, served

from resolvers.store.database import Store

VERSIONS: Final = int(os.environ.get("SATUGRAF_TEST_VERSIONS", "8"))
ASKING: Final = 3
"""Who asks each process all the time."""
PROMISED_SECONDS: Final = 2.0
BUSY_SECONDS: Final = 20.0
"""Beyond this nothing may be, however busy the machine is: the promise is kept by the median."""

SDL = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Complaint @key(fields: "id") { id: ID! kabBadungSurvey: Int }
type Query { kabBadungVersion%d: Int }"""
CROSSING = "query ($id: ID!) { complaint(id: $id) { id status kabBadungSurvey } }"
PLAIN = "query ($id: ID!) { complaint(id: $id) { id status holder { name } } }"


@dataclass
class Load:
    """What was asked of the two processes, and what was not answered as it should have been."""

    complaint_id: str
    answered: int = 0
    failures: list[Any] = field(default_factory=list)

    async def keep_asking(self, portal: Portal) -> None:
        while True:
            for query, expected in ((CROSSING, {"kabBadungSurvey": 3}), (PLAIN, {"status": "ROUTED"})):
                answer = await portal.ask(query, {"id": self.complaint_id}, NATIONAL)
                found = (answer.get("data") or {}).get("complaint") or {}
                if "errors" in answer or not expected.items() <= found.items():
                    self.failures.append(answer)
                self.answered += 1


async def serves(portal: Portal, number: int) -> bool:
    return "errors" not in await portal.ask(f"{{ kabBadungVersion{number} }}")


async def publish(portal: Portal, far: Hostile, number: int) -> None:
    done = await agency_example.published(portal.session, portal.url, far.url, SDL % number)
    assert done["userErrors"] == [], done


async def lag(portals: list[Portal], number: int) -> float:
    """The seconds until both serve the version that has just been published."""
    began = time.monotonic()
    await asyncio.gather(*(until(lambda portal=portal: serves(portal, number)) for portal in portals))  # type: ignore[misc]
    return time.monotonic() - began


@pytest.mark.timeout(60 + 15 * VERSIONS)
async def test_many_versions_under_load_fail_no_request_and_are_served_by_all(
    register: Store, mongodb_uri: str
) -> None:
    load, lags, name = Load(await a_stored(register)), list[float](), register.database.name
    ports = [free_port(), free_port()]
    async with hostile() as far, aiohttp.ClientSession() as session:
        far.gives({"kabBadungSurvey": 3})
        with served(mongodb_uri, name, ports[0]), served(mongodb_uri, name, ports[1]):
            portals = [Portal(session, f"http://127.0.0.1:{port}") for port in ports]
            await asyncio.gather(*map(ready, portals))
            await publish(portals[0], far, 0)
            await lag(portals, 0)
            asking = [asyncio.create_task(load.keep_asking(portal)) for portal in portals for _ in range(ASKING)]
            for number in range(1, VERSIONS + 1):
                await publish(portals[number % 2], far, number)
                lags.append(await lag(portals, number))
            for task in asking:
                task.cancel()
            ended = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
            assert await knows(portals[1], "kabBadungSurvey")
    told = f"{statistics.median(lags):.2f} s until both served a version, at most {max(lags):.2f} s"
    print(f"{VERSIONS} versions under {load.answered} requests, {len(load.failures)} failed: {told}")  # noqa: T201
    assert load.failures == []
    assert load.answered > VERSIONS
    assert statistics.median(lags) < PROMISED_SECONDS
    assert max(lags) < BUSY_SECONDS


def children(process_id: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


async def test_a_killed_gateway_leaves_no_composing_child_behind(register: Store, mongodb_uri: str) -> None:
    port = free_port()
    async with aiohttp.ClientSession() as session:
        portal = Portal(session, f"http://127.0.0.1:{port}")
        with served(mongodb_uri, register.database.name, port) as running:
            await ready(portal)
            done = await agency_example.published(session, portal.url, "http://127.0.0.1:9/", SDL % 0)
            assert done["userErrors"] == []
            left = children(running.pid)
            assert left
    async with asyncio.timeout(30):
        while any(Path(f"/proc/{child}").exists() for child in left):  # noqa: ASYNC110 - the kernel has no event for it
            await asyncio.sleep(0.05)
