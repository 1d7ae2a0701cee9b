"""HTTP/1.1 to one place: kept connections, a POST out, a limited body in."""

import asyncio
import ssl
import time
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast
from urllib.parse import quote, urlsplit

import httptools

MAX_HEADER_BYTES: Final = 65_536
KEPT_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 10.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses that a connection to a host and port may be made to. Raises OSError where there is none."""

_UNSENDABLE: Final = frozenset("\r\n\0")


class Lost(Exception):
    """The connection ended, or said something that is not HTTP, before it gave a whole response."""


class Unreached(OSError):
    """There is no connection, after so long."""


class Oversized(Exception):
    """The response has more bytes than are taken, as it came or unpacked."""


class Response(NamedTuple):
    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.is_open = False
        self.kept_at = 0.0
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Response] | None = None
        self._start()

    def _start(self) -> None:
        self._status = 0
        self._encoding = b""
        self._is_framed = False
        self._header_bytes = 0
        self._size = 0
        self._parts: list[bytes] = []

    async def exchange(self, request: bytes) -> Response:
        """Raises Lost and Oversized; whoever is cancelled here leaves a closed connection."""
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._transport.write(request)
        try:
            return await waiting
        finally:
            if self._waiting is not None:
                self.close()

    def close(self) -> None:
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes, but do the same.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(Lost("It does not speak HTTP/1.1."))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._waiting is None:
            return
        if exc is None and self._status >= 200 and not self._is_framed:
            self._complete()
        else:
            self._fail(Lost("The connection was closed."))

    def on_message_begin(self) -> None:
        if self._waiting is None:
            # An answer to nothing: whoever used this connection next would take it for theirs.
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        lowered = name.lower()
        if lowered in (b"content-length", b"transfer-encoding"):
            self._is_framed = True
        elif lowered == b"content-encoding":
            self._encoding = value.strip().lower()
        if self._header_bytes > MAX_HEADER_BYTES:
            self._fail(Oversized())

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self.limit_bytes:
            self._fail(Oversized())
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._status < 200:
            self._start()
            return
        if not self._parser.should_keep_alive() or self._transport.get_write_buffer_size():
            self.is_open = False
        self._complete()

    def _complete(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        try:
            waiting.set_result(Response(self._status, unpacked(body, self._encoding, self.limit_bytes)))
        except (Oversized, Lost) as failure:
            waiting.set_exception(failure)
        self._start()
        if not self.is_open:
            self._transport.abort()

    def _fail(self, failure: Exception) -> None:
        self.close()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(failure)


def unpacked(body: bytes, encoding: bytes, limit_bytes: int) -> bytes:
    """A body without its content encoding. Raises Oversized, and Lost where it cannot be unpacked."""
    if encoding in (b"", b"identity"):
        return body
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise Lost("It answers in a content encoding that was not asked for.")
    # Some servers call a raw stream deflate; zlib's own header tells them apart.
    raw = encoding == b"deflate" and (not body or body[0] & 0x0F != 8)
    parts, left = [], limit_bytes
    try:
        while body:
            unpacking = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32)
            part = unpacking.decompress(body, left + 1)
            left -= len(part)
            if left < 0:
                raise Oversized
            if not unpacking.eof:
                raise Lost("Its packed answer ends too early.")
            parts.append(part)
            body = unpacking.unused_data
    except zlib.error:
        raise Lost("Its answer cannot be unpacked.") from None
    return b"".join(parts)


@dataclass(slots=True)
class Pool:
    """Connections to one URL; at most so many are in use at once, the rest wait their turn."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    head: bytes
    connections: int
    limit_bytes: int
    resolve: Resolve | None = None
    connect_seconds: float = CONNECT_SECONDS
    _slots: asyncio.Semaphore = field(init=False)
    _idle: deque[Connection] = field(default_factory=deque)
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.connections)

    async def post(self, body: bytes, headers: bytes, tries: int) -> Response:
        """Sends the body; once more where the connection was lost and `tries` allows it. Raises OSError besides."""
        request = b"%b%bcontent-length: %d\r\n\r\n%b" % (self.head, headers, len(body), body)
        async with self._slots:
            while True:
                tries -= 1
                connection = self._kept() or await self._opened()
                try:
                    response = await connection.exchange(request)
                except Lost:
                    if tries:
                        continue
                    raise
                self._keep(connection)
                return response

    def _keep(self, connection: Connection) -> None:
        if self._is_closed:
            connection.close()
        elif connection.is_open:
            connection.kept_at = time.monotonic()
            self._idle.append(connection)

    def _kept(self) -> Connection | None:
        oldest = time.monotonic() - KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.kept_at > oldest:
                return connection
            connection.close()
        return None

    async def _opened(self) -> Connection:
        try:
            async with asyncio.timeout(self.connect_seconds):
                return await self._reached()
        except TimeoutError:
            raise Unreached from None

    async def _reached(self) -> Connection:
        addresses = [self.host] if self.resolve is None else await self.resolve(self.host, self.port)
        for address in addresses[:-1]:
            with suppress(OSError):
                return await self._connected(address)
        return await self._connected(addresses[-1])

    async def _connected(self, address: str) -> Connection:
        """Under the host's own name, whichever of its addresses it is."""
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self.limit_bytes),
            address,
            self.port,
            ssl=self.tls,
            server_hostname=None if self.tls is None else self.host,
        )
        return connection

    def close(self) -> None:
        """Closes the connections that nobody uses; those in use close when they are not any more."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()


def pool(
    url: str, tls: ssl.SSLContext | None, connections: int, limit_bytes: int, resolve: Resolve | None = None
) -> Pool:
    """The pool for a URL. Raises ValueError for what is no URL of a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(url)
    if parts.scheme == "https" and tls is None:
        tls = ssl.create_default_context()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.netloc.encode("idna").decode()
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
        f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
    )
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        "accept: application/json\r\naccept-encoding: gzip, deflate\r\n"
    ).encode("ascii")
    return Pool(parts.hostname, port, tls if parts.scheme == "https" else None, head, connections, limit_bytes, resolve)


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Headers as they are sent; one that would end its line is left out."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers if _UNSENDABLE.isdisjoint(value)).encode(
        "latin-1", "replace"
    )
