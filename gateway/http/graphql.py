"""GET and POST /graphql, as the GraphQL-over-HTTP draft words it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.executor import answer as executor
from gateway.executor import reference
from gateway.federation.executor.subgraphs import Caller
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import Unplannable
from gateway.http import errors
from gateway.http.answer import Answer, Asked, answered, check_method
from gateway.http.graph import Federated, Graph
from gateway.http.patience import Gone
from gateway.http.request import BadRequest, BodyLimits
from gateway.limits.cost import TooExpensive, check_cost, cost
from gateway.operation.document import InvalidDocument
from gateway.operation.prepare import Operation, prepare
from gateway.operation.usage import Usage
from gateway.operation.variables import chosen, coerced
from resolvers.context import RequestContext
from resolvers.viewer import PUBLIC, Viewer

MayAsk = Callable[[Viewer], bool]


def anyone(viewer: Viewer) -> bool:
    return True


class MakeContext(Protocol):
    def __call__(self, request: Request, graph: Graph, *, is_query: bool) -> RequestContext: ...


EXPOSE: Final = "x-satugraf-query-plan"


@dataclass(frozen=True, slots=True)
class Limits:
    body: BodyLimits
    cost_points: int
    deadline_ms: int


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(Gone):
            await (await answered(Request(scope, receive), self.limits.body, self._answer)).send(send)

    async def _answer(self, asked: Asked) -> Answer:
        graphql, graph = asked.graphql, self.graph
        if not self.may_ask(asked.request.scope.get("viewer", PUBLIC)):
            raise BadRequest(403, "FORBIDDEN", "This endpoint answers other routers alone: see /graphql.")
        if graph.federated is not None and not graph.is_national(graphql.query):
            return await self._planned(asked, graph, graph.federated)
        try:
            operation = prepare(
                graph.national.documents,
                graphql.query,
                graphql.operation_name,
                graphql.variables,
                self.limits.cost_points,
            )
        except InvalidDocument as failure:
            return Answer(asked.refused_status, errors.of_document(failure))
        except TooExpensive as failure:
            return Answer(asked.refused_status, errors.of_cost(failure))
        check_method(asked, is_query=operation.is_query)
        return await self._executed(asked, graph, operation)

    async def _executed(self, asked: Asked, graph: Graph, operation: Operation) -> Answer:
        graphql, deadline_ms = asked.graphql, self.limits.deadline_ms
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                result = await executor.answered(
                    graph.national.documents.schema,
                    operation.program,
                    operation.variables,
                    reference.Request(operation.prepared.checked.document, graphql.operation_name, graphql.variables),
                    self.make_context(asked.request, graph, is_query=operation.is_query),
                )
        except TimeoutError:
            return Answer(200, {"data": None, **errors.of_deadline(deadline_ms)})
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.of_execution(result.errors, asked.request_id)
        body["extensions"] = self._cost(operation.cost_points)
        return Answer(200, body)

    async def _planned(self, asked: Asked, graph: Graph, federated: Federated) -> Answer:
        """As a plan over the national subgraph, in this process, and the agencies'."""
        graphql, documents, deadline_ms = asked.graphql, federated.documents, self.limits.deadline_ms
        try:
            orjson.dumps(graphql.variables)
            checked = documents.check(graphql.query)
            operation = chosen(checked, graphql.operation_name)
            variables = coerced(documents, operation, graphql.variables)
            points = cost(documents.schema, operation, checked.fragments, variables)
            check_cost(points, self.limits.cost_points)
            prepared = federated.engine.prepare(checked.document, operation, checked.fragments)
        except orjson.JSONEncodeError:
            return Answer(asked.refused_status, errors.of_nesting())
        except InvalidDocument as failure:
            return Answer(asked.refused_status, errors.of_document(failure))
        except TooExpensive as failure:
            return Answer(asked.refused_status, errors.of_cost(failure))
        except (TooComplex, Unplannable) as failure:
            return Answer(asked.refused_status, errors.of_plan(failure))
        self.usage.count(federated.shape(graphql.query, checked.document))
        is_query = operation.operation is OperationType.QUERY
        check_method(asked, is_query=is_query)
        headers = {**asked.headers, "x-request-id": asked.request_id}
        caller = Caller(headers=headers, viewer=self.make_context(asked.request, graph, is_query=is_query))
        explained = self.exposes_plan and EXPOSE in asked.headers
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                body = await federated.engine.execute(prepared, graphql.variables, variables, caller, explained)
        except TimeoutError:
            return Answer(200, {"data": None, **errors.of_deadline(deadline_ms)})
        body["extensions"] = body.get("extensions", {}) | self._cost(points)
        return Answer(200, body)

    def _cost(self, points: int) -> dict[str, Any]:
        return {"cost": {"requestedQueryCost": points, "maximumAvailable": self.limits.cost_points}}
