"""One subgraph cannot harm the process: breaker, limit on requests, silence about causes, leaving the graph."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web
from support.far_end import answer_with, run_server

from gateway.federation.executor.breaker import Breaker, State
from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.subgraphs import SubgraphFailed, SubgraphRequest
from gateway.federation.executor.transport import HttpTransport

LIMITS = TransportLimits(timeout_ms=1000, connections=2, waiting=3, failures_to_open=10, open_ms=60_000)
MUTATION = SubgraphRequest.of("mutation { a }", "mutation", {})


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


class Noted(list[tuple[str, str | None]]):
    """Records what an operator sees: the subgraph and the failure."""

    def __call__(self, subgraph: str, seconds: float, failed: SubgraphFailed | None) -> None:
        assert seconds >= 0
        cause = None if failed is None else failed.__cause__
        code = None if failed is None else failed.code
        self.append((subgraph, code if cause is None else type(cause).__name__))


def transport_to(stack: AsyncExitStack, note: Noted | None = None, **endpoints: Endpoint) -> HttpTransport:
    transport = HttpTransport(endpoints, note=note)
    stack.push_async_callback(transport.close)
    return transport


async def failed(transport: HttpTransport, request: SubgraphRequest = MUTATION) -> SubgraphFailed:
    with pytest.raises(SubgraphFailed) as caught:
        await transport.ask("a", request)
    return caught.value


async def blocked(host: str, port: int) -> list[str]:
    raise PermissionError(f"{host} is at 10.0.0.1")


async def nowhere(host: str, port: int) -> list[str]:
    raise socket.gaierror(-2, "Name or service not known")


async def endlessly(host: str, port: int) -> list[str]:
    await asyncio.sleep(60)
    return []


async def _saying(stack: AsyncExitStack, words: bytes) -> int:
    """Yields the port of a server that sends the given bytes to each client and closes."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    stack.callback(server.close)
    port: int = server.sockets[0].getsockname()[1]
    return port


FAR = answer_with({"a": 1})


@pytest.mark.parametrize(
    ("url", "resolve", "kind"),
    [
        ("http://127.0.0.1:1/", None, "ConnectionRefusedError"),
        ("http://somewhere.invalid/", nowhere, "gaierror"),
        ("http://inside/", blocked, "PermissionError"),
        ("http://slow/", endlessly, "Unreached"),
        ("https://127.0.0.1:{tls}/", None, "Unreached"),
        ("https://127.0.0.1:{plain}/", None, "SSLError"),
        ("http://127.0.0.1:{closing}/", None, "Lost"),
        ("http://127.0.0.1:{other}/", None, "Lost"),
    ],
)
async def test_who_asks_learns_the_same_of_every_way_not_to_be_reached(
    stack: AsyncExitStack, url: str, resolve: Callable[[str, int], Any] | None, kind: str
) -> None:
    """Otherwise a person who publishes a URL could scan the internal network through the gateway."""
    plain = (await stack.enter_async_context(run_server(FAR))).split(":")[2].strip("/")
    # The kernel accepts connections to it, but no process ever answers.
    silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    closing, other = await _saying(stack, b""), await _saying(stack, b"SSH-2.0-OpenSSH_9.6\r\n")
    where = url.format(plain=plain, tls=silent.getsockname()[1], closing=closing, other=other)
    noted = Noted()
    transport = transport_to(stack, noted, a=Endpoint(where, LIMITS, tls=ssl.create_default_context()))
    transport.resolve = resolve
    failure = await failed(transport)
    assert (str(failure), failure.code) == ("The subgraph a cannot be reached.", "SUBGRAPH_UNAVAILABLE")
    [(subgraph, told)] = noted
    assert (subgraph, told) == ("a", kind)


def outcomes(breaker: Breaker, *failures: bool) -> State:
    for failure in failures:
        breaker.note(failed=failure)
    return breaker.state


def test_a_subgraph_that_fails_more_often_than_not_is_left_alone_though_it_sometimes_answers() -> None:
    breaker = Breaker(LIMITS)
    assert outcomes(breaker, *[True, True, False] * 6) is State.CLOSED
    assert outcomes(breaker, True, True) is State.OPEN
    with pytest.raises(SubgraphFailed, match="too often"):
        breaker.check()
    steady = Breaker(LIMITS)
    assert outcomes(steady, *[True, False] * 200) is State.CLOSED


