"""GET and POST /graphql, as the GraphQL-over-HTTP draft words it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from graphql import OperationType
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.executor import answer as executor
from gateway.executor import reference
from gateway.federation.executor.subgraphs import Caller
from gateway.http import errors
from gateway.http.answer import Answer, Asked, answered, check_method
from gateway.http.deadline import Deadline, Gone
from gateway.http.event_stream import wants_events
from gateway.http.graph import Federated, Graph
from gateway.http.request import BadRequest, BodyLimits, GraphQLRequest
from gateway.http.subscribe import Refused
from gateway.limits.cost import TooExpensive
from gateway.operation.document import InvalidDocument
from gateway.operation.prepare import Operation, prepare
from gateway.operation.usage import Usage
from resolvers.request.context import RequestContext
from resolvers.viewer import PUBLIC, Viewer

MayAsk = Callable[[Viewer], bool]


def anyone(viewer: Viewer) -> bool:
    return True


class Asker(NamedTuple):
    """Who asks, and how."""

    viewer: Viewer
    method: str
    headers: Mapping[str, str]


class MakeContext(Protocol):
    def __call__(self, asker: Asker, graph: Graph, *, is_query: bool) -> RequestContext: ...


EXPOSE: Final = "x-satugraf-query-plan"


@dataclass(frozen=True, slots=True)
class Limits:
    body: BodyLimits
    cost_points: int
    deadline_ms: int


class Question(NamedTuple):
    """A request that has been read; `refused_status` is what a refusal before execution is answered with."""

    graphql: GraphQLRequest
    asker: Asker
    request_id: str
    refused_status: int = 200


@dataclass(slots=True)
class GraphQLEndpoint:
    """The endpoint; an answer goes out as the bytes that were made of it."""

    graph: Graph
    """Exchanged between requests; each keeps the one that it began with."""
    make_context: MakeContext
    limits: Limits
    exposes_plan: bool = False
    may_ask: MayAsk = anyone
    usage: Usage = field(default_factory=Usage)
    """What is asked of agencies' fields, which a new version of theirs may break."""
    streams: ASGIApp | None = None
    """Answers who takes an event stream."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(Gone):
            if self.streams is not None and wants_events(scope):
                await self.streams(scope, receive, send)
                return
            await (await answered(Request(scope, receive), self.limits.body, self._answer)).send(send)

    async def _answer(self, asked: Asked) -> Answer:
        asker = Asker(asked.request.scope.get("viewer", PUBLIC), asked.request.method, asked.headers)
        return await self.answer(Question(asked.graphql, asker, asked.request_id, asked.refused_status))

    async def answer(self, question: Question) -> Answer:
        """Raises BadRequest."""
        graphql, graph = question.graphql, self.graph
        if not self.may_ask(question.asker.viewer):
            raise BadRequest(403, "FORBIDDEN", "This endpoint answers other routers alone: see /graphql.")
        if graph.federated is not None and not graph.is_national(graphql.query):
            return await self._planned(question, graph, graph.federated)
        try:
            operation = prepare(
                graph.national.documents,
                graphql.query,
                graphql.operation_name,
                graphql.variables,
                self.limits.cost_points,
            )
        except InvalidDocument as failure:
            return Answer(question.refused_status, errors.of_document(failure))
        except TooExpensive as failure:
            return Answer(question.refused_status, errors.of_cost(failure))
        check_method(question.asker.method, is_query=operation.kind is OperationType.QUERY)
        if operation.kind is OperationType.SUBSCRIPTION:
            return Answer(question.refused_status, errors.of_subscription())
        return await self._executed(question, graph, operation)

    async def _executed(self, question: Question, graph: Graph, operation: Operation) -> Answer:
        graphql, deadline_ms = question.graphql, self.limits.deadline_ms
        try:
            with Deadline(deadline_ms):
                result = await executor.answered(
                    graph.national.documents.schema,
                    operation.program,
                    operation.variables,
                    reference.Request(operation.prepared.document, graphql.operation_name, graphql.variables),
                    self.make_context(question.asker, graph, is_query=operation.kind is OperationType.QUERY),
                )
        except TimeoutError:
            return Answer(200, {"data": None, **errors.of_deadline(deadline_ms)})
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.of_execution(result.errors, question.request_id)
        body["extensions"] = self._cost(operation.cost_points)
        return Answer(200, body)

    async def _planned(self, question: Question, graph: Graph, federated: Federated) -> Answer:
        """As a plan over the national subgraph, in this process, and the agencies'."""
        graphql, asker, deadline_ms = question.graphql, question.asker, self.limits.deadline_ms
        try:
            planned = federated.planned(graphql, self.limits.cost_points)
        except Refused as refused:
            return Answer(question.refused_status, dict(refused.body))
        self.usage.count(federated.shape(graphql, planned))
        kind = planned.prepared.operation.operation
        check_method(asker.method, is_query=kind is OperationType.QUERY)
        if kind is OperationType.SUBSCRIPTION:
            return Answer(question.refused_status, errors.of_subscription())
        headers = {**asker.headers, "x-request-id": question.request_id}
        context = self.make_context(asker, graph, is_query=kind is OperationType.QUERY)
        caller = Caller(headers=headers, context=context)
        explained = self.exposes_plan and EXPOSE in asker.headers
        engine, prepared, variables = federated.engine, planned.prepared, planned.variables
        try:
            with Deadline(deadline_ms):
                body = await engine.execute(prepared, graphql.variables, variables, caller, explained)
        except TimeoutError:
            return Answer(200, {"data": None, **errors.of_deadline(deadline_ms)})
        body["extensions"] = body.get("extensions", {}) | self._cost(planned.cost_points)
        return Answer(200, body)

    def _cost(self, points: int) -> dict[str, Any]:
        return {"cost": {"requestedQueryCost": points, "maximumAvailable": self.limits.cost_points}}
