"""The HTTP/1.1 client against real sockets: framings, encodings, closed connections, bad answers, certificates."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from support.authority import Authority

from gateway.federation.executor.connection import Lost, Oversized, Response, make_pool
from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.subgraphs import Caller, SubgraphFailed, SubgraphRequest
from gateway.federation.executor.transport import HttpTransport

BODY = b'{"data": {"a": 1}}'
QUERY = SubgraphRequest.of("{ a }", "query", {})
MUTATION = SubgraphRequest.of("mutation { a }", "mutation", {})
LIMIT = 1000


@asynccontextmanager
async def saying(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Runs a server that sends the next answer to each request, and closes after one that ends in b"CLOSE"."""
    requests: list[bytes] = []
    waiting = list(answers)
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            while waiting:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                requests.append(head + await reader.readexactly(length))
                answer = waiting.pop(0)
                writer.write(answer.removesuffix(b"CLOSE"))
                await writer.drain()
                if answer.endswith(b"CLOSE"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}/graphql?x=1", requests
    finally:
        server.close()
        for task in serving:
            if task is not None:
                task.cancel()
        await asyncio.sleep(0.01)


def whole(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (lines, len(body), body)


async def posted(url: str, times: int = 1, tries: int = 1) -> list[Response]:
    connections = make_pool(url, None, 4, LIMIT)
    try:
        return [await connections.post(b"{}", b"", tries) for _ in range(times)]
    finally:
        connections.close()
        await asyncio.sleep(0.01)


RAW_DEFLATE = zlib.compressobj(wbits=-15)
DEFLATED = RAW_DEFLATE.compress(BODY) + RAW_DEFLATE.flush()

FRAMINGS = {
    "length": whole(BODY),
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (BODY[:5], len(BODY) - 5, BODY[5:]),
    "until closed": b"HTTP/1.1 200 OK\r\n\r\n" + BODY + b"CLOSE",
    "connection: close": whole(BODY, b"connection: close") + b"CLOSE",
    "after a hint": b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + whole(BODY),
    "gzip": whole(gzip.compress(BODY), b"content-encoding: gzip"),
    "gzip in two parts": whole(gzip.compress(BODY[:4]) + gzip.compress(BODY[4:]), b"Content-Encoding: GZIP"),
    "deflate": whole(zlib.compress(BODY), b"content-encoding: deflate"),
    "raw deflate": whole(DEFLATED, b"content-encoding: deflate"),
}


@pytest.mark.parametrize("answer", FRAMINGS.values(), ids=FRAMINGS.keys())
async def test_every_framing_and_encoding_is_understood(answer: bytes) -> None:
    async with saying(answer) as (url, requests):
        assert await posted(url) == [Response(200, BODY)]
    assert requests[0].startswith(b"POST /graphql?x=1 HTTP/1.1\r\nhost: localhost:")


LIES = {
    "no answer": (b"CLOSE", Lost),
    "half a head": (b"HTTP/1.1 200 OK\r\ncontent-", Lost),
    "half a body": (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}CLOSE", Lost),
    "half a chunk": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{}CLOSE", Lost),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Lost),
    "two lengths": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}}CLOSE", Lost),
    "not gzip": (whole(BODY, b"content-encoding: gzip"), Lost),
    "gzip that ends too early": (whole(gzip.compress(BODY)[:-9], b"content-encoding: gzip"), Lost),
    "an encoding nobody asked for": (whole(BODY, b"content-encoding: br"), Lost),
    "too long": (whole(b"x" * (LIMIT + 1)), Oversized),
    "a bomb": (whole(gzip.compress(b"x" * 900_000), b"content-encoding: gzip"), Oversized),
    "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"x: %b\r\n" % (b"y" * 500) * 200, Oversized),
}


@pytest.mark.parametrize(("answer", "failure"), LIES.values(), ids=LIES.keys())
async def test_what_is_no_whole_answer_is_a_failure(answer: bytes, failure: type[Exception]) -> None:
    if answer == b"HTTP/1.1 200 OK\r\ncontent-":
        answer += b"CLOSE"
    async with saying(answer) as (url, _):
        with pytest.raises(failure):
            await posted(url)


