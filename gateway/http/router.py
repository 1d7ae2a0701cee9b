"""GraphQL over HTTP and websockets for a supergraph: what the standalone router serves."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.federation.engine import Engine, FederatedOperation
from gateway.federation.executor.subgraphs import Caller
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import Unplannable
from gateway.http import errors
from gateway.http.answer import Answer, Asked, answered, check_method
from gateway.http.connections import ConnectionLimits, Connections
from gateway.http.deadline import Gone, within
from gateway.http.event_stream import serve_events, wants_events
from gateway.http.request import BadRequest, BodyLimits, GraphQLRequest, headers_of
from gateway.http.subscribe import Admission, Refused, Streams
from gateway.http.websocket import SocketLimits, serve_websocket
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.variables import chosen, coerced

WARMED_DOCUMENTS: Final = 200
EXPOSE: Final = "x-satugraf-query-plan"


@dataclass(frozen=True, slots=True)
class RouterLimits:
    body: BodyLimits = field(default_factory=BodyLimits)
    socket: SocketLimits = field(default_factory=SocketLimits)
    deadline_ms: int = 15_000
    response_bytes: int = 16 * 1024 * 1024
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)


class Ready(NamedTuple):
    """An operation that may be executed, and its variables' values."""

    prepared: FederatedOperation
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """A supergraph that is being served: a request keeps the one that it began with, a subscription ends with it."""

    engine: Engine
    documents: Documents
    _streams: Streams = field(default_factory=Streams)

    def warm(self, before: "Served") -> None:
        """Plans what was asked of the supergraph before this one, so that its first callers need not wait."""
        for text in before.documents.recent(WARMED_DOCUMENTS):
            with suppress(InvalidDocument, TooComplex, Unplannable):
                checked = self.documents.check(text)
                for operation in checked.operations.values():
                    self.engine.prepare(checked.document, operation, checked.fragments)

    def ready(self, graphql: GraphQLRequest) -> Ready:
        """Raises Refused."""
        try:
            # JSON may come deeper than it can be sent on.
            orjson.dumps(graphql.variables)
        except orjson.JSONEncodeError:
            raise Refused(errors.of_nesting()) from None
        try:
            checked = self.documents.check(graphql.query)
            operation = chosen(checked, graphql.operation_name)
            variables = coerced(self.documents, operation, graphql.variables)
            return Ready(self.engine.prepare(checked.document, operation, checked.fragments), variables)
        except InvalidDocument as failure:
            raise Refused(errors.of_document(failure)) from None
        except (TooComplex, Unplannable) as failure:
            raise Refused(errors.of_plan(failure)) from None

    def events(self, graphql: GraphQLRequest, ready: Ready, caller: Caller) -> AsyncGenerator[Mapping[str, Any], None]:
        """A subscription's results. Raises Ended where the supergraph is served no more."""
        return self._streams.until_retired(
            self.engine.subscribe(ready.prepared, graphql.variables, ready.variables, caller)
        )

    def retire(self) -> None:
        """Ends the subscriptions."""
        self._streams.retire()


@dataclass(slots=True)
class Router:
    """The endpoint; `served` may be exchanged between requests."""

    served: Served
    limits: RouterLimits = field(default_factory=RouterLimits)
    exposes_plan: bool = False
    """Whether a request with the header x-satugraf-query-plan gets its plan and the fetches' times."""
    connections: Connections = field(default_factory=Connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_websocket(scope, receive, send, self._admit, self.limits.socket, self.connections)
            return
        request = Request(scope, receive)
        with suppress(Gone):
            if wants_events(scope):
                admission = Admission(partial(self._subscribe, is_get=scope["method"] == "GET"), headers_of(request))
                await serve_events(request, send, admission, self.limits.body, self.connections)
                return
            await (await answered(request, self.limits.body, self._answer)).send(send)

    async def _admit(self, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Admission:
        """Everybody: who it is, the subgraphs decide."""
        return Admission(self._subscribe, headers)

    async def _answer(self, asked: Asked) -> Answer:
        graphql, served = asked.graphql, self.served
        try:
            ready = served.ready(graphql)
        except Refused as refused:
            return Answer(asked.refused_status, dict(refused.body))
        kind = ready.prepared.operation.operation
        check_method(asked.request.method, is_query=kind is OperationType.QUERY)
        if kind is OperationType.SUBSCRIPTION:
            return Answer(asked.refused_status, errors.of_subscription())
        caller = Caller(headers=asked.headers)
        answer = await self._executed(served, graphql, ready, caller, asked.request.receive)
        try:
            encoded = orjson.dumps(answer)
        except orjson.JSONEncodeError:
            return Answer(asked.refused_status, errors.of_nesting())
        if len(encoded) > self.limits.response_bytes:
            return Answer(200, {"data": None, **errors.of_response_size(self.limits.response_bytes)})
        return Answer(200, encoded)

    async def _executed(
        self, served: Served, graphql: GraphQLRequest, ready: Ready, caller: Caller, receive: Receive
    ) -> dict[str, Any]:
        explained = self.exposes_plan and EXPOSE in caller.headers
        work = served.engine.execute(ready.prepared, graphql.variables, ready.variables, caller, explained)
        try:
            return await within(self.limits.deadline_ms, receive, work)
        except TimeoutError:
            return {"data": None, **errors.of_deadline(self.limits.deadline_ms)}

    async def _subscribe(
        self, graphql: GraphQLRequest, headers: Mapping[str, str], is_get: bool = False
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        served = self.served
        ready, caller = served.ready(graphql), Caller(headers=headers)
        kind = ready.prepared.operation.operation
        if is_get and kind is OperationType.MUTATION:
            raise Refused(errors.of_request(BadRequest(405, "METHOD_NOT_ALLOWED", "Mutations are asked by POST.")))
        if kind is not OperationType.SUBSCRIPTION:
            yield await self._executed(served, graphql, ready, caller, _never)
            return
        async with aclosing(served.events(graphql, ready, caller)) as results:
            async for result in results:
                yield result


async def _never() -> Any:
    await asyncio.Event().wait()
