"""Subscriptions through the router: events in, other subgraphs' fields added, and how streams end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from support.far_end import Streams, read_representations, run_server
from support.running_router import RunningRouter, run_router

from gateway.cli.router import LoadedSupergraph, read_sdl
from gateway.cli.router_config import ROUTER_LIMITS, RouterConfig
from gateway.federation.executor.endpoint import Endpoint, StreamAddress, StreamProtocol, TransportLimits
from gateway.http.stream import QUEUED_RESULTS
from gateway.http.websocket import SocketLimits

SUPERGRAPH = """
schema { query: Query subscription: Subscription }
enum join__Graph { A @join__graph(name: "a", url: "%s") B @join__graph(name: "b", url: "%s") }
type Query @join__type(graph: A) @join__type(graph: B) { now: String @join__field(graph: A) }
type Subscription @join__type(graph: A) { reported(agency: ID): Complaint @join__field(graph: A) }
type Complaint @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! text: String @join__field(graph: A) state: String @join__field(graph: B)
}
"""
BREAK: dict[str, Any] = {}
"""In place of an event: the subgraph goes without a word."""

REPORTED = "subscription { reported { text state } }"


@dataclass
class Agency:
    """The subgraph whose stream the router joins: notes what it was asked, and sends what a test puts in."""

    events: "asyncio.Queue[dict[str, Any] | None]" = field(default_factory=asyncio.Queue)
    asked: list[Any] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, number: int, text: str = "x") -> None:
        self.events.put_nowait({"data": {"reported": {"__typename": "Complaint", "id": str(number), "text": text}}})

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
        await socket.prepare(request)
        assert (await socket.receive_json())["type"] == "connection_init"
        await socket.send_json({"type": "ping"})
        assert (await socket.receive_json())["type"] == "pong"
        await socket.send_json({"type": "connection_ack"})
        subscribed = await socket.receive_json()
        self.asked.append(subscribed["payload"])
        sending = asyncio.create_task(self._send(socket, subscribed["id"]))
        async for _ in socket:
            pass
        sending.cancel()
        self.ended.set()
        return socket

    async def _send(self, socket: web.WebSocketResponse, operation_id: str) -> None:
        while (event := await self.events.get()) is not None:
            if event is BREAK:
                await socket.close()
                return
            await socket.send_json({"id": operation_id, "type": "next", "payload": event})
        await socket.send_json({"id": operation_id, "type": "complete"})

    async def post(self, asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        if request.headers["accept"] != "text/event-stream":
            return web.json_response({"data": {"now": "noon"}})
        self.asked.append(asked)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            while (event := await self.events.get()) is not None:
                if event is BREAK:
                    return response
                await response.write(f"event: next\ndata: {json.dumps(event)}\n\n".encode())
            await response.write(b"event: complete\ndata:\n\n")
        finally:
            self.ended.set()
        return response


async def states(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
    return web.json_response(
        {"data": {"_entities": [{"state": f"state {row['id']}"} for row in read_representations(asked)]}}
    )


@asynccontextmanager
async def streaming(
    tmp_path: Path, protocol: StreamProtocol = StreamProtocol.WEBSOCKET, config: RouterConfig | None = None
) -> AsyncIterator[tuple[Agency, RunningRouter]]:
    def with_protocol(file: Path) -> LoadedSupergraph:
        found = read_sdl(file)
        address = StreamAddress(protocol)
        return LoadedSupergraph(
            found.supergraph, {name: Endpoint(row.url, stream=address) for name, row in found.endpoints.items()}
        )

    agency = Agency()
    async with run_server(agency.post, streams=agency.websocket) as a, run_server(states) as b:
        file = tmp_path / "supergraph.graphql"
        file.write_text(SUPERGRAPH % (a, b))
        async with run_router(file, config, with_protocol) as routed:
            yield agency, routed


@asynccontextmanager
async def connected(routed: RunningRouter) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with routed.session.ws_connect(routed.url, protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json(timeout=10) == {"type": "connection_ack"}
        yield socket


async def subscribe(socket: aiohttp.ClientWebSocketResponse, query: str = REPORTED, operation_id: str = "s") -> None:
    await socket.send_json({"id": operation_id, "type": "subscribe", "payload": {"query": query}})


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(10):
        while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            pass
    return socket.close_code


async def event(response: aiohttp.ClientResponse) -> tuple[str, Any]:
    """The next that is not a comment."""
    name, data = "", b""
    async with asyncio.timeout(5):
        async for line in response.content:
            kind, _, value = line.strip().partition(b":")
            if kind == b"event":
                name = value.strip().decode()
            elif kind == b"data":
                data = value
            elif not line.strip() and name:
                break
    return name, json.loads(data) if data.strip() else None


@pytest.mark.parametrize("protocol", StreamProtocol)
async def test_an_event_gets_its_other_fields_from_the_other_subgraphs(
    tmp_path: Path, protocol: StreamProtocol
) -> None:
    async with streaming(tmp_path, protocol) as (agency, routed), connected(routed) as socket:
        query = "subscription ($of: ID) { seen: reported(agency: $of) { text state } }"
        payload = {"query": query, "variables": {"of": "7"}}
        await socket.send_json({"id": "s", "type": "subscribe", "payload": payload})
        for number in (1, 2):
            agency.report(number, "a hole")
            assert await socket.receive_json(timeout=10) == {
                "id": "s",
                "type": "next",
                "payload": {"data": {"seen": {"text": "a hole", "state": f"state {number}"}}},
            }
        agency.events.put_nowait(None)
        assert await socket.receive_json(timeout=10) == {"id": "s", "type": "complete"}
        assert agency.asked[0]["variables"] == {"of": "7"}
        async with asyncio.timeout(5):
            await agency.ended.wait()


async def test_events_come_as_server_sent_events_too(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (agency, routed):
        headers = {"accept": "text/event-stream"}
        async with routed.session.post(routed.url, json={"query": REPORTED}, headers=headers) as response:
            assert response.content_type == "text/event-stream"
            agency.report(1)
            assert await event(response) == ("next", {"data": {"reported": {"text": "x", "state": "state 1"}}})
            agency.events.put_nowait(None)
            assert await event(response) == ("complete", None)


@pytest.mark.parametrize("protocol", StreamProtocol)
async def test_the_subgraphs_stream_is_closed_as_soon_as_the_client_is_gone(
    tmp_path: Path, protocol: StreamProtocol
) -> None:
    async with streaming(tmp_path, protocol) as (agency, routed):
        async with connected(routed) as socket:
            await subscribe(socket)
            agency.report(1)
            await socket.receive_json(timeout=10)
        async with asyncio.timeout(1):
            await agency.ended.wait()


async def test_an_event_stream_that_nobody_reads_is_closed_at_the_subgraph(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (agency, routed):
        headers = {"accept": "text/event-stream"}
        async with routed.session.post(routed.url, json={"query": REPORTED}, headers=headers) as response:
            agency.report(1)
            await event(response)
            response.close()
        async with asyncio.timeout(1):
            await agency.ended.wait()


async def test_completing_one_operation_closes_its_stream_and_no_other(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (agency, routed), connected(routed) as socket:
        await subscribe(socket)
        agency.report(1)
        await socket.receive_json(timeout=10)
        await socket.send_json({"id": "s", "type": "complete"})
        async with asyncio.timeout(1):
            await agency.ended.wait()
        await subscribe(socket, "{ now }", "q")
        assert await socket.receive_json(timeout=10) == {
            "id": "q",
            "type": "next",
            "payload": {"data": {"now": "noon"}},
        }
        assert await socket.receive_json(timeout=10) == {"id": "q", "type": "complete"}


async def test_a_new_supergraph_ends_the_streams_with_a_clear_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    headers = {"accept": "text/event-stream"}
    async with streaming(tmp_path) as (agency, routed), connected(routed) as socket:
        await subscribe(socket)
        agency.report(1)
        await socket.receive_json(timeout=10)
        async with routed.session.post(routed.url, json={"query": REPORTED}, headers=headers) as response:
            while len(agency.asked) < 2:  # noqa: ASYNC110 - the far end notes it
                await asyncio.sleep(0.01)
            file = tmp_path / "supergraph.graphql"
            file.write_text(file.read_text().replace("now: String", "now: String later: String"))
            assert await close_code(socket) == 1012
            name, body = await event(response)
            assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "SUPERGRAPH_CHANGED")
            assert await event(response) == ("complete", None)


async def test_who_is_too_slow_is_let_go(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (agency, routed), connected(routed) as socket:
        await subscribe(socket)
        # More than the queue and the kernel's buffers between us hold.
        for number in range(4 * QUEUED_RESULTS):
            agency.report(number, "x" * 100_000)
        async with asyncio.timeout(30):
            await agency.ended.wait()
        assert await close_code(socket) == 1013


@pytest.mark.parametrize("protocol", StreamProtocol)
async def test_a_subgraph_that_breaks_off_ends_the_stream_with_an_error(
    tmp_path: Path, protocol: StreamProtocol
) -> None:
    async with streaming(tmp_path, protocol) as (agency, routed), connected(routed) as socket:
        await subscribe(socket)
        agency.events.put_nowait(BREAK)
        message = await socket.receive_json(timeout=10)
        assert message["payload"]["data"] is None
        assert message["payload"]["errors"][0]["extensions"] == {"code": "SUBSCRIPTION_LOST", "serviceName": "a"}
        assert await socket.receive_json(timeout=10) == {"id": "s", "type": "complete"}


async def _refusing(request: web.Request) -> web.StreamResponse:
    return web.Response(status=403, text="an internal page")


async def _hanging(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def _never_acknowledging(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket


@pytest.mark.parametrize("protocol", StreamProtocol)
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://nowhere.invalid/", "http://["])
async def test_how_a_subgraph_could_not_be_reached_is_not_told(
    tmp_path: Path, protocol: StreamProtocol, url: str
) -> None:
    """Whoever published a URL learnt from the kind of failure what listens where in the gateway's network."""
    await _cannot_be_reached(tmp_path, StreamAddress(protocol, url))


