"""Asks subgraphs over HTTP, with timeout, retry, circuit breaker, and one request for equal queries in flight.

The way of a request:
    ask ─▶ _send_shared (joins an equal query) ─▶ _send (reports to `note`)
        ─▶ _send_within_limits (busy? breaker open?) ─▶ _post_in_time (timeout) ─▶ Pool.post (retry)
"""

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
    encode_headers,
    make_pool,
)
from gateway.federation.executor.endpoint import Endpoint
from gateway.federation.executor.streams import listen_to_subscription, open_session
from gateway.federation.executor.subgraphs import (
    ANONYMOUS_CALLER,
    Caller,
    Object,
    Sign,
    SubgraphFailed,
    SubgraphRequest,
)

if TYPE_CHECKING:
    import aiohttp


Note = Callable[[str, float, SubgraphFailed | None], None]
"""Is called after each request with the subgraph, its duration in seconds, and the failure if there was one.

The failure's `__cause__` says what happened to the connection; it is for operators only."""


@dataclass(slots=True)
class _Upstream:
    """The state that belongs to an endpoint between requests."""

    endpoint: Endpoint
    pool: Pool
    breaker: Breaker
    requests: int = 0
    """Requests that are being sent or wait for a connection."""
    in_flight: dict[tuple[bytes, bytes], "asyncio.Future[bytes]"] = field(default_factory=dict)
    """The answers that queries wait for, by body and headers."""


@dataclass(slots=True)
class HttpTransport:
    """Asks subgraphs at their endpoints, which can be replaced while it runs. `close` it at the end."""

    endpoints: Mapping[str, Endpoint]
    sign: Sign | None = None
    resolve: Resolve | None = None
    """Returns the addresses that a host may be reached at. None: the system's resolver, without restriction."""
    note: Note | None = None
    _upstreams: dict[str, _Upstream] = field(default_factory=dict)
    _leaving: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    """The timers that forget subgraphs which have left the graph (see replace_endpoints)."""
    _session: "aiohttp.ClientSession | None" = None

    async def ask(self, subgraph: str, request: SubgraphRequest, caller: Caller = ANONYMOUS_CALLER) -> Object:
        """Returns the subgraph's answer. Raises SubgraphFailed.

        A query is sent again if its connection is lost. Equal queries in flight, with equal headers, are sent once.
        """
        upstream = self._upstreams.get(subgraph)
        if upstream is None or upstream.endpoint is not self.endpoints.get(subgraph):
            upstream = self._upstreams[subgraph] = self._open_upstream(subgraph, upstream)
        body = request.encode()
        signed = () if self.sign is None else self.sign(subgraph, body, request.kind, caller)
        headers = encode_headers(upstream.endpoint.build_headers(caller) + signed)
        if request.kind != "query":
            return (await self._send(subgraph, upstream, body, headers, tries=1))[1]
        # Callers with different rights have different headers (their tokens), so they never share an answer.
        key = (body, headers)
        while (shared := upstream.in_flight.get(key)) is not None:
            try:
                # `shield`: a caller that is cancelled must not cancel the answer that others wait for.
                return _parse_answer(subgraph, await asyncio.shield(shared))
            except _Abandoned:
                continue
        return await self._send_shared(subgraph, upstream, body, headers)

    async def _send_shared(self, subgraph: str, upstream: _Upstream, body: bytes, headers: bytes) -> Object:
        """Sends a query, and hands its answer to the callers that join it meanwhile."""
        shared = upstream.in_flight[body, headers] = asyncio.get_running_loop().create_future()
        try:
            text, answer = await self._send(subgraph, upstream, body, headers, tries=2)
            # The others get the text and parse it themselves: each of them merges further data into its own objects.
            shared.set_result(text)
        except SubgraphFailed as failed:
            shared.set_exception(failed)
            raise
        finally:
            del upstream.in_flight[body, headers]
            if not shared.done():
                shared.set_exception(_Abandoned())
            # Marks the exception as retrieved: asyncio would log it if no caller has joined.
            shared.exception()
        return answer

    async def _send(
        self, subgraph: str, upstream: _Upstream, body: bytes, headers: bytes, tries: int
    ) -> tuple[bytes, Object]:
        """Returns the answer's text and the parsed answer."""
        began = time.monotonic()
        try:
            answer = await self._send_within_limits(subgraph, upstream, body, headers, tries)
        except SubgraphFailed as failure:
            if self.note is not None:
                self.note(subgraph, time.monotonic() - began, failure)
            raise
        if self.note is not None:
            self.note(subgraph, time.monotonic() - began, None)
        return answer

    async def _send_within_limits(
        self, subgraph: str, upstream: _Upstream, body: bytes, headers: bytes, tries: int
    ) -> tuple[bytes, Object]:
        """Sends only if the subgraph has not too many requests already, and its breaker lets the request through."""
        limits = upstream.endpoint.limits
        if upstream.requests >= limits.connections + limits.waiting:
            raise SubgraphFailed(f"Too many requests wait for the subgraph {subgraph}.", "SUBGRAPH_BUSY")
        upstream.breaker.check()
        upstream.requests += 1
        try:
            response = await _post_in_time(subgraph, upstream, body, headers, tries)
            if response.status // 100 == 3:
                raise SubgraphFailed(f"The subgraph {subgraph} answered with a redirect, which is not followed.")
            answer = _parse_answer(subgraph, response.body)
        except SubgraphFailed:
            upstream.breaker.note(failed=True)
            raise
        finally:
            upstream.requests -= 1
        upstream.breaker.note(failed=False)
        return response.body, answer

    def find_state(self, subgraph: str) -> State:
        """Returns the state of the subgraph's breaker; closed if it was not asked yet."""
        upstream = self._upstreams.get(subgraph)
        return State.CLOSED if upstream is None else upstream.breaker.state

    def replace_endpoints(self, endpoints: Mapping[str, Endpoint], drain_seconds: float) -> None:
        """Uses these endpoints from now on.

        A subgraph that is no longer among them can be asked for `drain_seconds` more, by requests that began before.
        """
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
        upstream = self._upstreams.pop(subgraph, None)
        if upstream is not None:
            upstream.pool.close()

    def _open_upstream(self, subgraph: str, before: _Upstream | None) -> _Upstream:
        """Returns the state for the subgraph's endpoint; the one `before` if only the object was replaced."""
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
            pool = make_pool(endpoint.url, endpoint.tls, limits.connections, limits.response_bytes, self.resolve)
        except ValueError:
            sentence = f"The address of the subgraph {subgraph} is not a usable http or https URL."
            raise SubgraphFailed(sentence, "SUBGRAPH_UNAVAILABLE") from None
        # Connecting may take half of the timeout. So a host that cannot be reached fails as unreachable, with the
        # other half to spare, and not as a slow subgraph (SUBGRAPH_TIMEOUT).
        pool.connect_seconds = min(CONNECT_SECONDS, limits.timeout_ms / 2000)
        return _Upstream(endpoint, pool, Breaker(limits))

    async def listen(self, subgraph: str, request: SubgraphRequest, caller: Caller) -> AsyncGenerator[Object, None]:
        """Yields the events of a subscription at the subgraph. Raises SubgraphFailed."""
        if self._session is None:
            self._session = open_session()
        stream = listen_to_subscription(self._session, subgraph, self.endpoints[subgraph], request.encode(), caller)
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        for timer in self._leaving.values():
            timer.cancel()
        for upstream in self._upstreams.values():
            upstream.pool.close()
        # An aborted socket is closed in the loop's next turn; without this, the loop may end before it.
        await asyncio.sleep(0)


