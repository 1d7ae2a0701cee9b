"""HTTP to a subgraph: kept connections, timeout, retry, circuit breaker, limits."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from gateway.federation.executor.connection import Lost, Oversized, Pool, Response, header_lines, pool
from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.streams import listened, opened_session
from gateway.federation.executor.subgraphs import NOBODY, Caller, SubgraphFailed

if TYPE_CHECKING:
    import aiohttp


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
class _Far:
    """What is kept of an endpoint between requests; queries that are under way by what was sent."""

    endpoint: Endpoint
    pool: Pool
    breaker: Breaker
    under_way: dict[tuple[bytes, bytes], "asyncio.Future[bytes]"] = field(default_factory=dict)


@dataclass(slots=True)
class HttpTransport:
    """Asks subgraphs by their endpoints, which may be exchanged; close it when nothing is asked any more."""

    endpoints: Mapping[str, Endpoint]
    _far: dict[str, _Far] = field(default_factory=dict)
    _session: "aiohttp.ClientSession | None" = None

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller = NOBODY) -> dict[str, Any]:
        """The subgraph's answer. A query is sent once more where its connection was lost, and once for all who
        send the same at the same time."""
        far = self._far.get(subgraph)
        if far is None or far.endpoint is not self.endpoints[subgraph]:
            far = self._far[subgraph] = self._opened(subgraph, far)
        headers = header_lines(far.endpoint.headers_for(caller))
        if kind != "query":
            return (await self._sent(subgraph, far, body, headers, tries=1))[1]
        same = (body, headers)
        while (joined := far.under_way.get(same)) is not None:
            try:
                return _read(subgraph, await asyncio.shield(joined))
            except _Abandoned:
                continue
        return await self._sent_for_all(subgraph, far, body, headers)

    async def _sent_for_all(self, subgraph: str, far: _Far, body: bytes, headers: bytes) -> dict[str, Any]:
        shared = far.under_way[body, headers] = asyncio.get_running_loop().create_future()
        try:
            text, answer = await self._sent(subgraph, far, body, headers, tries=2)
            # The others read it for themselves: each merges further answers into its own.
            shared.set_result(text)
        except SubgraphFailed as failed:
            shared.set_exception(failed)
            raise
        finally:
            del far.under_way[body, headers]
            if not shared.done():
                shared.set_exception(_Abandoned())
            # Whether anybody else waits for it or not: its failure has been seen here.
            shared.exception()
        return answer

    async def _sent(
        self, subgraph: str, far: _Far, body: bytes, headers: bytes, tries: int
    ) -> tuple[bytes, dict[str, Any]]:
        far.breaker.check()
        try:
            response = await _timely(subgraph, far, body, headers, tries)
            if response.status // 100 == 3:
                raise SubgraphFailed(f"The subgraph {subgraph} answers elsewhere: its address is not followed.")
            answer = _read(subgraph, response.body)
        except SubgraphFailed:
            far.breaker.note(failed=True)
            raise
        far.breaker.note(failed=False)
        return response.body, answer

    def _opened(self, subgraph: str, before: _Far | None) -> _Far:
        endpoint = self.endpoints[subgraph]
        limits = endpoint.limits
        if before is not None:
            if before.endpoint == endpoint:
                before.endpoint = endpoint
                return before
            before.pool.close()
        try:
            made = pool(endpoint.url, endpoint.tls, limits.connections, limits.response_bytes)
        except ValueError:
            sentence = f"The subgraph {subgraph} has no address that can be asked."
            raise SubgraphFailed(sentence, "SUBGRAPH_UNAVAILABLE") from None
        return _Far(endpoint, made, Breaker(limits))

    async def listen(self, subgraph: str, body: bytes, caller: Caller) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a subscription at the subgraph."""
        if self._session is None:
            self._session = opened_session()
        async with aclosing(listened(self._session, subgraph, self.endpoints[subgraph], body, caller)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        for far in self._far.values():
            far.pool.close()
        # The loop closes the sockets in its next round, which must not be after its own end.
        await asyncio.sleep(0)


class _Abandoned(Exception):
    """Who asked for all has gone: one of those that wait asks again."""


async def _timely(subgraph: str, far: _Far, body: bytes, headers: bytes, tries: int) -> Response:
    limits = far.endpoint.limits
    try:
        async with asyncio.timeout(limits.timeout_ms / 1000):
            return await far.pool.post(body, headers, tries)
    except TimeoutError:
        sentence = f"The subgraph {subgraph} did not answer within {limits.timeout_ms} ms."
        raise SubgraphFailed(sentence, "SUBGRAPH_TIMEOUT") from None
    except Oversized:
        sentence = f"The subgraph {subgraph} answered with more than {limits.response_bytes} bytes."
        raise SubgraphFailed(sentence) from None
    except Lost as failure:
        raise SubgraphFailed(f"The subgraph {subgraph} gave no answer. {failure}", "SUBGRAPH_UNAVAILABLE") from None
    except OSError as failure:
        sentence = f"The subgraph {subgraph} cannot be reached ({type(failure).__name__})."
        raise SubgraphFailed(sentence, "SUBGRAPH_UNAVAILABLE") from None


def _read(subgraph: str, body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer in JSON.") from None
    if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer as GraphQL does.")
    return answer
