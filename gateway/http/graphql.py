"""The GraphQL endpoint over HTTP, server-sent events and websockets, for any graph that can prepare operations.

The gateway serves the national and the federated graph with it, the standalone router its supergraph. HTTP follows the
GraphQL-over-HTTP draft.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway import errors
from gateway.http.answer import Answer, ReceivedRequest, answer_request, check_method
from gateway.http.connections import ConnectionLimits, Connections
from gateway.http.deadline import CallerGone, Deadline, run_until_caller_leaves
from gateway.http.event_stream import serve_events, wants_events
from gateway.http.request import BodyLimits, headers_of, request_id_of
from gateway.http.stream import Admission, Admit
from gateway.http.websocket import SocketLimits, serve_websocket
from gateway.operation.prepared import Asker, Body, PreparedOperation, ServedGraph
from gateway.operation.refusal import Refused
from gateway.operation.request import BadRequest, GraphQLRequest

_TOO_DEEP: Final = "Recursion limit reached"
"""In orjson's message where an object is nested too deeply to be encoded."""


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    body: BodyLimits = field(default_factory=BodyLimits)
    socket: SocketLimits = field(default_factory=SocketLimits)
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    deadline_ms: int = 15_000
    response_bytes: int | None = None
    """Of an HTTP answer; None: as large as the graph makes it."""
    stops_with_caller: bool = False
    """Whether an operation is cancelled when its HTTP caller leaves: a router's work is other servers' work."""


async def admit_everybody(payload: Mapping[str, Any], headers: Mapping[str, str], /) -> Admission:
    """Who it is, the subgraphs decide."""
    return Admission(Asker(headers, request_id_of(headers)))


@dataclass(frozen=True, slots=True)
class GraphQLEndpoint:
    """An ASGI app. One task serves one HTTP request, one event stream or one websocket."""

    graph: ServedGraph
    limits: EndpointLimits = field(default_factory=EndpointLimits)
    connections: Connections = field(default_factory=Connections)
    admit: Admit = admit_everybody
    has_streams: bool = True
    """Whether event streams are served; websockets are where a route leads them here."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            limits = self.limits.socket
            await serve_websocket(scope, receive, send, self.admit, self._subscribe, limits, self.connections)
            return
        request = Request(scope, receive)
        with suppress(CallerGone):
            if self.has_streams and wants_events(scope):
                await serve_events(
                    request, send, _admit_request(request), self._subscribe, self.limits.body, self.connections
                )
                return
            await (await answer_request(request, self.limits.body, self._answer)).send(send)

    async def _answer(self, received: ReceivedRequest) -> Answer:
        try:
            operation = self.graph.prepare(received.graphql, received.asker)
        except Refused as refused:
            return Answer(received.refused_status, dict(refused.body))
        check_method(received.asker.method, operation.kind)
        if operation.kind is OperationType.SUBSCRIPTION:
            return Answer(received.refused_status, errors.of_subscription())
        body = await self._execute(operation, received.http.receive if self.limits.stops_with_caller else None)
        try:
            encoded = orjson.dumps(body)
        except orjson.JSONEncodeError as failure:
            if _TOO_DEEP not in str(failure):
                raise
            return Answer(received.refused_status, errors.of_nesting())
        limit = self.limits.response_bytes
        if limit is not None and len(encoded) > limit:
            return Answer(200, {"data": None, **errors.of_response_size(limit)})
        return Answer(200, encoded)

    async def _execute(self, operation: PreparedOperation, receive: Receive | None = None) -> Body:
        """Raises CallerGone where `receive` is given and says that the caller has left."""
        deadline_ms = self.limits.deadline_ms
        try:
            if receive is not None:
                return await run_until_caller_leaves(deadline_ms, receive, operation.execute())
            with Deadline(deadline_ms):
                return await operation.execute()
        except TimeoutError:
            return {"data": None, **errors.of_deadline(deadline_ms)}

    async def _subscribe(self, request: GraphQLRequest, asker: Asker, /) -> AsyncGenerator[Body, None]:
        """As the protocol Subscribe says, for event streams and websockets."""
        try:
            operation = self.graph.prepare(request, asker)
            if operation.kind is not OperationType.SUBSCRIPTION:
                check_method(asker.method, operation.kind)
                yield await self._execute(operation)
                return
            async with aclosing(operation.subscribe()) as results:
                async for result in results:
                    yield result
        except BadRequest as failure:
            raise Refused(errors.of_request(failure)) from None


def _admit_request(request: Request) -> Admission:
    """The caller of an event stream, as the authentication in front of the endpoint has put them into the scope."""
    headers, identity = headers_of(request), request.scope.get("identity")
    asker = Asker(headers, request_id_of(headers), request.method, request.scope.get("viewer"))
    if identity is None:
        return Admission(asker)
    return Admission(asker, identity.read_expiry(), identity.viewer.subject)
