"""A subgraph as a real HTTP server, which answers as a test tells it to, or not at all."""

import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = Callable[[dict[str, Any], web.Request], Awaitable[web.StreamResponse]]
Streams = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def run_server(
    answer: Answer,
    port: int = 0,
    streams: Streams | None = None,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Yields the URL of a server that answers requests by `answer` (given their JSON) and WebSockets by `streams`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer(await request.json(), request)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/", handle)
    if streams is not None:
        app.router.add_get("/", streams)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=tls)
    await site.start()
    [listening] = runner.addresses
    try:
        yield f"{'http' if tls is None else 'https'}://{host}:{listening[1]}/"
    finally:
        await runner.cleanup()


def answer_with(data: Any, **further: Any) -> Answer:
    """Answers every request with the same data."""

    async def answer(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": data, **further})

    return answer


def answer_text(body: str | bytes, status: int = 200, content_type: str = "application/json") -> Answer:
    """Answers every request with the same bytes."""
    encoded = body.encode() if isinstance(body, str) else body

    async def answer(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        return web.Response(body=encoded, status=status, content_type=content_type)

    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read_representations(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the representations that a request sends."""
    found: list[dict[str, Any]] = json.loads(json.dumps(asked["variables"]["r0"]))
    return found
