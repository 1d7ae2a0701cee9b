"""One operation as server-sent events: GraphQL over SSE in its distinct connections mode."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.http import errors
from gateway.http.answer import Encoded, bugs_told, raw, request_id_of
from gateway.http.connections import Connections
from gateway.http.request import BadRequest, BodyLimits, GraphQLRequest, read
from gateway.http.subscribe import (
    CLOSE_SECONDS,
    QUEUED_RESULTS,
    ROOM_SECONDS,
    Admission,
    Ended,
    Refused,
    Result,
    expired,
    too_slow,
)
from gateway.observability import metrics

EVENT_STREAM: Final = "text/event-stream"
_EVENT_STREAM: Final = EVENT_STREAM.encode()
KEEP_ALIVE_SECONDS: Final = 12.0
"""Proxies close what says nothing for longer."""

_COMPLETE: Final = b"event: complete\ndata:\n\n"
_KEEP_ALIVE: Final = b":\n\n"


def wants_events(scope: Scope) -> bool:
    return any(name == b"accept" and _EVENT_STREAM in value.lower() for name, value in scope["headers"])


async def serve_events(
    request: Request,
    send: Send,
    admission: Admission,
    limits: BodyLimits,
    connections: Connections,
) -> None:
    """Answers one request with a stream; what is malformed in JSON, what is refused as the stream's only result."""
    request_id = request_id_of(admission.headers)
    events = _Events(request_id)
    try:
        with connections.opened(request.scope, events.end), connections.held_by(admission.subject):
            operation = await read(request, admission.headers, limits)
            await events.served(request, send, admission, operation)
    except BadRequest as failure:
        await _refusal(failure.status, request_id, errors.of_request(failure), failure.headers).send(send)
    except Ended as ended:
        await _refusal(503, request_id, errors.of_end(ended), {"retry-after": "10"}).send(send)


def _refusal(status: int, request_id: str, body: dict[str, Any], headers: Mapping[str, str]) -> Encoded:
    sent = {"content-type": "application/json", "x-request-id": request_id, **headers}
    return Encoded(status, raw(sent), orjson.dumps(body))


class _Events:
    """What goes out on one stream, in order; nothing after its end."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._collecting: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    def end(self, ended: Ended) -> None:
        if self._collecting is not None and self._writing is not None:
            self._collecting.cancel()
            # Who reads nothing is not told.
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._writing.cancel)
        metrics.closed_connections.labels(ended.code).inc()
        self._waiting.put_nowait(_event(errors.of_end(ended)))
        self._waiting.put_nowait(None)

    async def served(self, request: Request, send: Send, admission: Admission, operation: GraphQLRequest) -> None:
        loop = asyncio.get_running_loop()
        # The subscription stands before the client hears that there is a stream.
        self._collecting = loop.create_task(self._collect(admission.subscribe(operation, admission.headers)))
        writing, leaving = loop.create_task(self._write(send)), loop.create_task(_left(request.receive))
        self._writing = writing
        expires = None
        if admission.expires_at is not None:
            expires = loop.call_later(admission.expires_at - time.time(), self.end, expired())
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if expires is not None:
                expires.cancel()
            tasks = (self._collecting, writing, leaving)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # A cancelled task keeps its frames, which hold this stream.
            self._collecting = self._writing = None

    async def _collect(self, results: AsyncGenerator[Result, None]) -> None:
        with bugs_told(self.request_id, lambda body: self._waiting.put_nowait(_event(body))):
            try:
                async with aclosing(results):
                    async for result in results:
                        if self._waiting.qsize() >= QUEUED_RESULTS:
                            await self._wait_for_room()
                        self._waiting.put_nowait(_event(result))
            except Refused as refused:
                self._waiting.put_nowait(_event(refused.body))
            except Ended as ended:
                self.end(ended)
        self._waiting.put_nowait(None)

    async def _wait_for_room(self) -> None:
        self._has_room.clear()
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._has_room.wait()
        except TimeoutError:
            raise too_slow() from None

    async def _write(self, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", self.request_id.encode("latin-1")),
        ]
        # The server says by OSError that nobody reads any more.
        with suppress(OSError):
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": _KEEP_ALIVE, "more_body": True})
            while (event := await self._next()) is not None:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": _COMPLETE})

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                event = await self._waiting.get()
        except TimeoutError:
            return _KEEP_ALIVE
        self._has_room.set()
        return event


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(result: Result) -> bytes:
    """Where the result says its position, it is the event's id, which browsers send again as Last-Event-ID."""
    position = result.get("extensions", {}).get("position")
    head = b"event: next\n" if position is None else b"event: next\nid: %b\n" % position.encode()
    return b"%bdata: %b\n\n" % (head, orjson.dumps(result))
