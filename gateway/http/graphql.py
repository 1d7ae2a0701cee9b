"""GET and POST /graphql, as the GraphQL-over-HTTP draft words it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.executor import answer as executor
from gateway.executor import reference
from gateway.http import errors
from gateway.http.answer import Answer, Asked, answered, check_method
from gateway.http.patience import Gone
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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint; an answer goes out as the bytes that were made of it."""

    documents: Documents
    make_context: MakeContext
    limits: Limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(Gone):
            await (await answered(Request(scope, receive), self.limits.body, self._answer)).send(send)

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
                result = await executor.answered(
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
