"""HTTP to a subgraph: kept connections, timeout, retry, circuit breaker, limits."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from gateway.federation.executor.breaker import Breaker, State
from gateway.federation.executor.connection import (
    CONNECT_SECONDS,
    Lost,
    Oversized,
    Pool,
    Resolve,
    Response,
    header_lines,
    pool,
)
from gateway.federation.executor.endpoint import Endpoint
from gateway.federation.executor.streams import listened, opened_session
from gateway.federation.executor.subgraphs import ANONYMOUS_CALLER, Caller, Sign, SubgraphFailed

if TYPE_CHECKING:
    import aiohttp


Note = Callable[[str, float, SubgraphFailed | None], None]
"""Hears of each request that was to be sent: to whom, the seconds that it took, what failed. The failure's `__cause__`
is for operators alone."""


@dataclass(slots=True)
class _Far:
    """What is kept of an endpoint between requests; queries that are under way by what was sent."""

    endpoint: Endpoint
    pool: Pool
    breaker: Breaker
    at_once: int = 0
    """Requests that are being sent, or wait for their turn."""
    under_way: dict[tuple[bytes, bytes], "asyncio.Future[bytes]"] = field(default_factory=dict)


@dataclass(slots=True)
class HttpTransport:
    """Asks subgraphs by their endpoints, which may be exchanged; close it when nothing is asked any more."""

    endpoints: Mapping[str, Endpoint]
    sign: Sign | None = None
    resolve: Resolve | None = None
    """Where connections may go to, by host and port; by default wherever the host's name leads."""
    note: Note | None = None
    _far: dict[str, _Far] = field(default_factory=dict)
    _leaving: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    """What forgets the endpoints that are asked no more once those who began before have their answers."""
    _session: "aiohttp.ClientSession | None" = None

    async def ask(self, subgraph: str, body: bytes, kind: str, caller: Caller = ANONYMOUS_CALLER) -> dict[str, Any]:
        """The subgraph's answer. A query is sent once more where its connection was lost, and once for all who
        send the same at the same time."""
        far = self._far.get(subgraph)
        if far is None or far.endpoint is not self.endpoints.get(subgraph):
            far = self._far[subgraph] = self._opened(subgraph, far)
        signed = () if self.sign is None else self.sign(subgraph, body, kind, caller)
        headers = header_lines(far.endpoint.headers_for(caller) + signed)
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
        began = time.monotonic()
        try:
            done = await self._admitted(subgraph, far, body, headers, tries)
        except SubgraphFailed as failure:
            if self.note is not None:
                self.note(subgraph, time.monotonic() - began, failure)
            raise
        if self.note is not None:
            self.note(subgraph, time.monotonic() - began, None)
        return done

    async def _admitted(
        self, subgraph: str, far: _Far, body: bytes, headers: bytes, tries: int
    ) -> tuple[bytes, dict[str, Any]]:
        """Within the subgraph's share of what is under way, and while its breaker is closed."""
        limits = far.endpoint.limits
        if far.at_once >= limits.connections + limits.waiting:
            raise SubgraphFailed(f"The subgraph {subgraph} is asked for too much at once.", "SUBGRAPH_BUSY")
        far.breaker.check()
        far.at_once += 1
        try:
            response = await _timely(subgraph, far, body, headers, tries)
            if response.status // 100 == 3:
                raise SubgraphFailed(f"The subgraph {subgraph} answers elsewhere: its address is not followed.")
            answer = _read(subgraph, response.body)
        except SubgraphFailed:
            far.breaker.note(failed=True)
            raise
        finally:
            far.at_once -= 1
        far.breaker.note(failed=False)
        return response.body, answer

    def state(self, subgraph: str) -> State:
        """Of its breaker; closed where it has not been asked yet."""
        far = self._far.get(subgraph)
        return State.CLOSED if far is None else far.breaker.state

    def exchange(self, endpoints: Mapping[str, Endpoint], drain_seconds: float) -> None:
        """Asks at these from now on; at those that are no more among them so long, for who began before."""
        gone = {name: endpoint for name, endpoint in self.endpoints.items() if name not in endpoints}
        self.endpoints = {**gone, **endpoints}
        for name in [name for name in self._leaving if name in endpoints]:
            self._leaving.pop(name).cancel()
        loop = asyncio.get_running_loop()
        for name in gone:
            if name not in self._leaving:
                self._leaving[name] = loop.call_later(drain_seconds, self._forget, name)

    def _forget(self, subgraph: str) -> None:
        del self._leaving[subgraph]
        self.endpoints = {name: endpoint for name, endpoint in self.endpoints.items() if name != subgraph}
        far = self._far.pop(subgraph, None)
        if far is not None:
            far.pool.close()

    def _opened(self, subgraph: str, before: _Far | None) -> _Far:
        endpoint = self.endpoints.get(subgraph)
        if endpoint is None:
            raise SubgraphFailed(f"The subgraph {subgraph} has left the graph.", "SUBGRAPH_UNAVAILABLE")
        limits = endpoint.limits
        if before is not None:
            if before.endpoint == endpoint:
                before.endpoint = endpoint
                return before
            before.pool.close()
        try:
            made = pool(endpoint.url, endpoint.tls, limits.connections, limits.response_bytes, self.resolve)
        except ValueError:
            sentence = f"The subgraph {subgraph} has no address that can be asked."
            raise SubgraphFailed(sentence, "SUBGRAPH_UNAVAILABLE") from None
        # Half of the time is left for an answer: who cannot be reached is not taken for one who is slow.
        made.connect_seconds = min(CONNECT_SECONDS, limits.timeout_ms / 2000)
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
        for waiting in self._leaving.values():
            waiting.cancel()
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
    except TimeoutError as failure:
        sentence = f"The subgraph {subgraph} did not answer within {limits.timeout_ms} ms."
        raise SubgraphFailed(sentence, "SUBGRAPH_TIMEOUT") from failure
    except Oversized as failure:
        sentence = f"The subgraph {subgraph} answered with more than {limits.response_bytes} bytes."
        raise SubgraphFailed(sentence) from failure
    except (Lost, OSError) as failure:
        # Refused, unknown, unreachable, an address that may not be asked, a wrong certificate, what is no HTTP: the
        # answer is the same, lest whoever publishes a URL learns from the gateway what is where.
        raise SubgraphFailed(f"The subgraph {subgraph} cannot be reached.", "SUBGRAPH_UNAVAILABLE") from failure


def _read(subgraph: str, body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer in JSON.") from None
    if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer as GraphQL does.")
    return answer
