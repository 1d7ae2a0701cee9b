"""The national graph: served as it is, asked by the federation engine in this process, and asked by other routers."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from graphql import OperationType

import schema
from gateway import errors
from gateway.executor.answer import OperationResult, execute_operation
from gateway.executor.reference import ReferenceRequest
from gateway.executor.stream import stream_results
from gateway.federation.executor.subgraphs import Caller
from gateway.limits.cost import TooExpensive
from gateway.operation.document import Documents, InvalidDocument
from gateway.operation.prepare import BoundOperation, prepare
from gateway.operation.prepared import Body
from gateway.operation.refusal import Refused
from gateway.operation.request import GraphQLRequest
from resolvers.request.composer import LocalCases, build_local_cases
from resolvers.request.context import RequestContext

_UNLIMITED_POINTS: Final = 2**62


@dataclass(frozen=True, slots=True)
class NationalOperation:
    """One request's operation on the national graph, compiled."""

    documents: Documents
    request: GraphQLRequest
    bound: BoundOperation

    @property
    def kind(self) -> OperationType:
        return self.bound.kind

    @property
    def cost_points(self) -> int:
        return self.bound.cost_points

    async def execute(self, caller: Caller, *, is_explained: bool = False, is_encoded: bool = True) -> Body:
        """`is_encoded` says that the response is encoded by orjson next: parts of its data may be JSON already.

        There is no query plan to explain: `is_explained` has no effect.
        """
        context: RequestContext = caller.context
        bound = self.bound
        result = await execute_operation(
            self.documents.schema, bound.program, bound.variables, self._reference(), context, is_encoded=is_encoded
        )
        return _to_body(result, context)

    async def subscribe(self, caller: Caller, *, is_encoded: bool = True) -> AsyncGenerator[Body, None]:
        """A response for each event. Raises what the subscription's source raises."""
        context: RequestContext = caller.context
        bound = self.bound
        results = stream_results(
            self.documents.schema, bound.program, bound.variables, self._reference(), context, is_encoded=is_encoded
        )
        async with aclosing(results):
            async for result in results:
                yield _to_body(result, context)

    def _reference(self) -> ReferenceRequest:
        """The operation for the reference executor, which completes what the compiled program declines."""
        return ReferenceRequest(self.bound.compiled.document, self.request.operation_name, self.request.variables)


def _to_body(result: OperationResult, context: RequestContext) -> Body:
    if not result.errors:
        return {"data": result.data}
    return {"data": result.data, "errors": errors.of_execution(result.errors, context.request_id)}


@dataclass(frozen=True, slots=True)
class NationalGraph:
    """The national graph over one schema: with or without `_entities` and `_service`."""

    documents: Documents

    def prepare(self, request: GraphQLRequest, cost_limit: int) -> NationalOperation:
        """Raises Refused."""
        try:
            bound = prepare(self.documents, request.query, request.operation_name, request.variables, cost_limit)
        except InvalidDocument as failure:
            raise Refused(errors.of_document(failure)) from None
        except TooExpensive as failure:
            raise Refused(errors.of_cost(failure)) from None
        return NationalOperation(self.documents, request, bound)


@dataclass(frozen=True, slots=True)
class NationalSubgraph:
    """The national graph as the engine asks it: in this process, in the request's own context.

    The engine's documents are valid by construction, and the gateway has checked the cost of the whole operation.
    """

    graph: NationalGraph

    async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller, /) -> Body:
        return await self._prepare(document, variables).execute(caller, is_encoded=False)

    def listen(self, document: str, variables: Mapping[str, Any], caller: Caller, /) -> AsyncGenerator[Body, None]:
        return self._prepare(document, variables).subscribe(caller, is_encoded=False)

    def _prepare(self, document: str, variables: Mapping[str, Any]) -> NationalOperation:
        return self.graph.prepare(GraphQLRequest(document, None, dict(variables)), _UNLIMITED_POINTS)


@dataclass(frozen=True, slots=True)
class NationalGraphs:
    """The national graph with a set of agencies' types of LocalCase, in the two shapes that it is asked in."""

    local_cases: LocalCases
    served: NationalGraph
    """As clients ask it."""
    subgraph: NationalGraph
    """As routers ask it: with `_entities` and `_service`."""


def build_national_graphs(type_by_agency: Mapping[str, str], introspection: bool) -> NationalGraphs:
    """Build both for these types of LocalCase, by agency. `introspection` is for clients; routers may always ask."""
    types = sorted(type_by_agency.values())
    served = Documents(schema.build(types)._schema, introspection)
    subgraph = Documents(schema.build_subgraph(types)._schema, introspection=True)
    return NationalGraphs(build_local_cases(type_by_agency), NationalGraph(served), NationalGraph(subgraph))
