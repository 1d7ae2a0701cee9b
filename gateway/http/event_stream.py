"""One operation as server-sent events: GraphQL over SSE, in its distinct connections mode."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway import errors
from gateway.http.answer import EncodedAnswer, encode_headers, report_bugs
from gateway.http.connections import Connections
from gateway.http.request import BodyLimits, read_http_request
from gateway.http.stream import CLOSE_SECONDS, QUEUED_RESULTS, ROOM_SECONDS, Admission, Subscribe
from gateway.observability import metrics
from gateway.operation.prepared import Body
from gateway.operation.refusal import TOKEN_EXPIRED, TOO_SLOW, Ended, Refused
from gateway.operation.request import BadRequest

EVENT_STREAM: Final = "text/event-stream"
_EVENT_STREAM: Final = EVENT_STREAM.encode()
KEEP_ALIVE_SECONDS: Final = 12.0
"""Proxies close connections that are silent for longer."""

_COMPLETE: Final = b"event: complete\ndata:\n\n"
_KEEP_ALIVE: Final = b":\n\n"


def wants_events(scope: Scope) -> bool:
    return any(name == b"accept" and _EVENT_STREAM in value.lower() for name, value in scope["headers"])


async def serve_events(
    request: Request,
    send: Send,
    admission: Admission,
    subscribe: Subscribe,
    limits: BodyLimits,
    connections: Connections,
) -> None:
    """Answer with a stream. A malformed request gets JSON; a refused operation is the stream's only result."""
    asker = admission.asker
    request_id = asker.request_id
    events = _EventStream(request_id)
    try:
        with connections.register(request.scope, events.end), connections.register_subject(admission.subject):
            graphql = await read_http_request(request, asker.headers, limits)
            await events.serve(request, send, subscribe(graphql, asker), admission.expires_at)
    except BadRequest as failure:
        await _encode_refusal(failure.status, request_id, errors.of_request(failure), failure.headers).send(send)
    except Ended as ended:
        await _encode_refusal(503, request_id, errors.of_end(ended), {"retry-after": "10"}).send(send)


def _encode_refusal(status: int, request_id: str, body: Body, headers: Mapping[str, str]) -> EncodedAnswer:
    sent = {"content-type": "application/json", "x-request-id": request_id, **headers}
    return EncodedAnswer(status, encode_headers(sent), orjson.dumps(body))


class _EventStream:
    """The events of one stream, sent in order. Nothing is sent after the end.

    Three tasks: one collects results into a queue, one writes the queue, one waits for the client to leave.
    """

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._collecting: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    def end(self, ended: Ended) -> None:
        if self._collecting is not None and self._writing is not None:
            self._collecting.cancel()
            # A client that reads nothing does not receive the reason.
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._writing.cancel)
        metrics.closed_connections.labels(ended.code).inc()
        self._waiting.put_nowait(_encode_event(errors.of_end(ended)))
        self._waiting.put_nowait(None)

    async def serve(
        self, request: Request, send: Send, results: AsyncGenerator[Body, None], expires_at: float | None
    ) -> None:
        loop = asyncio.get_running_loop()
        # Collecting starts first: the subscription is open before the client hears that there is a stream.
        self._collecting = loop.create_task(self._collect(results))
        writing, leaving = loop.create_task(self._write(send)), loop.create_task(_wait_for_disconnect(request.receive))
        self._writing = writing
        expiry = None
        if expires_at is not None:
            expiry = loop.call_later(expires_at - time.time(), self.end, Ended(TOKEN_EXPIRED))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if expiry is not None:
                expiry.cancel()
            tasks = (self._collecting, writing, leaving)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # A cancelled task keeps its frames, and they hold this stream: a cycle, if the stream held the task.
            self._collecting = self._writing = None

    async def _collect(self, results: AsyncGenerator[Body, None]) -> None:
        with report_bugs(self.request_id, lambda body: self._waiting.put_nowait(_encode_event(body))):
            try:
                async with aclosing(results):
                    async for result in results:
                        if self._waiting.qsize() >= QUEUED_RESULTS:
                            await self._wait_for_room()
                        self._waiting.put_nowait(_encode_event(result))
            except Refused as refused:
                self._waiting.put_nowait(_encode_event(refused.body))
            except Ended as ended:
                self.end(ended)
        self._waiting.put_nowait(None)

    async def _wait_for_room(self) -> None:
        self._has_room.clear()
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._has_room.wait()
        except TimeoutError:
            raise Ended(TOO_SLOW) from None

    async def _write(self, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", self.request_id.encode("latin-1")),
        ]
        # The server raises OSError where the client has left.
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


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _encode_event(result: Mapping[str, Any]) -> bytes:
    """A result's position is the event's id: browsers send the last one again as Last-Event-ID."""
    position = result.get("extensions", {}).get("position")
    head = b"event: next\n" if position is None else b"event: next\nid: %b\n" % position.encode()
    return b"%bdata: %b\n\n" % (head, orjson.dumps(result))
