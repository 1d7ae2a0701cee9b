"""A subscriber's side of the wire: graphql-transport-ws against the running gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from support.portal import Portal, bearer

from resolvers.viewer import PUBLIC, Viewer

CHANGED = """subscription ($id: ID!, $secret: String) {
  complaintChanged(complaint: $id, secret: $secret) { id title body status revision holder { id } } }"""
INBOX = """subscription ($agency: ID!, $filter: ComplaintFilter) {
  agencyInbox(agency: $agency, filter: $filter) { id status revision holder { id } title body } }"""


@dataclass(slots=True)
class Socket:
    """One connection that has been acknowledged."""

    raw: aiohttp.ClientWebSocketResponse

    async def subscribe(self, query: str, operation_id: str = "s", position: str | None = None, **given: Any) -> None:
        payload: dict[str, Any] = {"query": query, "variables": given}
        if position is not None:
            payload["extensions"] = {"position": position}
        await self.raw.send_json({"id": operation_id, "type": "subscribe", "payload": payload})

    async def standing(self, query: str, operation_id: str = "s", **given: Any) -> None:
        """Subscribes, and waits until what happens from now on is told."""
        await self.subscribe(query, operation_id, **given)
        await self.subscribe("{ viewer { role } }", "standing")
        assert (await self.message())["id"] == "standing"
        assert (await self.message())["type"] == "complete"

    async def message(self, seconds: float = 20) -> dict[str, Any]:
        found: dict[str, Any] = await self.raw.receive_json(timeout=seconds)
        return found

    async def event(self) -> Any:
        """The next result's one field."""
        message = await self.message()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        [found] = message["payload"]["data"].values()
        return found

    async def refusal(self) -> str:
        """The code of the error that ends the operation."""
        message = await self.message()
        assert message["type"] == "error", message
        code: str = message["payload"][0]["extensions"]["code"]
        return code

    async def nothing(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes, asked by a question whose answer comes after what was told before it."""
        await asyncio.sleep(seconds)
        await self.subscribe("{ viewer { role } }", "nothing")
        found: str = (await self.message())["id"]
        await self.message()
        return found == "nothing"

    async def closed(self, seconds: float = 20) -> tuple[int | None, str]:
        """The close code and reason, whatever comes before."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self.raw.receive()
                if message.type is aiohttp.WSMsgType.CLOSE:
                    return message.data, message.extra or ""
                if message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    return self.raw.close_code, ""


@asynccontextmanager
async def connecting(portal: Portal, **further: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = portal.url.replace("http", "ws") + "/graphql"
    async with portal.session.ws_connect(url, protocols=("graphql-transport-ws",), **further) as raw:
        yield raw


@asynccontextmanager
async def connected(portal: Portal, viewer: Viewer = PUBLIC, payload: Any = None) -> AsyncIterator[Socket]:
    async with connecting(portal) as raw:
        given = bearer(viewer) if payload is None else payload
        await raw.send_json({"type": "connection_init", "payload": given})
        assert await raw.receive_json(timeout=20) == {"type": "connection_ack"}
        yield Socket(raw)
