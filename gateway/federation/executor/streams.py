"""Subscriptions at a subgraph: events over graphql-transport-ws or as server-sent events."""

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
"""So long a subgraph may take to agree that its stream is over."""


def opened_session() -> "aiohttp.ClientSession":
    """A client for streams, which have no end that could be waited for."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def listened(
    session: "aiohttp.ClientSession", subgraph: str, endpoint: Endpoint, body: bytes, caller: Caller
) -> AsyncGenerator[Object, None]:
    """The events of one subscription; whoever stops listening closes it. Raises SubgraphFailed."""
    import aiohttp

    over = _over_websocket if endpoint.stream.protocol is StreamProtocol.WEBSOCKET else _over_events
    events = over(session, subgraph, endpoint, body, dict(endpoint.headers_for(caller)))
    try:
        async for event in events:
            yield event
    except (_BrokeOff, aiohttp.ClientError, OSError, ValueError):
        raise SubgraphFailed(f"The subgraph {subgraph} has broken the subscription off.", LOST) from None
    finally:
        await events.aclose()


class _BrokeOff(Exception):
    """The stream ended without being completed, or said what its protocol does not."""


@asynccontextmanager
async def _reached(subgraph: str, endpoint: Endpoint) -> AsyncIterator[None]:
    """What must be done within the subgraph's time. Raises SubgraphFailed, which says as little as that of a fetch."""
    import aiohttp

    try:
        async with asyncio.timeout(endpoint.limits.timeout_ms / 1000):
            yield
    except (aiohttp.ClientError, OSError, ValueError):
        raise SubgraphFailed(f"The subgraph {subgraph} cannot be reached.", "SUBGRAPH_UNAVAILABLE") from None


async def _over_websocket(
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
    async with _reached(subgraph, endpoint):
        socket = await connecting
    try:
        async with _reached(subgraph, endpoint):
            await socket.send_str('{"type":"connection_init"}')
            while (await _message(socket))["type"] != "connection_ack":
                pass
        await socket.send_str(f'{{"id":"1","type":"subscribe","payload":{body.decode()}}}')
        while (message := await _message(socket))["type"] != "complete":
            payload = message.get("payload")
            if message["type"] == "error":
                yield {"data": None, "errors": payload if isinstance(payload, list) else []}
                return
            if message["type"] == "next":
                yield _result(payload)
    finally:
        await socket.close()


async def _message(socket: "aiohttp.ClientWebSocketResponse") -> dict[str, Any]:
    """The next message that is not about the connection itself."""
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


async def _over_events(
    session: "aiohttp.ClientSession", subgraph: str, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
) -> AsyncGenerator[Object, None]:
    sent = {**headers, "content-type": "application/json", "accept": "text/event-stream"}
    url = endpoint.stream.url or endpoint.url
    asking = session.post(url, data=body, headers=sent, allow_redirects=False, ssl=endpoint.tls or True)
    async with _reached(subgraph, endpoint):
        response = await asking
    try:
        if response.content_type != "text/event-stream":
            raise _BrokeOff
        async for name, data in _events(response, endpoint.limits.response_bytes):
            if name == "complete":
                return
            if name == "next":
                yield _result(orjson.loads(data))
        raise _BrokeOff
    finally:
        response.close()


async def _events(response: "aiohttp.ClientResponse", limit_bytes: int) -> AsyncGenerator[tuple[str, bytes], None]:
    """Name and data of each event, as the format's blank lines divide them."""
    left = b""
    async for part in response.content.iter_any():
        left = (left + part).replace(b"\r\n", b"\n")
        *whole, left = left.split(b"\n\n")
        if len(left) > limit_bytes:
            raise _BrokeOff
        for event in whole:
            fields = [line.partition(b":") for line in event.split(b"\n")]
            named = [value.strip().decode() for name, _, value in fields if name == b"event"]
            data = b"\n".join(value.removeprefix(b" ") for name, _, value in fields if name == b"data")
            if named or data:
                yield (named[-1] if named else "next"), data


def _result(payload: Any) -> Object:
    if not isinstance(payload, dict):
        raise _BrokeOff
    return payload
