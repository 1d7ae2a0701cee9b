"""A graph composed of subgraphs, ready to serve: the router's, and the gateway's with the agencies' subgraphs.

This module imports neither the national schema nor the resolvers, because the router starts without them.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson
from graphql import FragmentDefinitionNode, OperationDefinitionNode, OperationType

from gateway import errors
from gateway.federation.engine import CompiledPlan, Engine
from gateway.federation.executor.subgraphs import Caller
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import Unplannable
from gateway.operation.document import CheckedDocument, Documents, InvalidDocument
from gateway.operation.prepared import Asker, Body
from gateway.operation.refusal import Refused
from gateway.operation.request import GraphQLRequest
from gateway.operation.stream_group import StreamGroup
from gateway.operation.usage import OperationShape, find_shape
from gateway.operation.variables import choose_operation, coerce_variables

EXPOSE_PLAN_HEADER: Final = "x-satugraf-query-plan"
"""Asks for the query plan and the fetches' times in the response's extensions, where the server exposes them."""
WARMED_DOCUMENTS: Final = 200
_SHAPE_BYTES: Final = 1_000


class CheckCost(Protocol):
    """Returns an operation's cost in points. Raises Refused where it is above the limit."""

    def __call__(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        /,
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class FederatedOperation:
    """One request's operation over several subgraphs: its plan and its variables' values."""

    graph: "FederatedGraph"
    request: GraphQLRequest
    document: CheckedDocument
    plan: CompiledPlan
    variables: Mapping[str, Any]
    cost_points: int
    """0 where the graph checks no cost."""

    @property
    def kind(self) -> OperationType:
        return self.plan.operation.operation

    def find_shape(self) -> OperationShape:
        """What the operation selects, without the values that it was sent with. Cached with its document."""
        name, documents = self.request.operation_name or "", self.graph.documents
        shape: OperationShape | None = self.document.derived.get(name)
        if shape is None:
            shape = find_shape(documents.schema, self.plan.operation, self.document.fragments)
            self.document.derived[name] = shape
            documents.grow(self.request.query, _SHAPE_BYTES + 2 * len(shape.text))
        return shape

    async def execute(self, caller: Caller, *, is_explained: bool = False) -> Body:
        engine = self.graph.engine
        return await engine.execute(self.plan, self.request.variables, self.variables, caller, is_explained)

    def subscribe(self, caller: Caller) -> AsyncGenerator[Body, None]:
        """A response for each event. Raises Ended once the supergraph is no longer served."""
        events = self.graph.engine.subscribe(self.plan, self.request.variables, self.variables, caller)
        return self.graph.streams.run_until_ended(events)


@dataclass(frozen=True, slots=True)
class FederatedGraph:
    """A supergraph's engine, with the cache of the documents that were checked against its API schema."""

    engine: Engine
    documents: Documents
    check_cost: CheckCost | None = None
    streams: StreamGroup = field(default_factory=StreamGroup)
    """The subscriptions that were started on this supergraph, and end with it."""

    def prepare(self, request: GraphQLRequest) -> FederatedOperation:
        """Raises Refused."""
        points = 0
        try:
            # A JSON parser takes deeper nesting than the encoder that sends variables on.
            orjson.dumps(request.variables)
            document = self.documents.check(request.query)
            operation = choose_operation(document, request.operation_name)
            variables = coerce_variables(self.documents, operation, request.variables)
            if self.check_cost is not None:
                points = self.check_cost(operation, document.fragments, variables)
            plan = self.engine.prepare(document.document, operation, document.fragments)
        except orjson.JSONEncodeError:
            raise Refused(errors.of_nesting()) from None
        except InvalidDocument as failure:
            raise Refused(errors.of_document(failure)) from None
        except (TooComplex, Unplannable) as failure:
            raise Refused(errors.of_plan(failure)) from None
        return FederatedOperation(self, request, document, plan, variables, points)

    def warm(self, before: "FederatedGraph") -> None:
        """Plan the operations that the graph before was asked last, so that their next callers do not wait."""
        for text in before.documents.list_recent(WARMED_DOCUMENTS):
            with suppress(InvalidDocument, TooComplex, Unplannable):
                document = self.documents.check(text)
                for operation in document.operations.values():
                    self.engine.prepare(document.document, operation, document.fragments)


@dataclass(frozen=True, slots=True)
class RouterOperation:
    """An operation as the router runs it: with the request's headers, for a caller whom the subgraphs authenticate."""

    operation: FederatedOperation
    asker: Asker
    is_explained: bool

    @property
    def kind(self) -> OperationType:
        return self.operation.kind

    async def execute(self) -> Body:
        return await self.operation.execute(Caller(headers=self.asker.headers), is_explained=self.is_explained)

    def subscribe(self) -> AsyncGenerator[Body, None]:
        return self.operation.subscribe(Caller(headers=self.asker.headers))


@dataclass(slots=True)
class RouterGraph:
    """What the standalone router serves."""

    current: FederatedGraph
    """Exchanged between requests when the supergraph's files change."""
    exposes_plan: bool = False
    """Whether a request with the header x-satugraf-query-plan gets its plan and the fetches' times."""

    def prepare(self, request: GraphQLRequest, asker: Asker, /) -> RouterOperation:
        """Raises Refused."""
        is_explained = self.exposes_plan and EXPOSE_PLAN_HEADER in asker.headers
        return RouterOperation(self.current.prepare(request), asker, is_explained)

    def exchange(self, graph: FederatedGraph) -> None:
        """Serve another supergraph. The subscriptions of the one before end; its requests run to their end."""
        before, self.current = self.current, graph
        before.streams.end_all()