@pytest.mark.parametrize(
    ("protocol", "far_end"),
    [
        (StreamProtocol.WEBSOCKET, _refusing),
        (StreamProtocol.WEBSOCKET, _hanging),
        (StreamProtocol.WEBSOCKET, _never_acknowledging),
        (StreamProtocol.EVENTS, _hanging),
    ],
)
async def test_who_takes_no_subscription_cannot_be_reached_either(
    tmp_path: Path, protocol: StreamProtocol, far_end: Streams
) -> None:
    async with run_server(lambda asked, request: far_end(request), streams=far_end) as url:
        await _cannot_be_reached(tmp_path, StreamAddress(protocol, url))


async def _cannot_be_reached(tmp_path: Path, address: StreamAddress) -> None:
    def with_address(file: Path) -> LoadedSupergraph:
        found = read_sdl(file)
        limits = TransportLimits(timeout_ms=300)
        return LoadedSupergraph(
            found.supergraph, {name: Endpoint(row.url, limits, stream=address) for name, row in found.endpoints.items()}
        )

    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH % ("http://127.0.0.1:9/", "http://127.0.0.1:9/"))
    async with run_router(file, read=with_address) as routed, connected(routed) as socket:
        await subscribe(socket)
        [error] = (await socket.receive_json(timeout=10))["payload"]["errors"]
        assert error["message"] == "The subgraph a cannot be reached."
        assert error["extensions"] == {"code": "SUBGRAPH_UNAVAILABLE", "serviceName": "a"}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["[]"], 4400),
        (["5"], 4400),
        (["null"], 4400),
        (["{"], 4400),
        (['{"type": 5}'], 4400),
        (['{"type": ["x"]}'], 4400),
        (['{"type": "unheard"}'], 4400),
        (['{"type": "connection_init", "payload": "x"}'], 4400),
        (['{"type": "connection_init", "payload": [1]}'], 4400),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ now }"}}'], 4401),
        (['{"type": "connection_init"}'] * 2, 4429),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": {"a": 1}, "payload": {}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "", "payload": {}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1", "payload": 5}'], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1", "payload": {"query": 5}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "complete", "id": [1]}'], 4400),
        (['{"type": "connection_init"}', "[" * 100_000], 4400),
        (['{"type": "ping", "payload": 7}'], 4400),
        ([json.dumps({"type": "ping", "payload": {"x": "x" * 300_000}})], 1009),
    ],
)
async def test_what_is_not_the_protocol_closes_by_its_codes(tmp_path: Path, messages: list[str], code: int) -> None:
    async with (
        streaming(tmp_path) as (_, routed),
        routed.session.ws_connect(routed.url, protocols=("graphql-transport-ws",)) as socket,
    ):
        for message in messages:
            await socket.send_str(message)
        assert await close_code(socket) == code