def test_what_was_spent_long_ago_is_forgotten() -> None:
    breaker = Breaker(LIMITS)
    assert outcomes(breaker, *[True, False, False] * 30, *[False] * 100, *[True] * 9) is State.CLOSED
    assert outcomes(breaker, True) is State.OPEN
    assert outcomes(breaker, False) is State.CLOSED


def test_after_a_pause_one_request_is_let_through() -> None:
    breaker = Breaker(TransportLimits(failures_to_open=1, open_ms=0))
    assert outcomes(breaker, True) is State.HALF_OPEN
    breaker.check()
    breaker.limits = LIMITS
    with pytest.raises(SubgraphFailed):
        breaker.check()


async def test_a_subgraph_takes_no_more_than_its_share_of_what_is_under_way(stack: AsyncExitStack) -> None:
    released = asyncio.Event()

    async def held(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.json_response({"data": {}})

    noted = Noted()
    transport = transport_to(stack, noted, a=Endpoint(await stack.enter_async_context(run_server(held)), LIMITS))
    share = LIMITS.connections + LIMITS.waiting
    asking = [
        asyncio.create_task(transport.ask("a", SubgraphRequest.of("mutation { a }", "mutation", {"n": n})))
        for n in range(share)
    ]
    await asyncio.sleep(0)
    failure = await failed(transport)
    assert failure.code == "SUBGRAPH_BUSY"
    assert transport.find_state("a") is State.CLOSED
    released.set()
    assert await asyncio.gather(*asking) == [{"data": {}}] * share
    assert await transport.ask("a", MUTATION) == {"data": {}}
    assert noted == [("a", "SUBGRAPH_BUSY")] + [("a", None)] * (share + 1)


async def test_who_began_before_an_exchange_is_answered_and_then_it_is_forgotten(stack: AsyncExitStack) -> None:
    transport = transport_to(stack, a=Endpoint(await stack.enter_async_context(run_server(FAR)), LIMITS))
    await transport.ask("a", MUTATION)
    transport.replace_endpoints({}, drain_seconds=0.2)
    assert await transport.ask("a", MUTATION) == {"data": {"a": 1}}
    await asyncio.sleep(0.4)
    assert transport.endpoints == {}
    assert (await failed(transport)).code == "SUBGRAPH_UNAVAILABLE"


async def test_one_that_comes_back_in_time_is_not_forgotten(stack: AsyncExitStack) -> None:
    endpoint = Endpoint(await stack.enter_async_context(run_server(FAR)), LIMITS)
    transport = transport_to(stack, a=endpoint)
    transport.replace_endpoints({}, drain_seconds=0.1)
    transport.replace_endpoints({"a": endpoint}, drain_seconds=0.1)
    await asyncio.sleep(0.3)
    assert await transport.ask("a", MUTATION) == {"data": {"a": 1}}


async def test_a_moved_subgraph_leaves_no_connection_open_at_the_old_place(stack: AsyncExitStack) -> None:
    arrived, released = asyncio.Event(), asyncio.Event()
    connections: list[asyncio.BaseTransport | None] = []

    async def held(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        connections.append(request.transport)
        arrived.set()
        await released.wait()
        return web.json_response({"data": {"old": 1}})

    transport = transport_to(stack, a=Endpoint(await stack.enter_async_context(run_server(held)), LIMITS))
    before = asyncio.create_task(transport.ask("a", MUTATION))
    await arrived.wait()
    transport.replace_endpoints(
        {"a": Endpoint(await stack.enter_async_context(run_server(FAR)), LIMITS)}, drain_seconds=1
    )
    assert await transport.ask("a", MUTATION) == {"data": {"a": 1}}
    released.set()
    assert await before == {"data": {"old": 1}}
    async with asyncio.timeout(5):
        while connections[0] is not None and not connections[0].is_closing():  # noqa: ASYNC110 - aiohttp has no event
            await asyncio.sleep(0.01)
