"""Commands with a one-answer reply, sent on the event loop over connections that the driver has opened.

Motor runs PyMongo's blocking calls in threads, and passes each cursor through the event loop twice: four times as much
CPU as a command that is written to a socket here and answered by one callback. Everything else stays the driver's:

    command ─► acquire a connection ─► send ─► reply ok          ─► done
                     │                   │  └► failure, more rows ─► None: the driver runs the command again
                     └ none is idle      └───► connection breaks  ─► None: likewise
                       ─► the driver runs the command

None means "let the driver do it": it selects servers, retries, and raises the right exception. A read may simply be
run again. A write has a transaction number in a session, and the driver sends it again under the same number, so
that the server makes it once (MongoDB's retryable writes).

A command and its reply are OP_MSG messages of one section:

    length  requestID  responseTo  opCode  flagBits  kind   body
    int32   int32      int32       2013    uint32 0  0      {"find": "complaints", "filter": {…}, "$db": "satugraf"}
"""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference

from resolvers.documents import Document

OnReply = Callable[[Document | None], None]
"""Called once with the reply, or with None if the driver must run the command."""

MAX_CONNECTIONS: Final = 16
"""Beside the driver's own pool. While all are busy, commands go to the driver."""
MAX_OPENING: Final = 4
REPLY_TIMEOUT_SECONDS: Final = 5.0
"""The server ends a read after MAX_TIME_MS; a connection that is silent for longer is dead."""
MAX_IDLE_SECONDS: Final = 45.0
"""Less than the `maxIdleTimeMS` after which the driver would close a connection of its own."""
REOPEN_SECONDS: Final = 1.0
"""Pause after a connection could not be opened."""

_HEADER: Final = struct.Struct("<iiiiIB")
"""length, requestID, responseTo, opCode, flagBits of an OP_MSG, then the kind of its first section."""
_OP_MSG: Final = 2013
MAX_TIME_EXPIRED: Final = 50
"""Server error: the command ran longer than its maxTimeMS."""
_RECEIVE_BYTES: Final = 65_536
_MAX_SEND_BYTES: Final = 65_536
"""A socket's buffer takes this much in one call. Longer commands go to the driver, so nothing here waits to write."""
_NOT_READY: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError)


def encode_command(command: Mapping[str, Any], options: CodecOptions[Document]) -> bytes | None:
    """Encodes a command, without its None values, as an OP_MSG; None if the driver must send it.

    That is a command which is too long, or a value that BSON does not know: the driver raises the error.
    """
    try:
        body = bson.encode({key: value for key, value in command.items() if value is not None}, codec_options=options)
    except (BSONError, OverflowError, UnicodeError):
        return None
    if len(body) > _MAX_SEND_BYTES:
        return None
    # requestID 0: a connection has one command under way, so its reply needs no number.
    return _HEADER.pack(_HEADER.size + len(body), 0, 0, _OP_MSG, 0, 0) + body


def is_success(reply: Document) -> bool:
    """Whether the server did everything that the command asked for."""
    return bool(reply["ok"]) and "writeErrors" not in reply and "writeConcernError" not in reply


@contextmanager
def reuse_session(client: MongoClient[Document], server_session: Any) -> Iterator[ClientSession]:
    """Gives the driver the session of a write that failed here, so that its next write is the same one to the server.

    The driver raises the session's transaction number before each write: lowering it by one first repeats the number
    of the failed write, and the server answers a number that it has seen with the earlier outcome.
    """
    server_session._transaction_id -= 1
    with client.start_session(causal_consistency=False) as session:
        session._server_session = server_session
        yield session