async def test_bytes_and_other_protocols_are_refused(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (_, routed):
        async with connected(routed) as socket:
            await socket.send_bytes(b"{}")
            assert await close_code(socket) == 4400
        async with routed.session.ws_connect(routed.url, protocols=("graphql-ws",)) as socket:
            assert await close_code(socket) == 4406


async def test_another_sites_page_is_refused_at_the_handshake(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (_, routed):
        for origin, status in ((routed.url.removesuffix("/graphql"), None), ("https://evil.example", 403)):
            connecting = routed.session.ws_connect(
                routed.url, protocols=("graphql-transport-ws",), headers={"origin": origin}
            )
            try:
                async with connecting:
                    assert status is None
            except aiohttp.WSServerHandshakeError as refused:
                assert refused.status == status


async def test_two_operations_cannot_have_one_id(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (_, routed), connected(routed) as socket:
        await subscribe(socket)
        await subscribe(socket)
        assert await close_code(socket) == 4409


async def test_who_does_not_begin_is_closed_in_time(tmp_path: Path) -> None:
    config = RouterConfig(replace(ROUTER_LIMITS, socket=SocketLimits(init_ms=50)))
    async with (
        streaming(tmp_path, config=config) as (_, routed),
        routed.session.ws_connect(routed.url, protocols=("graphql-transport-ws",)) as socket,
    ):
        started = time.monotonic()
        assert await close_code(socket) == 4408
        assert time.monotonic() - started < 5


async def test_an_operation_that_cannot_run_is_an_error_of_its_own(tmp_path: Path) -> None:
    headers = {"accept": "text/event-stream"}
    async with streaming(tmp_path) as (_, routed):
        async with connected(routed) as socket:
            await subscribe(socket, "{ nothing }")
            message = await socket.receive_json(timeout=10)
            assert (message["type"], message["id"]) == ("error", "s")
            assert message["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        async with routed.session.post(routed.url, json={"query": "{ nothing }"}, headers=headers) as response:
            name, body = await event(response)
            assert (name, body["errors"][0]["extensions"]["code"]) == ("next", "GRAPHQL_VALIDATION_FAILED")
            assert await event(response) == ("complete", None)
        async with routed.session.post(routed.url, data=b"{", headers=headers) as response:
            assert response.status == 415


async def test_a_subscription_without_a_stream_says_how_it_is_asked(tmp_path: Path) -> None:
    async with streaming(tmp_path) as (_, routed):
        body = await routed(REPORTED)
        assert body["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_NEEDS_STREAM"
