"""GET and POST /graphql, as the GraphQL-over-HTTP draft words it."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import SchemaExtension
from strawberry.schema import BaseSchema
from strawberry.types.unset import UNSET

from gateway.http import errors
from gateway.http.request import BadRequest, BodyLimits, GraphQLRequest, read
from gateway.limits.cost import TooExpensive
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.prepare import Operation, prepare
from resolvers.context import RequestContext

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_ACCEPTED_AS_JSON: Final = frozenset({JSON, "application/*", "*/*"})

MakeContext = Callable[[Request], RequestContext]


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
        request_id = _request_id(request)
        media_type = _media_type(request.headers.get("accept"))
        try:
            status, body, headers = await self._answer(request, request_id, media_type)
        except BadRequest as failure:
            status, body, headers = failure.status, errors.of_request(failure), failure.headers
        except Exception as bug:
            status, body, headers = 500, errors.of_bug(bug, request_id), {}
        return Response(
            orjson.dumps(body),
            status,
            {**headers, "x-request-id": request_id, "cache-control": "no-store", "vary": "accept, authorization"},
            media_type=media_type or JSON,
        )

    async def _answer(
        self, request: Request, request_id: str, media_type: str | None
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        if media_type is None:
            raise BadRequest(406, "NOT_ACCEPTABLE", f"Answers come as {GRAPHQL_RESPONSE} or {JSON}.")
        asked = await read(request, self.limits.body)
        # A refusal before execution is 400 in GraphQL's own media type; in plain JSON 200, which older clients expect.
        refused = 400 if media_type == GRAPHQL_RESPONSE else 200
        try:
            operation = prepare(
                self.documents, asked.query, asked.operation_name, asked.variables, self.limits.cost_points
            )
        except InvalidDocument as failure:
            return refused, errors.of_document(failure), {}
        except TooExpensive as failure:
            return refused, errors.of_cost(failure), {}
        if request.method == "GET" and not operation.is_query:
            raise BadRequest(405, "METHOD_NOT_ALLOWED", "Mutations are asked by POST.", {"allow": "POST"})
        return await self._executed(request, asked, operation, request_id)

    async def _executed(
        self, request: Request, asked: GraphQLRequest, operation: Operation, request_id: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        deadline_ms = self.limits.deadline_ms
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                result = await self.schema.execute(
                    asked.query,
                    variable_values=asked.variables,
                    context_value=self.make_context(request),
                    operation_name=asked.operation_name,
                )
        except TimeoutError:
            return 200, {"data": None, **errors.of_deadline(deadline_ms)}, {}
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = errors.of_execution(result.errors, request_id)
        body["extensions"] = {
            "cost": {"requestedQueryCost": operation.cost_points, "maximumAvailable": self.limits.cost_points}
        }
        return 200, body, {}


def _request_id(request: Request) -> str:
    """The caller's, where it is one that a log can take, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if given.isascii() and given.replace("-", "").isalnum() and len(given) <= 64 else secrets.token_hex(8)


def _media_type(accept: str | None) -> str | None:
    """GraphQL's own type where the caller names it, else JSON; None where neither is taken."""
    if accept is None or not accept.strip():
        return JSON
    ranges = [part.partition(";") for part in accept.lower().split(",")]
    taken = {name.strip() for name, _, parameters in ranges if parameters.replace(" ", "") not in ("q=0", "q=0.0")}
    if GRAPHQL_RESPONSE in taken:
        return GRAPHQL_RESPONSE
    return JSON if taken & _ACCEPTED_AS_JSON else None