@dataclass(slots=True, eq=False)
class LoopConnection:
    """A connection that the event loop reads; it has at most one command under way."""

    pool: "LoopPool"
    connection: Any
    """The driver's object, with its TLS and authentication done."""
    socket: socket.socket
    session: Any
    """The driver's server session, for writes. Whoever repeats a write takes it over: the connection is closed then."""
    used_at: float
    is_closed: bool = False
    _on_reply: OnReply | None = None
    """Set while a command is under way."""
    _options: CodecOptions[Document] | None = None
    _parts: list[bytes] = field(default_factory=list)
    """What has come of the reply."""
    _timer: asyncio.TimerHandle | None = None

    def is_usable(self) -> bool:
        """Whether it was used lately, and the driver has not dropped its pool since, as it does on a server error."""
        is_fresh = time.monotonic() - self.used_at < MAX_IDLE_SECONDS
        return is_fresh and self.connection.generation == self.connection.pool_gen.get_overall()

    def next_write_keys(self) -> Document:
        """Returns the keys that make a command a retryable write: the session and a new transaction number."""
        self.session.inc_transaction_id()
        return {"lsid": self.session.session_id, "txnNumber": self.session.transaction_id}

    def send(self, message: bytes, options: CodecOptions[Document], on_reply: OnReply) -> None:
        """Sends a command. `on_reply` is called once, never before this returns."""
        self._on_reply, self._options, self._parts = on_reply, options, []
        self._timer = self.pool.loop.call_later(REPLY_TIMEOUT_SECONDS, self.close)
        try:
            is_sent = self.socket.send(message) == len(message)
        except OSError:
            is_sent = False
        if not is_sent:
            self.pool.loop.call_soon(self.close)

    def receive(self) -> None:
        """Reads what the socket has; the event loop calls it."""
        while True:
            try:
                part = self.socket.recv(_RECEIVE_BYTES)
            except _NOT_READY:
                return
            except OSError:
                part = b""
            # Nothing: the server closed it. No command under way: a message that nobody asked for.
            if not part or self._on_reply is None:
                self.close()
                return
            self._parts.append(part)
            missing = self._count_missing_bytes()
            if missing <= 0:
                break
        self._finish(b"".join(self._parts), is_whole=missing == 0)

    def _count_missing_bytes(self) -> int:
        """Returns how many bytes of the reply are still to come; negative if there are too many."""
        size = sum(map(len, self._parts))
        if size < _HEADER.size:
            return _HEADER.size - size
        if len(self._parts[0]) < _HEADER.size:
            self._parts = [b"".join(self._parts)]
        length: int = _HEADER.unpack_from(self._parts[0])[0]
        return length - size

    def _finish(self, message: bytes, *, is_whole: bool) -> None:
        """Decodes the reply, frees the connection for the next command, and calls back."""
        _, _, _, operation, flags, kind = _HEADER.unpack_from(message)
        if not is_whole or operation != _OP_MSG or flags or kind or self._options is None:
            self.close()
            return
        try:
            reply: Document = bson.decode(memoryview(message)[_HEADER.size :], self._options)
        except BSONError:
            self.close()
            return
        on_reply = self._take_callback()
        if is_success(reply) or reply.get("code") == MAX_TIME_EXPIRED:
            self.pool.release(self)
        else:
            # The server may no longer be the primary; then every command on this connection would fail.
            self.close()
        if on_reply is not None:
            on_reply(reply)

    def _take_callback(self) -> OnReply | None:
        if self._timer is not None:
            self._timer.cancel()
        on_reply, self._on_reply, self._parts, self._timer = self._on_reply, None, [], None
        return on_reply

    def close(self) -> None:
        """Closes it, and lets the driver run the command that is under way."""
        if self.is_closed:
            return
        self.is_closed = True
        self.pool.discard(self)
        on_reply = self._take_callback()
        if on_reply is not None:
            on_reply(None)


@dataclass(slots=True, eq=False)
class LoopPool:
    """The connections of one client, on the event loop that uses them."""

    client: MongoClient[Document]
    threads: Executor
    """Where connections are opened: the driver's handshake blocks."""
    loop: asyncio.AbstractEventLoop = field(init=False)
    _connections: set[LoopConnection] = field(default_factory=set)
    _idle: list[LoopConnection] = field(default_factory=list)
    """A stack: the connection that was used last is used next, so that the others age and are closed."""
    _opening: set[Future[Any]] = field(default_factory=set)
    _not_before: float = 0.0

    def acquire(self, loop: asyncio.AbstractEventLoop) -> LoopConnection | None:
        """Takes an idle connection; None if there is none, and then opens one for later commands."""
        if getattr(self, "loop", None) is not loop:
            # A new event loop, as each test has its own: the old one's connections are of no use.
            self.close()
            self.loop, self._not_before = loop, 0.0
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.close()
        if len(self._opening) < MAX_OPENING and len(self._connections) + len(self._opening) < MAX_CONNECTIONS:
            self._open()
        return None

    def _open(self) -> None:
        if time.monotonic() < self._not_before:
            return
        opening = self.threads.submit(_open_connection, self.client)
        self._opening.add(opening)
        asyncio.wrap_future(opening, loop=self.loop).add_done_callback(partial(self._add, opening))

    def _add(self, opening: Future[Any], wrapped: "asyncio.Future[Any]") -> None:
        # Reading the exception also keeps asyncio from logging it as never retrieved.
        has_failed = wrapped.cancelled() or wrapped.exception() is not None
        if opening not in self._opening:
            return  # the pool was closed meanwhile, which closes this connection
        self._opening.remove(opening)
        if has_failed:
            self._not_before = time.monotonic() + REOPEN_SECONDS
            return
        opened = opening.result()
        session = self.client._topology.get_server_session(None)
        connection = LoopConnection(self, opened, opened.conn.get_conn, session, time.monotonic())
        connection.socket.setblocking(False)
        self.loop.add_reader(connection.socket.fileno(), connection.receive)
        self._connections.add(connection)
        self._idle.append(connection)

    def release(self, connection: LoopConnection) -> None:
        connection.used_at = time.monotonic()
        self._idle.append(connection)

    def discard(self, connection: LoopConnection) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self.loop.is_closed():
            self.loop.remove_reader(connection.socket.fileno())
        connection.connection.close_conn(None)

    def close(self) -> None:
        """Closes all connections, also those that are still being opened. The pool can be used again."""
        openings, self._opening = self._opening, set()
        for opening in openings:
            opening.add_done_callback(_close_opened)
        for connection in list(self._connections):
            connection.close()


def _close_opened(opening: Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close_conn(None)


def _open_connection(client: MongoClient[Document]) -> Any:
    """Opens a connection to the primary with the client's settings. Raises PyMongoError if it is not a plain socket.

    The driver has no public way to do this: tests/resolvers/store/test_wire.py shows that this one still works.
    """
    pool = client._select_server(ReadPreference.PRIMARY, None, "find").pool
    connection = pool.connect()
    pool.active_contexts.discard(connection.cancel_context)
    if isinstance(connection.conn.get_conn, socket.socket) and not client.options.load_balanced:
        return connection
    connection.close_conn(None)
    raise PyMongoError("Only the driver can use a connection of this kind.")
