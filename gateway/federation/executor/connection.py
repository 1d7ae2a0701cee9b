"""HTTP/1.1 client for one URL: kept-alive connections, POST only, with limits on the response.

It is written for speed: the request head is built once per URL, and httptools parses responses in C. It speaks as much
HTTP as subgraphs need: one request at a time per connection (no pipelining); content-length, chunks or the end of the
connection as framing; gzip or deflate; no redirects, no cookies.

    post ─▶ Pool: wait for a slot, take an idle connection or open one ─▶ Connection.exchange ─▶ Response
"""

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
"""An idle connection is not reused after this time."""
CONNECT_SECONDS: Final = 10.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses that a connection to a host and port may use. Raises OSError if there are none."""

_UNSENDABLE: Final = frozenset("\r\n\0")


# The names of these three classes are logged as the `kind` of a failure.
class Lost(Exception):
    """The connection ended, or sent something that is not HTTP, before a whole response arrived."""


class Unreached(OSError):
    """No connection could be opened in time."""


class Oversized(Exception):
    """The response, or its decompressed body, is larger than the limit."""


class Response(NamedTuple):
    """`body` is decompressed."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection, which carries one request at a time.

    The methods `on_…` are httptools' callbacks: it calls them from `feed_data` while it parses the response.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.is_open = False
        self.kept_at = 0.0
        """When it became idle, by the monotonic clock."""
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Response] | None = None
        self._reset()

    def _reset(self) -> None:
        self._status = 0
        self._encoding = b""
        self._is_framed = False
        """Whether the headers say where the body ends."""
        self._header_bytes = 0
        self._size = 0
        self._parts: list[bytes] = []

    async def exchange(self, request: bytes) -> Response:
        """Sends a request and returns the response. Raises Lost and Oversized.

        If it is cancelled, the connection closes: the late response must not be taken for that of the next request.
        """
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
        # uvloop's transport behaves like asyncio.Transport but does not inherit from it, hence the cast.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            # No request is under way: an idle connection must stay silent.
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
        # Without content-length or chunks, the end of the connection is the end of the body (RFC 9112, 6.3).
        if exc is None and self._status >= 200 and not self._is_framed:
            self._complete()
        else:
            self._fail(Lost("The connection was closed."))

    def on_message_begin(self) -> None:
        if self._waiting is None:
            # A second response to one request. Left in the buffer, it would answer the next request, which may be
            # another caller's (response queue poisoning).
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
            # An interim response (103 Early Hints): the final one follows.
            self._reset()
            return
        # A response may come before the whole request was sent (413): then the rest of it is still in the buffer,
        # and the connection cannot be reused.
        if not self._parser.should_keep_alive() or self._transport.get_write_buffer_size():
            self.is_open = False
        self._complete()

    def _complete(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        try:
            waiting.set_result(Response(self._status, decompress_body(body, self._encoding, self.limit_bytes)))
        except (Oversized, Lost) as failure:
            waiting.set_exception(failure)
        self._reset()
        if not self.is_open:
            self._transport.abort()

    def _fail(self, failure: Exception) -> None:
        self.close()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(failure)


def decompress_body(body: bytes, encoding: bytes, limit_bytes: int) -> bytes:
    """Returns a body without its content encoding.

    Raises Oversized if it is longer than `limit_bytes`, and Lost if it is damaged or the encoding is unknown.
    """
    if encoding in (b"", b"identity"):
        return body
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise Lost("It answers in a content encoding that was not asked for.")
    # "deflate" means the zlib format, but some servers send a raw stream. The zlib header tells them apart: the low
    # four bits of its first byte are 8.
    raw = encoding == b"deflate" and (not body or body[0] & 0x0F != 8)
    parts, left = [], limit_bytes
    try:
        # gzip may consist of several members, one after the other; each needs a decompressor of its own.
        while body:
            decompressor = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32)
            # Never inflates more than one byte above the limit, so a compression bomb costs no memory.
            part = decompressor.decompress(body, left + 1)
            left -= len(part)
            if left < 0:
                raise Oversized
            if not decompressor.eof:
                raise Lost("Its compressed answer ends too early.")
            parts.append(part)
            body = decompressor.unused_data
    except zlib.error:
        raise Lost("Its answer cannot be decompressed.") from None
    return b"".join(parts)


@dataclass(slots=True)
class Pool:
    """Connections to one URL. At most `connections` are in use at a time; other requests wait in order."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    head: bytes
    """The beginning of every request: request line and constant headers."""
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
        """Sends the body and returns the response. Raises Lost, Oversized and OSError.

        If the connection is lost, it is sent again on another one, at most `tries` times in all. Only a query may
        have more than one try: a mutation may have been executed although its answer was lost.
        """
        request = b"%b%bcontent-length: %d\r\n\r\n%b" % (self.head, headers, len(body), body)
        async with self._slots:
            while True:
                tries -= 1
                connection = self._take_idle() or await self._open()
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

    def _take_idle(self) -> Connection | None:
        """Returns the connection that was used last: the one that the server most likely has not closed."""
        oldest = time.monotonic() - KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.kept_at > oldest:
                return connection
            connection.close()
        return None

    async def _open(self) -> Connection:
        try:
            async with asyncio.timeout(self.connect_seconds):
                return await self._open_any_address()
        except TimeoutError:
            raise Unreached from None

    async def _open_any_address(self) -> Connection:
        addresses = [self.host] if self.resolve is None else await self.resolve(self.host, self.port)
        for address in addresses[:-1]:
            with suppress(OSError):
                return await self._open_address(address)
        return await self._open_address(addresses[-1])

    async def _open_address(self, address: str) -> Connection:
        """Connects to an address. The certificate must still be the host's."""
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self.limit_bytes),
            address,
            self.port,
            ssl=self.tls,
            server_hostname=None if self.tls is None else self.host,
        )
        return connection

    def close(self) -> None:
        """Closes the idle connections; those in use close after their response."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()


def make_pool(
    url: str, tls: ssl.SSLContext | None, connections: int, limit_bytes: int, resolve: Resolve | None = None
) -> Pool:
    """Returns the pool for a URL; nothing is connected yet. Raises ValueError if it is not an http or https URL."""
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


def encode_headers(headers: Iterable[tuple[str, str]]) -> bytes:
    """Returns header lines. Leaves out a header whose value holds a line break: it could inject further headers."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers if _UNSENDABLE.isdisjoint(value)).encode(
        "latin-1", "replace"
    )
