"""Commands of one answer on the event loop, over connections that the driver has opened: no thread, no cursor.

The driver's own way costs four times as much CPU. Whatever does not go plainly (no connection at hand, one that breaks,
a failure, an answer in parts) is None here, and asked again the driver's way: it selects servers, retries, and says
what is wrong. A write has a number in a session, which the driver sends again: the server makes it once.
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

Document = dict[str, Any]
Answered = Callable[[Document | None], None]

LINES: Final = 16
"""Connections beside the driver's own; while all are busy, reads go the driver's way."""
OPENED_AT_ONCE: Final = 4
PATIENCE_SECONDS: Final = 5.0
"""A server ends a read long before: this one is not to be heard any more."""
IDLE_SECONDS: Final = 45.0
AGAIN_SECONDS: Final = 1.0
"""After a connection that could not be opened."""

_HEADER: Final = struct.Struct("<iiiiIB")
"""Length, request id, id of the request that is answered, operation, flags, kind of section: of an OP_MSG."""
_OP_MSG: Final = 2013
MAX_TIME_EXPIRED: Final = 50
_PART_BYTES: Final = 65_536
_SENT_BYTES: Final = 65_536
"""A socket takes as much at once; what is longer goes the driver's way."""
_NOT_YET: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError)


def message(command: Mapping[str, Any], options: CodecOptions[Document]) -> bytes | None:
    """The command without what is None, as it is sent; None where it cannot be said, or not at once."""
    try:
        body = bson.encode({key: value for key, value in command.items() if value is not None}, codec_options=options)
    except (BSONError, OverflowError, UnicodeError):
        return None
    if len(body) > _SENT_BYTES:
        return None
    return _HEADER.pack(_HEADER.size + len(body), 0, 0, _OP_MSG, 0, 0) + body


def is_plain(reply: Document) -> bool:
    """Whether all that was asked for was done."""
    return bool(reply["ok"]) and "writeErrors" not in reply and "writeConcernError" not in reply


@contextmanager
def sent_again(client: MongoClient[Document], session: Any) -> Iterator[ClientSession]:
    """A session of the driver's, whose next write is for the server the last one of a line's session."""
    session._transaction_id -= 1
    with client.start_session(causal_consistency=False) as of_driver:
        of_driver._server_session = session
        yield of_driver


@dataclass(slots=True, eq=False)
class Line:
    """A connection with at most one question on it."""

    wire: "Wire"
    connection: Any
    socket: socket.socket
    session: Any
    """The driver's, for writes; whoever sends one again takes it over, for the line is closed then."""
    used_at: float
    is_closed: bool = False
    _answered: Answered | None = None
    _options: CodecOptions[Document] | None = None
    _parts: list[bytes] = field(default_factory=list)
    _timer: asyncio.TimerHandle | None = None

    def is_fit(self) -> bool:
        """Whether the driver would use it: it forgets connections to a server that failed."""
        is_fresh = time.monotonic() - self.used_at < IDLE_SECONDS
        return is_fresh and self.connection.generation == self.connection.pool_gen.get_overall()

    def next_write(self) -> Document:
        """What tells the server that this is another write, and not the one before sent again."""
        self.session.inc_transaction_id()
        return {"lsid": self.session.session_id, "txnNumber": self.session.transaction_id}

    def ask(self, asked: bytes, options: CodecOptions[Document], answered: Answered) -> None:
        """Calls `answered` once, later: with the reply, or with None where the line broke."""
        self._answered, self._options, self._parts = answered, options, []
        self._timer = self.wire.loop.call_later(PATIENCE_SECONDS, self.close)
        try:
            is_sent = self.socket.send(asked) == len(asked)
        except OSError:
            is_sent = False
        if not is_sent:
            self.wire.loop.call_soon(self.close)

    def readable(self) -> None:
        while True:
            try:
                part = self.socket.recv(_PART_BYTES)
            except _NOT_YET:
                return
            except OSError:
                part = b""
            if not part or self._answered is None:
                self.close()
                return
            self._parts.append(part)
            missing = self._missing()
            if missing <= 0:
                break
        self._hear(b"".join(self._parts), is_whole=missing == 0)

    def _missing(self) -> int:
        """Bytes of the reply that are still to come."""
        have = sum(map(len, self._parts))
        if have < _HEADER.size:
            return _HEADER.size - have
        if len(self._parts[0]) < _HEADER.size:
            self._parts = [b"".join(self._parts)]
        size: int = _HEADER.unpack_from(self._parts[0])[0]
        return size - have

    def _hear(self, reply: bytes, *, is_whole: bool) -> None:
        _, _, _, operation, flags, kind = _HEADER.unpack_from(reply)
        if not is_whole or operation != _OP_MSG or flags or kind or self._options is None:
            self.close()
            return
        try:
            document: Document = bson.decode(memoryview(reply)[_HEADER.size :], self._options)
        except BSONError:
            self.close()
            return
        answered = self._taken()
        if is_plain(document) or document.get("code") == MAX_TIME_EXPIRED:
            self.wire.put_back(self)
        else:
            # It may be no primary any more, and would say so to everybody.
            self.close()
        if answered is not None:
            answered(document)

    def _taken(self) -> Answered | None:
        if self._timer is not None:
            self._timer.cancel()
        answered, self._answered, self._parts, self._timer = self._answered, None, [], None
        return answered

    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self.wire.hang_up(self)
        answered = self._taken()
        if answered is not None:
            answered(None)


