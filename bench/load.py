"""A light HTTP/1.1 client: keeps so many connections busy, checks every answer, takes the time of each."""

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


class Ask(NamedTuple):
    """A request's bytes, and whether an answer's body is the right one."""

    content: bytes
    is_right: Callable[[bytes], bool]


NextAsk = Callable[[], Ask]


class Bounds(NamedTuple):
    """A run ends after so many seconds or so many requests, whichever comes first, and not before its first request."""

    seconds: float
    requests: int


@dataclass(slots=True)
class Run:
    """What a run of requests took; `failed` counts answers that were not 200 or not right."""

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
        """The latency that so many of the requests, 0 to 1, were answered within."""
        return sorted(self.latencies_ms)[int(share * (self.requests - 1))]

    def took(self, ask: Ask, status: int, body: bytes, milliseconds: float) -> None:
        self.latencies_ms.append(milliseconds)
        if status != 200 or not ask.is_right(body):
            self.failed += 1
            self.first_failure = self.first_failure or f"{status}: {body[:SHOWN_CHARACTERS].decode(errors='replace')}"


class _Connection(asyncio.Protocol):
    """Sends the next request when the one before it has been answered."""

    def __init__(self, run: Run, next_ask: Callable[[], Ask | None]) -> None:
        self.run, self.next_ask = run, next_ask
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ask: Ask | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpResponseParser(self)
        self._send()

    def _send(self) -> None:
        self.ask = self.next_ask()
        if self.ask is None:
            self.transport.close()
            return
        self.chunks: list[bytes] = []
        self.sent_at = time.perf_counter()
        self.transport.write(self.ask.content)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        assert self.ask is not None
        milliseconds = (time.perf_counter() - self.sent_at) * 1000
        self.run.took(self.ask, self.parser.get_status_code(), b"".join(self.chunks), milliseconds)
        self._send()

    def connection_lost(self, failure: Exception | None) -> None:
        if self.ended.done():
            return
        if self.ask is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(failure or ConnectionError("The server closed a connection with a request on it."))


def run(port: int, next_ask: NextAsk, connections: int, bounds: Bounds) -> Run:
    """Asks the server on the port until a bound is reached; raises ConnectionError where it breaks off."""
    return uvloop.run(_run(port, next_ask, connections, bounds))


def ask_once(port: int, content: bytes) -> bytes:
    """The body of one answer. Raises ConnectionError where it does not come with status 200."""
    bodies: list[bytes] = []

    def keep(body: bytes) -> bool:
        bodies.append(body)
        return True

    done = run(port, lambda: Ask(content, keep), 1, Bounds(STALL_SECONDS, 1))
    if not bodies:
        raise ConnectionError(done.first_failure)
    return bodies[0]


async def _run(port: int, next_ask: NextAsk, connections: int, bounds: Bounds) -> Run:
    result = Run()
    taken = 0
    began = time.perf_counter()

    def take() -> Ask | None:
        nonlocal taken
        is_over = taken > 0 and time.perf_counter() - began >= bounds.seconds
        if is_over or taken == bounds.requests:
            return None
        taken += 1
        return next_ask()

    loop = asyncio.get_running_loop()
    broken: asyncio.Future[None] = loop.create_future()
    loop.set_exception_handler(lambda loop, context: _break(broken, context))
    opened = [
        await loop.create_connection(lambda: _Connection(result, take), "127.0.0.1", port)
        for _ in range(min(connections, bounds.requests))
    ]
    all_ended = asyncio.gather(*(protocol.ended for _, protocol in opened))
    try:
        await _first(result, all_ended, broken)
    finally:
        for transport, _ in opened:
            transport.abort()
        await asyncio.sleep(0)
    result.seconds = time.perf_counter() - began
    return result


async def _first(result: Run, all_ended: "asyncio.Future[Any]", broken: "asyncio.Future[None]") -> None:
    """Waits for the end, or raises what broke a connection, or that nothing has been answered for long."""
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


def _break(broken: "asyncio.Future[None]", context: dict[str, Any]) -> None:
    if not broken.done():
        broken.set_exception(context.get("exception") or ConnectionError(context["message"]))


def http_request(
    method: str,
    target: str,
    *,
    port: int,
    token: str | None = None,
    body: object = None,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """An HTTP/1.1 request's bytes; `body` goes as JSON."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {target} HTTP/1.1", f"host: 127.0.0.1:{port}", "accept: application/json"]
    lines += [f"authorization: Bearer {token}"] if token else []
    lines += ["content-type: application/json", f"content-length: {len(content)}"] if content else []
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + content
