"""`satugraf router` as operators run it: its own process, on the loop that serves."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from support.far_end import answer_with, free_port, run_server

STREAMS = 60
STARTS_CPU_SECONDS = 1.5
STOPS_SECONDS = 15
SUPERGRAPH = """
schema { query: Query subscription: Subscription }
enum join__Graph { A @join__graph(name: "a", url: "%s") }
type Query @join__type(graph: A) { greeting: String }
type Subscription @join__type(graph: A) { greeted: String }
"""


@dataclass(frozen=True, slots=True)
class Running:
    process: asyncio.subprocess.Process
    url: str
    session: aiohttp.ClientSession

    async def greeting(self) -> object:
        async with self.session.post(self.url, json={"query": "{ greeting }"}) as response:
            return await response.json()

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@asynccontextmanager
async def running(file: Path) -> AsyncIterator[Running]:
    """The command, once it answers."""
    port = free_port()
    command = Path(sys.executable).with_name("satugraf")
    process = await asyncio.create_subprocess_exec(
        command, "router", "--supergraph", file, "--port", str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session, asyncio.timeout(90):
            found = Running(process, f"http://127.0.0.1:{port}/graphql", session)
            while True:
                try:
                    await found.greeting()
                    break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.05)
            yield found
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def silent(request: web.Request) -> web.StreamResponse:
    """A stream on which nothing happens."""
    socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
    await socket.prepare(request)
    await socket.receive()
    await socket.send_json({"type": "connection_ack"})
    await socket.receive()
    await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"greeted": "once"}}})
    async for _ in socket:
        pass
    return socket


async def subscribed(router: Running, opened: AsyncExitStack) -> aiohttp.ClientWebSocketResponse:
    socket = await opened.enter_async_context(
        router.session.ws_connect(router.url, protocols=("graphql-transport-ws",))
    )
    await socket.send_json({"type": "connection_init"})
    await socket.receive_json(timeout=30)
    query = "subscription { greeted }"
    await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
    message = await socket.receive_json(timeout=30)
    assert message["payload"] == {"data": {"greeted": "once"}}
    return socket


async def listening(router: Running, opened: AsyncExitStack) -> aiohttp.ClientResponse:
    """The same as `subscribed`, over server-sent events."""
    subscription, headers = {"query": "subscription { greeted }"}, {"accept": "text/event-stream"}
    response = await opened.enter_async_context(router.session.post(router.url, json=subscription, headers=headers))
    assert await event(response) == ("next", {"data": {"greeted": "once"}})
    return response


async def event(response: aiohttp.ClientResponse) -> tuple[str, object]:
    """Name and data of the next event that is not a comment."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(30):
        while (line := (await response.content.readline()).decode()) != "\n" or "event" not in fields:
            name, _, value = line.strip().partition(":")
            fields |= {name: value} if name else {}
    return fields["event"].strip(), json.loads(fields["data"]) if fields["data"].strip() else None


# Alone: beside another test the same start takes more CPU.
@pytest.mark.alone
async def test_it_starts_soon(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    async with run_server(answer_with({"greeting": "halo"})) as url:
        file.write_text(SUPERGRAPH % url)
        async with running(file) as router:
            assert await router.greeting() == {"data": {"greeting": "halo"}}
            assert router.cpu_seconds() < STARTS_CPU_SECONDS


@pytest.mark.parametrize("subscribe", [subscribed, listening])
async def test_it_serves_and_keeps_idle_streams_in_flat_memory(
    subscribe: Callable[[Running, AsyncExitStack], Awaitable[object]], tmp_path: Path
) -> None:
    file = tmp_path / "supergraph.graphql"
    async with run_server(answer_with({"greeting": "halo"}), streams=silent) as url:
        file.write_text(SUPERGRAPH % url)
        async with running(file) as router:
            assert await router.greeting() == {"data": {"greeting": "halo"}}
            resident = []
            for _ in range(24):
                async with AsyncExitStack() as opened:
                    await asyncio.gather(*(subscribe(router, opened) for _ in range(STREAMS)))
                    resident.append(router.resident_mib())
            # The first hundreds make what the later ones find: after them a stream leaves nothing behind.
            assert resident[23] - resident[5] < 4
            assert await router.greeting() == {"data": {"greeting": "halo"}}


async def test_a_router_that_is_told_to_stop_says_so_to_all_who_subscribe(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    async with run_server(answer_with({"greeting": "halo"}), streams=silent) as url:
        file.write_text(SUPERGRAPH % url)
        async with running(file) as router:
            async with AsyncExitStack() as opened:
                sockets = [await subscribed(router, opened) for _ in range(20)]
                response = await listening(router, opened)
                started = time.monotonic()
                router.process.send_signal(signal.SIGTERM)
                messages = [await socket.receive(timeout=30) for socket in sockets]
                assert [(message.type, message.data) for message in messages] == [(aiohttp.WSMsgType.CLOSE, 1001)] * 20
                name, body = await event(response)
                assert isinstance(body, dict)
                assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "STOPPING")
                assert await event(response) == ("complete", None)
            await router.process.wait()
            assert time.monotonic() - started < STOPS_SECONDS
