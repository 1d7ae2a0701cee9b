"""Operations over a websocket, in the graphql-transport-ws protocol."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope, Send

from gateway.http.answer import report_bugs
from gateway.http.connections import Connections, is_allowed
from gateway.http.request import request_id_of
from gateway.http.stream import CLOSE_SECONDS, QUEUED_RESULTS, ROOM_SECONDS, Admission, Admit, Subscribe
from gateway.observability import metrics
from gateway.operation.prepared import Asker
from gateway.operation.refusal import TOKEN_EXPIRED, TOO_SLOW, Ended, Refused
from gateway.operation.request import BadRequest, GraphQLRequest, read_request

PROTOCOL: Final = "graphql-transport-ws"
MAX_ID_CHARACTERS: Final = 200
MAX_REASON_BYTES: Final = 123
"""The most that a close frame can hold."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    init_ms: int = 5_000
    message_bytes: int = 262_144
    operations: int = 100
    """At once, on one connection."""


class Closed(Exception):
    """The connection ends with this close code; None: the client has closed it."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve_websocket(
    scope: Scope,
    receive: Receive,
    send: Send,
    admit: Admit,
    subscribe: Subscribe,
    limits: SocketLimits,
    connections: Connections,
) -> None:
    """Serve one connection until it ends. Leaves it closed, and no task running."""
    await receive()
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if not is_allowed(headers.get("origin"), headers.get("host"), connections.limits.origins):
        # A close before the handshake makes the server answer 403.
        await send({"type": "websocket.close"})
        return
    if PROTOCOL not in scope.get("subprotocols", ()):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
        return
    await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
    connection = _SocketConnection(receive, send, admit, subscribe, connections, headers, limits)
    try:
        with connections.register(scope, connection.end):
            await _send_close(send, await connection.serve())
    except Ended as ended:
        await _send_close(send, Closed(ended.close_code, str(ended)))


async def _send_close(send: Send, closed: Closed) -> None:
    if closed.code is None:
        return
    metrics.closed_connections.labels(str(closed.code)).inc()
    reason = closed.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    # Where the client has left meanwhile, the server raises an exception of its own.
    closing = send({"type": "websocket.close", "code": closed.code, "reason": reason})
    await asyncio.gather(asyncio.wait_for(closing, CLOSE_SECONDS), return_exceptions=True)


@dataclass(slots=True, eq=False)
class _SocketConnection:
    """One task reads messages, one writes them, and one runs each operation."""

    receive: Receive
    send: Send
    admit: Admit
    subscribe: Subscribe
    connections: Connections
    headers: Mapping[str, str]
    limits: SocketLimits
    _admission: Admission | None = None
    _exit_stack: ExitStack = field(default_factory=ExitStack)
    _timers: "list[asyncio.TimerHandle]" = field(default_factory=list)
    _outgoing: "asyncio.Queue[bytes]" = field(default_factory=lambda: asyncio.Queue(QUEUED_RESULTS))
    _running: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)
    _closed: "asyncio.Future[Closed]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def serve(self) -> Closed:
        """Return why the connection ends."""
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(self.limits.init_ms / 1000, self._check_acknowledged))
        reading, writing = loop.create_task(self._read()), loop.create_task(self._write())
        try:
            return await self._closed
        finally:
            for timer in self._timers:
                timer.cancel()
            tasks = [reading, writing, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._exit_stack.close()

    def end(self, ended: Ended) -> None:
        self._close(Closed(ended.close_code, str(ended)))

    def _close(self, closed: Closed) -> None:
        if not self._closed.done():
            # An exception keeps the frames that it was raised in, and they hold this connection. Without them reference
            # counting frees both; with them only the garbage collector would.
            self._closed.set_result(closed.with_traceback(None))

    def _check_acknowledged(self) -> None:
        if self._admission is None:
            self._close(Closed(4408, "Connection initialisation timeout"))

    async def _write(self) -> None:
        while True:
            message = await self._outgoing.get()
            try:
                await self.send({"type": "websocket.send", "text": message.decode()})
            except OSError:
                self._close(Closed(None))

    def _send_now(self, message: Mapping[str, Any]) -> None:
        """Queue a message. Raises Ended where the queue is full: the client reads too slowly."""
        try:
            self._outgoing.put_nowait(orjson.dumps(message))
        except asyncio.QueueFull:
            raise Ended(TOO_SLOW) from None

    async def _send_waiting(self, message: Mapping[str, Any]) -> None:
        """Queue a message once there is room. Raises Ended where there is none for ROOM_SECONDS."""
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._outgoing.put(orjson.dumps(message))
        except TimeoutError:
            raise Ended(TOO_SLOW) from None

    async def _read(self) -> None:
        request_id = request_id_of(self.headers)
        with report_bugs(request_id, lambda body: self._close(Closed(1011, f"Request id {request_id}"))):
            try:
                while True:
                    message = await self.receive()
                    if message["type"] == "websocket.disconnect":
                        raise Closed(None)
                    await self._handle_message(self._parse_message(message.get("text")))
            except Closed as closed:
                self._close(closed)
            except Ended as ended:
                self.end(ended)

    def _parse_message(self, text: str | None) -> dict[str, Any]:
        if text is None:
            raise Closed(4400, "Messages are text")
        if len(text) > self.limits.message_bytes:
            raise Closed(1009, f"A message has more than {self.limits.message_bytes} bytes")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(4400, "A message is not JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "A message is an object with a type")
        return message

    async def _handle_message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._acknowledge(message.get("payload"))
            case "ping":
                _check_payload(message.get("payload"))
                self._send_now({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                self._start(_read_id(message), message.get("payload"))
            case "complete":
                task = self._running.pop(_read_id(message), None)
                if task is not None:
                    task.cancel()
            case _:
                raise Closed(4400, "There is no such type of message")

    async def _acknowledge(self, payload: Any) -> None:
        _check_payload(payload)
        if self._admission is not None:
            raise Closed(4429, "Too many initialisation requests")
        admission = await self.admit(payload or {}, self.headers)
        self._exit_stack.enter_context(self.connections.register_subject(admission.subject))
        if admission.expires_at is not None:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(admission.expires_at - time.time(), self.end, Ended(TOKEN_EXPIRED)))
        self._admission = admission
        self._send_now({"type": "connection_ack"})

    def _start(self, operation_id: str, payload: Any) -> None:
        if self._admission is None:
            raise Closed(4401, "Unauthorized")
        if operation_id in self._running:
            raise Closed(4409, f"Subscriber for {operation_id} already exists")
        if len(self._running) >= self.limits.operations:
            raise Closed(4429, f"More than {self.limits.operations} operations at once")
        if not isinstance(payload, dict):
            raise Closed(4400, "The payload of subscribe is an object")
        try:
            request = read_request(payload)
        except BadRequest as failure:
            raise Closed(4400, str(failure)) from None
        # Each operation gets a request id of its own, where the handshake's headers name none.
        asker = self._admission.asker
        asker = asker._replace(request_id=request_id_of(asker.headers))
        task = asyncio.get_running_loop().create_task(self._run(operation_id, request, asker))
        self._running[operation_id] = task

    async def _run(self, operation_id: str, request: GraphQLRequest, asker: Asker) -> None:
        try:
            with report_bugs(asker.request_id, lambda body: self._send_error(operation_id, body["errors"])):
                await self._send_results(operation_id, request, asker)
        finally:
            if self._running.get(operation_id) is asyncio.current_task():
                del self._running[operation_id]

    async def _send_results(self, operation_id: str, request: GraphQLRequest, asker: Asker) -> None:
        try:
            async with aclosing(self.subscribe(request, asker)) as results:
                async for result in results:
                    await self._send_waiting({"id": operation_id, "type": "next", "payload": result})
            await self._send_waiting({"id": operation_id, "type": "complete"})
        except Refused as refused:
            self._send_error(operation_id, refused.body["errors"])
        except Ended as ended:
            self.end(ended)

    def _send_error(self, operation_id: str, errors: Any) -> None:
        try:
            self._send_now({"id": operation_id, "type": "error", "payload": errors})
        except Ended as ended:
            self.end(ended)


def _check_payload(payload: Any) -> None:
    if not isinstance(payload, dict | None):
        raise Closed(4400, "A payload is an object")


def _read_id(message: dict[str, Any]) -> str:
    sent = message.get("id")
    if not isinstance(sent, str) or not 0 < len(sent) <= MAX_ID_CHARACTERS:
        raise Closed(4400, f"An id is text of 1 to {MAX_ID_CHARACTERS} characters")
    return sent
