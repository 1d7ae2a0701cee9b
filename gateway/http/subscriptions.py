"""Subscriptions at /graphql, over websockets and as server-sent events: who connects, and what each result is."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from graphql import OperationType
from pymongo.errors import PyMongoError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.auth.keys import KeysUnavailable
from gateway.auth.middleware import Identify
from gateway.auth.tokens import InvalidToken
from gateway.executor import reference
from gateway.executor.stream import events
from gateway.federation.executor.subgraphs import Caller
from gateway.http import errors
from gateway.http.answer import request_id_of
from gateway.http.connections import Connections
from gateway.http.event_stream import serve_events
from gateway.http.graph import Federated, Graph
from gateway.http.graphql import Asker, GraphQLEndpoint, Question
from gateway.http.request import BadRequest, GraphQLRequest, headers_of
from gateway.http.subscribe import Admission, Ended, Refused, Result, state_lost, too_slow, unauthenticated
from gateway.http.websocket import SocketLimits, serve_websocket
from gateway.limits.cost import TooExpensive
from gateway.observability import metrics
from gateway.operation.document import InvalidDocument
from gateway.operation.prepare import prepare
from resolvers.errors import FellBehind, RequestError, StateLost
from resolvers.request.context import RequestContext

_OF_THE_PAYLOAD: Final = ("authorization", "x-purpose")
"""Headers that browsers cannot set at the handshake: connection_init may carry them."""


@dataclass(frozen=True, slots=True)
class LiveLimits:
    socket: SocketLimits = field(default_factory=SocketLimits)
    cost_points: int = 500
    """Of a subscription, which is run for every event."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What the endpoint's graph streams."""

    endpoint: GraphQLEndpoint
    identify: Identify
    limits: LiveLimits
    connections: Connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket, or a request for an event stream."""
        if scope["type"] == "websocket":
            await serve_websocket(scope, receive, send, self._admit, self.limits.socket, self.connections)
            return
        request = Request(scope, receive)
        identity, headers = scope["identity"], headers_of(request)
        asker = Asker(identity.viewer, request.method, headers)
        subscribe = partial(self._subscribe, asker)
        admission = Admission(subscribe, headers, identity.expires_at(), identity.viewer.subject)
        await serve_events(request, send, admission, self.endpoint.limits.body, self.connections)

    async def _admit(self, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Admission:
        lowered = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
        given = dict(headers) | {name: lowered[name] for name in _OF_THE_PAYLOAD if name in lowered}
        try:
            identity = await self.identify([given["authorization"]] if "authorization" in given else [])
        except InvalidToken as refused:
            raise unauthenticated(str(refused)) from None
        except KeysUnavailable as away:
            raise Ended(1013, "UNAVAILABLE", str(away)) from None
        expires_at = identity.expires_at()
        if expires_at is not None and expires_at <= time.time():
            raise unauthenticated("The token has expired: log in again.")
        asker = Asker(identity.viewer, "POST", given)
        return Admission(partial(self._subscribe, asker), given, expires_at, identity.viewer.subject)

    async def _subscribe(
        self, asker: Asker, graphql: GraphQLRequest, headers: Mapping[str, str]
    ) -> AsyncGenerator[Result, None]:
        graph, request_id = self.endpoint.graph, request_id_of(headers)
        question = Question(graphql, asker, request_id)
        try:
            opened = self._opened(question, graph)
            if opened is None:
                yield await self._answered(question)
                return
            async with aclosing(opened) as results:
                async for result in results:
                    metrics.live_events.inc()
                    yield result
        except BadRequest as failure:
            raise Refused(errors.of_request(failure)) from None
        except (RequestError, PyMongoError) as failure:
            raise Refused(errors.of_failure(failure, request_id)) from None
        except FellBehind:
            raise too_slow() from None
        except StateLost:
            raise state_lost() from None

    async def _answered(self, question: Question) -> Result:
        """A query's or a mutation's one result."""
        body = (await self.endpoint.answer(question)).body
        assert isinstance(body, dict)  # noqa: S101 - /graphql answers in objects
        if "data" not in body:
            raise Refused(body)
        return body

    def _opened(self, question: Question, graph: Graph) -> AsyncGenerator[Result, None] | None:
        """The subscription's results; None where the operation is none. Raises Refused."""
        graphql = question.graphql
        if graph.federated is not None and not graph.is_national(graphql.query):
            return self._planned(question, graph, graph.federated)
        return self._national(question, graph)

    def _national(self, question: Question, graph: Graph) -> AsyncGenerator[Result, None] | None:
        graphql, documents = question.graphql, graph.national.documents
        try:
            operation = prepare(
                documents, graphql.query, graphql.operation_name, graphql.variables, self.endpoint.limits.cost_points
            )
        except InvalidDocument as failure:
            raise Refused(errors.of_document(failure)) from None
        except TooExpensive as failure:
            raise Refused(errors.of_cost(failure)) from None
        if operation.kind is not OperationType.SUBSCRIPTION:
            return None
        self._check_cost(operation.cost_points)
        request = reference.Request(operation.prepared.document, graphql.operation_name, graphql.variables)
        context = self._context(question, graph)
        found = events(documents.schema, operation.program, operation.variables, request, context)

        async def results() -> AsyncGenerator[Result, None]:
            async with aclosing(found) as answers:
                async for answer in answers:
                    failed = (
                        {"errors": errors.of_execution(answer.errors, question.request_id)} if answer.errors else {}
                    )
                    yield {"data": answer.data, **failed, "extensions": {"position": context.position}}

        return results()

    def _planned(self, question: Question, graph: Graph, federated: Federated) -> AsyncGenerator[Result, None] | None:
        planned = federated.planned(question.graphql, self.endpoint.limits.cost_points)
        if planned.prepared.operation.operation is not OperationType.SUBSCRIPTION:
            return None
        self._check_cost(planned.cost_points)
        self.endpoint.usage.count(federated.shape(question.graphql, planned))
        context = self._context(question, graph)
        caller = Caller(headers={**question.asker.headers, "x-request-id": question.request_id}, context=context)
        answers = federated.engine.subscribe(planned.prepared, question.graphql.variables, planned.variables, caller)

        async def results() -> AsyncGenerator[Result, None]:
            async with aclosing(federated.streams.until_retired(answers)) as found:
                async for answer in found:
                    yield {**answer, "extensions": {"position": context.position}}

        return results()

    def _check_cost(self, points: int) -> None:
        if points > self.limits.cost_points:
            sentence = f"The subscription costs {points} points an event; at most {self.limits.cost_points} are taken."
            raise Refused(errors.of_request(BadRequest(400, TooExpensive.code, sentence)))

    def _context(self, question: Question, graph: Graph) -> RequestContext:
        context = self.endpoint.make_context(question.asker, graph, is_query=True)
        asked = question.graphql.extensions.get("position", question.asker.headers.get("last-event-id"))
        if not isinstance(asked, str | None):
            raise BadRequest(400, "BAD_REQUEST", "The position in extensions is text.")
        context.position = asked
        return context
