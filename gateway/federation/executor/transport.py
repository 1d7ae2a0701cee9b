"""HTTP to a subgraph: kept connections, timeout, retry, circuit breaker, limits."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson

from gateway.federation.executor.run import SubgraphFailed

_HEADERS: Final = {"content-type": "application/json", "accept": "application/json"}


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """For each subgraph: how long it may take, how much it may answer, how many requests it gets at once."""

    timeout_ms: int = 10_000
    response_bytes: int = 16 * 1024 * 1024
    connections: int = 64
    failures_to_open: int = 10
    """So many failures in a row, and it is not asked for `open_ms`."""
    open_ms: int = 5_000


@dataclass(slots=True)
class Breaker:
    """Counts failures in a row; while open, nothing is sent."""

    limits: TransportLimits
    failures: int = 0
    opened_at: float = 0.0

    def check(self) -> None:
        """Raises SubgraphFailed while open; lets one request through once the pause is over."""
        if self.failures < self.limits.failures_to_open:
            return
        now = time.monotonic()
        if (now - self.opened_at) * 1000 < self.limits.open_ms:
            raise SubgraphFailed("The subgraph failed too often and is not asked for now.", "SUBGRAPH_UNAVAILABLE")
        self.opened_at = now

    def note(self, *, failed: bool) -> None:
        self.failures = self.failures + 1 if failed else 0
        if self.failures == self.limits.failures_to_open:
            self.opened_at = time.monotonic()


@dataclass(slots=True)
class HttpTransport:
    """Asks subgraphs by their URLs; close it when nothing is asked any more."""

    urls: dict[str, str]
    limits: TransportLimits = TransportLimits()
    headers: Mapping[str, str] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    async def ask(self, subgraph: str, body: bytes, kind: str) -> dict[str, Any]:
        """The subgraph's answer. Queries are sent once more where a kept connection had gone stale."""
        breaker = self._breakers.setdefault(subgraph, Breaker(self.limits))
        breaker.check()
        try:
            answer = await self._sent(subgraph, body, tries=2 if kind == "query" else 1)
        except SubgraphFailed:
            breaker.note(failed=True)
            raise
        breaker.note(failed=False)
        return answer

    async def _sent(self, subgraph: str, body: bytes, tries: int) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self.limits.timeout_ms / 1000):
                return await self._tried(subgraph, body, tries)
        except TimeoutError:
            sentence = f"The subgraph {subgraph} did not answer within {self.limits.timeout_ms} ms."
            raise SubgraphFailed(sentence, "SUBGRAPH_TIMEOUT") from None
        except aiohttp.ClientError as failure:
            sentence = f"The subgraph {subgraph} cannot be reached ({type(failure).__name__})."
            raise SubgraphFailed(sentence, "SUBGRAPH_UNAVAILABLE") from None

    async def _tried(self, subgraph: str, body: bytes, tries: int) -> dict[str, Any]:
        for left in range(tries - 1, -1, -1):
            try:
                async with self._opened().post(self.urls[subgraph], data=body, allow_redirects=False) as response:
                    return _read(subgraph, await self._limited(subgraph, response))
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if left == 0:
                    raise
        raise AssertionError("unreachable")

    async def _limited(self, subgraph: str, response: aiohttp.ClientResponse) -> bytes:
        limit = self.limits.response_bytes
        announced = response.content_length
        # A compressed body announces less than it becomes.
        if announced is not None and announced <= limit and "content-encoding" not in response.headers:
            return await response.read()
        parts, size = [], 0
        async for part in response.content.iter_chunked(65_536):
            size += len(part)
            if size > limit:
                raise SubgraphFailed(f"The subgraph {subgraph} answered with more than {limit} bytes.")
            parts.append(part)
        return b"".join(parts)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, limit_per_host=self.limits.connections, keepalive_timeout=30)
            headers = {**_HEADERS, **self.headers}
            self._session = aiohttp.ClientSession(
                connector=connector, headers=headers, auto_decompress=True, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _read(subgraph: str, body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer in JSON.") from None
    if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer as GraphQL does.")
    return answer
