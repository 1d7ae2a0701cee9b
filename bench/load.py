"""A light HTTP/1.1 client: keeps a number of connections busy, checks every answer, and measures its latency."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import httptools
import orjson
import uvloop

SHOWN_CHARACTERS: Final = 300
STALL_SECONDS: Final = 30


class CheckedRequest(NamedTuple):
    """The bytes of a request, and the check of its answer's body."""

    content: bytes
    is_right: Callable[[bytes], bool]


NextRequest = Callable[[], CheckedRequest]


class Bounds(NamedTuple):
    """A run ends after this time or this number of requests, whichever comes first, but never without a request."""

    seconds: float
    requests: int


@dataclass(slots=True)
class LoadResult:
    """The result of a run. `failed` counts answers with another status than 200 or with a wrong body."""

    seconds: float = 0.0
    failed: int = 0
    first_failure: str | None = None
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.latencies_ms)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile_ms(self, share: float) -> float:
        """Returns the latency below which this share of requests (0 to 1) was answered."""
        return sorted(self.latencies_ms)[int(share * (self.requests - 1))]

    def add_answer(self, request: CheckedRequest, status: int, body: bytes, milliseconds: float) -> None:
        self.latencies_ms.append(milliseconds)
        if status != 200 or not request.is_right(body):
            self.failed += 1
            self.first_failure = self.first_failure or f"{status}: {body[:SHOWN_CHARACTERS].decode(errors='replace')}"


class _Connection(asyncio.Protocol):
    """Sends a request, waits for the answer, and sends the next one."""

    def __init__(self, result: LoadResult, next_request: Callable[[], CheckedRequest | None]) -> None:
        self.result, self.next_request = result, next_request
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.request: CheckedRequest | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpResponseParser(self)
        self._send()

    def _send(self) -> None:
        self.request = self.next_request()
        if self.request is None:
            self.transport.close()
            return
        self.chunks: list[bytes] = []
        self.sent_at = time.perf_counter()
        self.transport.write(self.request.content)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        assert self.request is not None
        milliseconds = (time.perf_counter() - self.sent_at) * 1000
        self.result.add_answer(self.request, self.parser.get_status_code(), b"".join(self.chunks), milliseconds)
        self._send()

    def connection_lost(self, failure: Exception | None) -> None:
        if self.ended.done():
            return
        if self.request is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(failure or ConnectionError("The server closed a connection with a request on it."))


def run_load(port: int, next_request: NextRequest, connections: int, bounds: Bounds) -> LoadResult:
    """Sends requests until a bound is reached. Raises ConnectionError if the server closes a connection."""
    return uvloop.run(_run_load(port, next_request, connections, bounds))


def request_once(port: int, content: bytes) -> bytes:
    """Sends one request and returns the answer's body. Raises ConnectionError if its status is not 200."""
    bodies: list[bytes] = []

    def keep(body: bytes) -> bool:
        bodies.append(body)
        return True

    done = run_load(port, lambda: CheckedRequest(content, keep), 1, Bounds(STALL_SECONDS, 1))
    if not bodies:
        raise ConnectionError(done.first_failure)
    return bodies[0]


async def _run_load(port: int, next_request: NextRequest, connections: int, bounds: Bounds) -> LoadResult:
    result = LoadResult()
    taken = 0
    began = time.perf_counter()

    def take() -> CheckedRequest | None:
        nonlocal taken
        is_over = taken > 0 and time.perf_counter() - began >= bounds.seconds
        if is_over or taken == bounds.requests:
            return None
        taken += 1
        return next_request()

    loop = asyncio.get_running_loop()
    broken: asyncio.Future[None] = loop.create_future()
    loop.set_exception_handler(lambda loop, context: _note_break(broken, context))
    opened = [
        await loop.create_connection(lambda: _Connection(result, take), "127.0.0.1", port)
        for _ in range(min(connections, bounds.requests))
    ]
    all_ended = asyncio.gather(*(protocol.ended for _, protocol in opened))
    try:
        await _wait_until_done(result, all_ended, broken)
    finally:
        for transport, _ in opened:
            transport.abort()
        await asyncio.sleep(0)
    result.seconds = time.perf_counter() - began
    return result


async def _wait_until_done(
    result: LoadResult, all_ended: "asyncio.Future[Any]", broken: "asyncio.Future[None]"
) -> None:
    """Waits for the end. Raises what broke a connection, or ConnectionError if no answer comes for long."""
    answered = -1
    while not all_ended.done():
        await asyncio.wait((all_ended, broken), timeout=STALL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if broken.done():
            all_ended.cancel()
            broken.result()
        if not all_ended.done() and result.requests == answered:
            all_ended.cancel()
            raise ConnectionError(f"Nothing was answered within {STALL_SECONDS} seconds.")
        answered = result.requests
    all_ended.result()


def _note_break(broken: "asyncio.Future[None]", context: dict[str, Any]) -> None:
    if not broken.done():
        broken.set_exception(context.get("exception") or ConnectionError(context["message"]))


def build_request(
    method: str,
    target: str,
    *,
    port: int,
    token: str | None = None,
    body: object = None,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Returns the bytes of an HTTP/1.1 request; `body` is sent as JSON."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {target} HTTP/1.1", f"host: 127.0.0.1:{port}", "accept: application/json"]
    lines += [f"authorization: Bearer {token}"] if token else []
    lines += ["content-type: application/json", f"content-length: {len(content)}"] if content else []
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + content