@dataclass(slots=True, eq=False)
class Wire:
    """The lines of one client, on the event loop that asks."""

    client: MongoClient[Document]
    threads: Executor
    loop: asyncio.AbstractEventLoop = field(init=False)
    _lines: set[Line] = field(default_factory=set)
    _idle: list[Line] = field(default_factory=list)
    """The one that was used last is the last."""
    _opening: set[Future[Any]] = field(default_factory=set)
    _not_before: float = 0.0

    def line(self, loop: asyncio.AbstractEventLoop) -> Line | None:
        """One that is free; None where there is none, which will be better soon."""
        if getattr(self, "loop", None) is not loop:
            self.close()
            self.loop, self._not_before = loop, 0.0
        while self._idle:
            line = self._idle.pop()
            if line.is_fit():
                return line
            line.close()
        if len(self._opening) < OPENED_AT_ONCE and len(self._lines) + len(self._opening) < LINES:
            self._open()
        return None

    def _open(self) -> None:
        if time.monotonic() < self._not_before:
            return
        opening = self.threads.submit(_opened, self.client)
        self._opening.add(opening)
        asyncio.wrap_future(opening, loop=self.loop).add_done_callback(partial(self._add, opening))

    def _add(self, opening: Future[Any], heard: "asyncio.Future[Any]") -> None:
        has_failed = heard.cancelled() or heard.exception() is not None
        if opening not in self._opening:
            return
        self._opening.remove(opening)
        if has_failed:
            self._not_before = time.monotonic() + AGAIN_SECONDS
            return
        connection = opening.result()
        session = self.client._topology.get_server_session(None)
        line = Line(self, connection, connection.conn.get_conn, session, time.monotonic())
        line.socket.setblocking(False)
        self.loop.add_reader(line.socket.fileno(), line.readable)
        self._lines.add(line)
        self._idle.append(line)

    def put_back(self, line: Line) -> None:
        line.used_at = time.monotonic()
        self._idle.append(line)

    def hang_up(self, line: Line) -> None:
        self._lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        if not self.loop.is_closed():
            self.loop.remove_reader(line.socket.fileno())
        line.connection.close_conn(None)

    def close(self) -> None:
        """Also those lines that are only being opened, whenever they are; it can be used again."""
        openings, self._opening = self._opening, set()
        for opening in openings:
            opening.add_done_callback(_close)
        for line in list(self._lines):
            line.close()


def _close(opening: Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close_conn(None)


def _opened(client: MongoClient[Document]) -> Any:
    """A connection to the primary, with all that the client's settings say of it; None over what is no socket.

    The driver has no public way to one; a test says whether this one still is a way.
    """
    pool = client._select_server(ReadPreference.PRIMARY, None, "find").pool
    connection = pool.connect()
    pool.active_contexts.discard(connection.cancel_context)
    if isinstance(connection.conn.get_conn, socket.socket) and not client.options.load_balanced:
        return connection
    connection.close_conn(None)
    raise PyMongoError("A connection of this kind is the driver's alone.")
