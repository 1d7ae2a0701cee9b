"""One operation as server-sent events: GraphQL over SSE in its distinct connections mode."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.types import Receive, Send

from gateway.http import errors
from gateway.http.answer import Encoded, bugs_told, request_id_of
from gateway.http.request import BadRequest, BodyLimits, headers_of, read
from gateway.http.subscribe import QUEUED_RESULTS, Ended, Refused, Result, Subscribe, too_slow

EVENT_STREAM: Final = "text/event-stream"
KEEP_ALIVE_SECONDS: Final = 12.0
"""Proxies close what says nothing for longer."""

_COMPLETE: Final = b"event: complete\ndata:\n\n"
_KEEP_ALIVE: Final = b":\n\n"


async def serve_events(request: Request, send: Send, subscribe: Subscribe, limits: BodyLimits) -> None:
    """Answers one request with a stream; what is malformed in JSON, what is refused as the stream's only result."""
    headers = headers_of(request)
    request_id = request_id_of(headers)
    try:
        operation = await read(request, headers, limits)
    except BadRequest as failure:
        sent = {"content-type": "application/json", "x-request-id": request_id, **failure.headers}
        await Encoded(failure.status, sent, orjson.dumps(errors.of_request(failure))).send(send)
        return
    events: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def collect() -> None:
        with bugs_told(request_id, lambda body: events.put_nowait(_event(body))):
            await _collect(subscribe(operation, headers), events)
        events.put_nowait(None)

    loop = asyncio.get_running_loop()
    collecting, writing = loop.create_task(collect()), loop.create_task(_write(events, send, request_id))
    leaving = loop.create_task(_left(request.receive))
    try:
        await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks = (collecting, writing, leaving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _collect(results: AsyncGenerator[Result, None], events: "asyncio.Queue[bytes | None]") -> None:
    try:
        async with aclosing(results):
            async for result in results:
                if events.qsize() >= QUEUED_RESULTS:
                    raise too_slow()
                events.put_nowait(_event(result))
    except Refused as refused:
        events.put_nowait(_event(refused.body))
    except Ended as ended:
        events.put_nowait(_event(errors.of_end(ended)))


async def _write(events: "asyncio.Queue[bytes | None]", send: Send, request_id: str) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-request-id", request_id.encode("latin-1")),
    ]
    # The server says by OSError that nobody reads any more.
    with suppress(OSError):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": _KEEP_ALIVE, "more_body": True})
        while (event := await _next(events)) is not None:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": _COMPLETE})


async def _next(events: "asyncio.Queue[bytes | None]") -> bytes | None:
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            return await events.get()
    except TimeoutError:
        return _KEEP_ALIVE


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(result: Any) -> bytes:
    return b"event: next\ndata: %b\n\n" % orjson.dumps(result)