async def test_a_connection_is_kept_and_a_lost_one_is_replaced_for_who_may_try_again() -> None:
    async with saying(whole(BODY), b"CLOSE", whole(BODY), whole(BODY)) as (url, requests):
        assert await posted(url, times=3, tries=2) == [Response(200, BODY)] * 3
        assert len(requests) == 4
    async with saying(whole(BODY), b"CLOSE", whole(BODY)) as (url, requests):
        with pytest.raises(Lost):
            await posted(url, times=2, tries=1)
        assert len(requests) == 2


async def test_a_second_answer_to_one_request_reaches_nobody() -> None:
    """Otherwise it would be taken for the answer to the next request, which may be another caller's."""
    forged = whole(b'{"data": "of another"}')
    async with saying(whole(BODY) + forged, whole(BODY)) as (url, _):
        assert await posted(url, times=2, tries=2) == [Response(200, BODY)] * 2


def ask_over(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None, work: Coroutine[Any, Any, list[Response]]
) -> list[Response]:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


def test_it_works_on_the_loop_that_serves() -> None:
    async def work() -> list[Response]:
        async with saying(whole(BODY), whole(BODY), FRAMINGS["until closed"]) as (url, _):
            return await posted(url, times=3, tries=2)

    assert ask_over(uvloop.new_event_loop, work()) == [Response(200, BODY)] * 3


@pytest.mark.parametrize("url", ["", "a", "ftp://x/", "http://", "http://user:secret@x/", "http://x:99999/"])
async def test_what_is_no_address_is_an_unavailable_subgraph(url: str) -> None:
    transport = HttpTransport({"a": Endpoint(url)})
    with pytest.raises(SubgraphFailed, match="address"):
        await transport.ask("a", QUERY)


async def test_the_same_query_at_the_same_time_is_sent_once_and_a_mutation_each_time() -> None:
    async with saying(*[whole(BODY)] * 5) as (url, requests):
        transport = HttpTransport({"a": Endpoint(url, propagated=("authorization",))})
        try:
            answers = await asyncio.gather(*(transport.ask("a", QUERY) for _ in range(9)))
            assert len(requests) == 1
            answers[0]["data"]["a"] = 2
            assert answers[1] == {"data": {"a": 1}}
            await asyncio.gather(*(transport.ask("a", MUTATION) for _ in range(2)))
            assert len(requests) == 3
            callers = [Caller(headers={"authorization": name}) for name in ("one", "two")]
            await asyncio.gather(*(transport.ask("a", QUERY, caller) for caller in callers))
            assert len(requests) == 5
            assert {b"authorization: one" in request for request in requests[3:]} == {True, False}
        finally:
            await transport.close()


async def test_who_joined_a_query_is_answered_though_its_sender_has_gone() -> None:
    async with saying(whole(BODY), whole(BODY)) as (url, _):
        transport = HttpTransport({"a": Endpoint(url)})
        try:
            first, second = (asyncio.create_task(transport.ask("a", QUERY)) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            async with asyncio.timeout(5):
                assert await second == {"data": {"a": 1}}
        finally:
            await transport.close()


async def test_no_more_requests_than_allowed_are_at_a_subgraph_at_once() -> None:
    at_once, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        while await reader.readuntil(b"}}"):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.01)
            at_once -= 1
            writer.write(whole(BODY))

    async def quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()

    server = await asyncio.start_server(quiet, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    transport = HttpTransport({"a": Endpoint(url, TransportLimits(connections=3))})
    try:
        await asyncio.gather(
            *(transport.ask("a", SubgraphRequest.of("{ a }", "query", {"n": number})) for number in range(20))
        )
        assert most == 3
    finally:
        await transport.close()
        server.close()
        await asyncio.sleep(0.01)


async def test_certificates_say_who_both_sides_are(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("subgraph")
    authority.issue("router")
    far = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "ca.pem"))
    far.load_cert_chain(tmp_path / "subgraph.pem", tmp_path / "subgraph.key")
    far.verify_mode = ssl.CERT_REQUIRED
    known = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    known.load_cert_chain(tmp_path / "router.pem", tmp_path / "router.key")
    nameless = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    async with saying(*[whole(BODY)] * 3, tls=far) as (url, _):
        for tls, fails in ((known, False), (nameless, True), (None, True)):
            transport = HttpTransport({"a": Endpoint(url, tls=tls)})
            try:
                if fails:
                    with pytest.raises(SubgraphFailed) as failed:
                        await transport.ask("a", QUERY)
                    assert failed.value.code == "SUBGRAPH_UNAVAILABLE"
                else:
                    assert await transport.ask("a", QUERY) == {"data": {"a": 1}}
            finally:
                await transport.close()
