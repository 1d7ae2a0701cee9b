"""Subscribes at a subgraph, over a WebSocket (graphql-transport-ws) or server-sent events (graphql-sse, distinct mode).

graphql-transport-ws, messages in both directions:
    → connection_init   ← connection_ack   → subscribe   ← next …   ← complete | error     (← ping, → pong at any time)
graphql-sse: one POST whose response is a stream of events `next` and finally `complete`.
Source: github.com/enisdenjo/graphql-ws PROTOCOL.md, github.com/enisdenjo/graphql-sse PROTOCOL.md.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.federation.executor.endpoint import Endpoint, StreamProtocol
from gateway.federation.executor.subgraphs import Caller, Object, SubgraphFailed

if TYPE_CHECKING:
    import aiohttp

LOST: Final = "SUBSCRIPTION_LOST"
PROTOCOL: Final = "graphql-transport-ws"
HEARTBEAT_SECONDS: Final = 20.0
CLOSE_SECONDS: Final = 0.5
"""How long to wait for the subgraph's close frame when a stream ends."""


def open_session() -> "aiohttp.ClientSession":
    """Returns an HTTP client for streams: without a total timeout, as streams have no end."""
    # aiohttp takes long to import, and most processes never open a stream.
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def listen_to_subscription(
    session: "aiohttp.ClientSession", subgraph: str, endpoint: Endpoint, body: bytes, caller: Caller
) -> AsyncGenerator[Object, None]:
    """Yields the events of one subscription; closing the generator ends it. Raises SubgraphFailed."""
    import aiohttp

    is_websocket = endpoint.stream.protocol is StreamProtocol.WEBSOCKET
    listen = _listen_over_websocket if is_websocket else _listen_over_events
    events = listen(session, subgraph, endpoint, body, dict(endpoint.build_headers(caller)))
    try:
        async for event in events:
            yield event
    except (_BrokeOff, aiohttp.ClientError, OSError, ValueError):
        raise SubgraphFailed(f"The subgraph {subgraph} broke off the subscription.", LOST) from None
    finally:
        await events.aclose()


class _BrokeOff(Exception):
    """The stream ended before it was complete, or the subgraph violated the protocol."""


@asynccontextmanager
async def _limit_connecting(subgraph: str, endpoint: Endpoint) -> AsyncIterator[None]:
    """Limits the block to the subgraph's timeout. Raises SubgraphFailed, without the cause (see transport)."""
    import aiohttp

    try:
        async with asyncio.timeout(endpoint.limits.timeout_ms / 1000):
            yield
    except (aiohttp.ClientError, OSError, ValueError):
        raise SubgraphFailed(f"The subgraph {subgraph} cannot be reached.", "SUBGRAPH_UNAVAILABLE") from None


async def _listen_over_websocket(
    session: "aiohttp.ClientSession", subgraph: str, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
) -> AsyncGenerator[Object, None]:
    import aiohttp

    connecting = session.ws_connect(
        endpoint.stream.url or endpoint.url,
        protocols=(PROTOCOL,),
        headers=headers,
        heartbeat=HEARTBEAT_SECONDS,
        max_msg_size=endpoint.limits.response_bytes,
        timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        ssl=endpoint.tls or True,
    )
    async with _limit_connecting(subgraph, endpoint):
        socket = await connecting
    try:
        async with _limit_connecting(subgraph, endpoint):
            await socket.send_str('{"type":"connection_init"}')
            while (await _receive_message(socket))["type"] != "connection_ack":
                pass
        await socket.send_str(f'{{"id":"1","type":"subscribe","payload":{body.decode()}}}')
        while (message := await _receive_message(socket))["type"] != "complete":
            payload = message.get("payload")
            if message["type"] == "error":
                yield {"data": None, "errors": payload if isinstance(payload, list) else []}
                return
            if message["type"] == "next":
                yield _check_result(payload)
    finally:
        await socket.close()


async def _receive_message(socket: "aiohttp.ClientWebSocketResponse") -> dict[str, Any]:
    """Returns the next message. Answers pings itself. Raises _BrokeOff for anything that is not a message."""
    import aiohttp

    while True:
        frame = await socket.receive()
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise _BrokeOff
        message = orjson.loads(frame.data)
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _BrokeOff
        if message["type"] == "ping":
            await socket.send_str('{"type":"pong"}')
        elif message["type"] != "pong":
            return message


async def _listen_over_events(
    session: "aiohttp.ClientSession", subgraph: str, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
) -> AsyncGenerator[Object, None]:
    sent = {**headers, "content-type": "application/json", "accept": "text/event-stream"}
    url = endpoint.stream.url or endpoint.url
    posting = session.post(url, data=body, headers=sent, allow_redirects=False, ssl=endpoint.tls or True)
    async with _limit_connecting(subgraph, endpoint):
        response = await posting
    try:
        if response.content_type != "text/event-stream":
            raise _BrokeOff
        async for name, data in _parse_events(response, endpoint.limits.response_bytes):
            if name == "complete":
                return
            if name == "next":
                yield _check_result(orjson.loads(data))
        raise _BrokeOff
    finally:
        response.close()


async def _parse_events(
    response: "aiohttp.ClientResponse", limit_bytes: int
) -> AsyncGenerator[tuple[str, bytes], None]:
    """Yields the name and the data of each event.

    # b"event: next\ndata: {…}\n\n" → ("next", b"{…}"); a blank line ends an event, wherever the network splits it
    Source: WHATWG HTML, Server-sent events. A line that begins with a colon is a comment (keep-alive).
    """
    rest = b""
    async for part in response.content.iter_any():
        rest = (rest + part).replace(b"\r\n", b"\n")
        *whole, rest = rest.split(b"\n\n")
        if len(rest) > limit_bytes:
            raise _BrokeOff
        for event in whole:
            fields = [line.partition(b":") for line in event.split(b"\n")]
            named = [value.strip().decode() for name, _, value in fields if name == b"event"]
            data = b"\n".join(value.removeprefix(b" ") for name, _, value in fields if name == b"data")
            if named or data:
                yield (named[-1] if named else "next"), data


def _check_result(payload: Any) -> Object:
    if not isinstance(payload, dict):
        raise _BrokeOff
    return payload