class _Abandoned(Exception):
    """The caller that sent the shared query was cancelled. One of the callers that joined it sends it again."""


async def _post_in_time(subgraph: str, upstream: _Upstream, body: bytes, headers: bytes, tries: int) -> Response:
    limits = upstream.endpoint.limits
    try:
        async with asyncio.timeout(limits.timeout_ms / 1000):
            return await upstream.pool.post(body, headers, tries)
    except TimeoutError as failure:
        sentence = f"The subgraph {subgraph} did not answer within {limits.timeout_ms} ms."
        raise SubgraphFailed(sentence, "SUBGRAPH_TIMEOUT") from failure
    except Oversized as failure:
        sentence = f"The subgraph {subgraph} answered with more than {limits.response_bytes} bytes."
        raise SubgraphFailed(sentence) from failure
    except (Lost, OSError) as failure:
        # One message for every cause: connection refused, unknown host, forbidden address, bad certificate, no HTTP.
        # Otherwise a person who publishes a URL could use the gateway to scan the internal network.
        raise SubgraphFailed(f"The subgraph {subgraph} cannot be reached.", "SUBGRAPH_UNAVAILABLE") from failure


def _parse_answer(subgraph: str, body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SubgraphFailed(f"The subgraph {subgraph} did not answer in JSON.") from None
    if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
        raise SubgraphFailed(f"The subgraph {subgraph} answered with JSON that is not a GraphQL response.")
    return answer
