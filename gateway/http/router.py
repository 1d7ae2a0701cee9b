"""GraphQL over HTTP for a supergraph: what the standalone router serves."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Ask
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import Unplannable
from gateway.federation.supergraph import Supergraph
from gateway.http import errors
from gateway.http.answer import Answer, Asked, check_method, respond
from gateway.http.request import BodyLimits
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.variables import chosen, coerced

WARMED_DOCUMENTS: Final = 200


@dataclass(frozen=True, slots=True)
class RouterLimits:
    body: BodyLimits = field(default_factory=BodyLimits)
    deadline_ms: int = 15_000


@dataclass(frozen=True, slots=True)
class Served:
    """A supergraph that is being served: a request keeps the one that it began with."""

    engine: Engine
    documents: Documents

    @classmethod
    def of(cls, supergraph: Supergraph, ask: Ask) -> "Served":
        """Subgraphs' messages are masked: what they say is for their owners' logs."""
        return cls(Engine(supergraph, ask, shows_messages=False), Documents(supergraph.api_schema))

    def warm(self, before: "Served") -> None:
        """Plans what was asked of the supergraph before this one, so that its first callers need not wait."""
        for text in before.documents.recent(WARMED_DOCUMENTS):
            with suppress(InvalidDocument, TooComplex, Unplannable):
                checked = self.documents.check(text)
                for operation in checked.operations.values():
                    self.engine.prepare(checked.document, operation, checked.fragments)


@dataclass(slots=True)
class Router:
    """The endpoint; `served` may be exchanged between requests."""

    served: Served
    limits: RouterLimits = field(default_factory=RouterLimits)

    async def graphql(self, request: Request) -> Response:
        return await respond(request, self.limits.body, self._answer)

    async def _answer(self, asked: Asked) -> Answer:
        graphql, served = asked.graphql, self.served
        try:
            checked = served.documents.check(graphql.query)
            operation = chosen(checked, graphql.operation_name)
            variables = coerced(served.documents, operation, graphql.variables)
            check_method(asked, is_query=operation.operation is OperationType.QUERY)
            prepared = served.engine.prepare(checked.document, operation, checked.fragments)
        except InvalidDocument as failure:
            return Answer(asked.refused_status, errors.of_document(failure))
        except (TooComplex, Unplannable) as failure:
            return Answer(asked.refused_status, errors.of_plan(failure))
        try:
            async with asyncio.timeout(self.limits.deadline_ms / 1000):
                return Answer(200, await served.engine.execute(prepared, graphql.variables, variables))
        except TimeoutError:
            return Answer(200, {"data": None, **errors.of_deadline(self.limits.deadline_ms)})
