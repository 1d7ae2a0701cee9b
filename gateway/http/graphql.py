"""GET and POST /graphql, as the GraphQL-over-HTTP draft words it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import SchemaExtension
from strawberry.schema import BaseSchema
from strawberry.types.unset import UNSET

from gateway.executor import reference
from gateway.executor.answer import answered
from gateway.http import errors
from gateway.http.answer import Answer, Asked, check_method, respond
from gateway.http.request import BodyLimits
from gateway.limits.cost import TooExpensive
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.prepare import Operation, prepare
from resolvers.context import RequestContext


class MakeContext(Protocol):
    def __call__(self, request: Request, *, is_query: bool) -> RequestContext: ...


@dataclass(frozen=True, slots=True)
class Limits:
    body: BodyLimits
    cost_points: int
    deadline_ms: int


def checked_documents(documents: Callable[[], Documents]) -> type[SchemaExtension]:
    """Strawberry's extension that takes the document as we parsed and validated it."""

    class CheckedDocuments(SchemaExtension):
        def on_parse(self) -> Iterator[None]:
            context = self.execution_context
            context.graphql_document = documents().check(context.query or "").document
            context.pre_execution_errors = []
            yield

    return CheckedDocuments


class GraphQLView(GraphQL[RequestContext, None]):
    """Strawberry's ASGI view, with our own reading, checking and answering around its execution."""

    def __init__(self, schema: BaseSchema, documents: Documents, make_context: MakeContext, limits: Limits) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self.documents = documents
        self.make_context = make_context
        self.limits = limits

    async def run(  # type: ignore[override]
        self, request: Request | WebSocket, context: Any = UNSET, root_value: None = UNSET
    ) -> Response:
        assert isinstance(request, Request)  # noqa: S101 - routes bring HTTP alone
        return await respond(request, self.limits.body, self._answer)

    async def _answer(self, asked: Asked) -> Answer:
        graphql = asked.graphql
        try:
            operation = prepare(
                self.documents, graphql.query, graphql.operation_name, graphql.variables, self.limits.cost_points
            )
        except InvalidDocument as failure:
            return Answer(asked.refused_status, errors.of_document(failure))
        except TooExpensive as failure:
            return Answer(asked.refused_status, errors.of_cost(failure))
        check_method(asked, is_query=operation.is_query)
        return await self._executed(asked, operation)

    async def _executed(self, asked: Asked, operation: Operation) -> Answer:
        graphql, deadline_ms = asked.graphql, self.limits.deadline_ms
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                result = await answered(
                    self.documents.schema,
                    operation.program,
                    operation.variables,
                    reference.Request(operation.prepared.checked.document, graphql.operation_name, graphql.variables),
                    self.make_context(asked.request, is_query=operation.is_query),
                )
        except TimeoutError:
            return Answer(200, {"data": None, **errors.of_deadline(deadline_ms)})
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.of_execution(result.errors, asked.request_id)
        body["extensions"] = {
            "cost": {"requestedQueryCost": operation.cost_points, "maximumAvailable": self.limits.cost_points}
        }
        return Answer(200, body)
