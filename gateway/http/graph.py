"""The graph that `/graphql` serves, exchanged whole: national operations run compiled, others by the engine's plans."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)

import schema
from gateway.executor import reference
from gateway.executor.answer import answered
from gateway.executor.stream import events
from gateway.federation.engine import Engine, FederatedOperation
from gateway.federation.executor.subgraphs import Caller
from gateway.federation.planner.paths import TooComplex
from gateway.federation.planner.planner import Unplannable
from gateway.http import errors
from gateway.http.request import GraphQLRequest
from gateway.http.subscribe import Refused, Streams
from gateway.limits.cost import TooExpensive, check_cost, cost
from gateway.operation.document import CheckedDocument, Documents, InvalidDocument
from gateway.operation.lru import Recent
from gateway.operation.prepare import prepare
from gateway.operation.usage import Shape, shape
from gateway.operation.variables import chosen, coerced
from resolvers.request.composer import LocalCases, local_cases
from resolvers.request.context import RequestContext

WARMED_DOCUMENTS: Final = 200
DECIDED_DOCUMENTS: Final = 2_000
DECIDED_BYTES: Final = 8_000_000
_UNLIMITED_POINTS: Final = 2**62
_LOCAL_CASE: Final = "LocalCase"


@dataclass(frozen=True, slots=True)
class National:
    """The national graph with the agencies' types of LocalCase: as it is served, and as one subgraph among others."""

    local_cases: LocalCases
    documents: Documents
    subgraph: Documents

    async def listen(
        self, document: str, variables: Mapping[str, Any], caller: Caller
    ) -> AsyncGenerator[dict[str, Any], None]:
        """A subscription's events, likewise. Raises what its source raises."""
        context: RequestContext = caller.context
        operation = prepare(self.subgraph, document, None, variables, _UNLIMITED_POINTS)
        request = reference.Request(operation.prepared.document, None, variables)
        results = events(
            self.subgraph.schema, operation.program, operation.variables, request, context, is_encoded=False
        )
        async with aclosing(results) as found:
            async for result in found:
                request_id = caller.headers.get("x-request-id", "")
                failed = {"errors": errors.of_execution(result.errors, request_id)} if result.errors else {}
                yield {"data": result.data, **failed}

    async def execute(self, document: str, variables: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """As the engine asks it, in the request's own context. The cost was checked for the whole operation."""
        context: RequestContext = caller.context
        operation = prepare(self.subgraph, document, None, variables, _UNLIMITED_POINTS)
        request = reference.Request(operation.prepared.document, None, variables)
        result = await answered(
            self.subgraph.schema, operation.program, operation.variables, request, context, is_encoded=False
        )
        if not result.errors:
            return {"data": result.data}
        request_id = caller.headers.get("x-request-id", "")
        return {"data": result.data, "errors": errors.of_execution(result.errors, request_id)}


class Planned(NamedTuple):
    """An operation over several subgraphs, ready to run, and its variables' values."""

    checked: CheckedDocument
    prepared: FederatedOperation
    variables: Mapping[str, Any]
    cost_points: int


@dataclass(frozen=True, slots=True)
class Federated:
    """The national graph and the agencies' together."""

    engine: Engine
    documents: Documents
    streams: Streams = field(default_factory=Streams)
    _shapes: "Recent[Shape]" = field(default_factory=lambda: Recent(DECIDED_DOCUMENTS, DECIDED_BYTES))

    def planned(self, graphql: GraphQLRequest, cost_limit: int) -> Planned:
        """Raises Refused."""
        documents = self.documents
        try:
            orjson.dumps(graphql.variables)
            checked = documents.check(graphql.query)
            operation = chosen(checked, graphql.operation_name)
            variables = coerced(documents, operation, graphql.variables)
            points = cost(documents.schema, operation, checked.fragments, variables)
            check_cost(points, cost_limit)
            prepared = self.engine.prepare(checked.document, operation, checked.fragments)
        except orjson.JSONEncodeError:
            raise Refused(errors.of_nesting()) from None
        except InvalidDocument as failure:
            raise Refused(errors.of_document(failure)) from None
        except TooExpensive as failure:
            raise Refused(errors.of_cost(failure)) from None
        except (TooComplex, Unplannable) as failure:
            raise Refused(errors.of_plan(failure)) from None
        return Planned(checked, prepared, variables, points)

    def shape(self, graphql: GraphQLRequest, planned: Planned) -> Shape:
        """What the operation asks for, without what it asks with."""
        key = f"{graphql.operation_name or ''}\0{graphql.query}"
        found = self._shapes.get(key)
        if found is None:
            found = shape(self.documents.schema, planned.prepared.operation, planned.checked.fragments)
            self._shapes.put(key, found, 200 + 2 * len(key))
        return found


@dataclass(slots=True)
class Graph:
    """A version of the whole graph: a request keeps the one that it began with."""

    version: int
    national: National
    federated: Federated | None = None
    _national_alone: "Recent[bool]" = field(default_factory=lambda: Recent(DECIDED_DOCUMENTS, DECIDED_BYTES))

    def as_subgraph(self) -> "Graph":
        """The national graph as other routers ask it: with `_entities` and `_service`."""
        return Graph(self.version, replace(self.national, documents=self.national.subgraph))

    def is_national(self, text: str) -> bool:
        """Whether the national graph alone answers the document; decided once."""
        if self.federated is None:
            return True
        known = self._national_alone.get(text)
        if known is None:
            known = self._decided(text)
            self._national_alone.put(text, known, 200 + len(text))
        return known

    def _decided(self, text: str) -> bool:
        try:
            document = self.national.documents.check(text).document
        except InvalidDocument:
            return False
        return asks_national_alone(self.national.documents.schema, document)

    def warm(self, before: "Graph") -> None:
        """Plans what was asked of the graph before this one, so that its first callers need not wait."""
        if self.federated is None or before.federated is None:
            return
        engine, documents = self.federated.engine, self.federated.documents
        for text in before.federated.documents.recent(WARMED_DOCUMENTS):
            with suppress(InvalidDocument, TooComplex, Unplannable):
                checked = documents.check(text)
                for operation in checked.operations.values():
                    engine.prepare(checked.document, operation, checked.fragments)


def national(by_agency: Mapping[str, str], documents: Documents) -> National:
    """`by_agency` are the types of LocalCase; `documents` those of the graph as it is served with these types."""
    subgraph = schema.build_subgraph(sorted(by_agency.values()))
    return National(local_cases(by_agency), documents, Documents(subgraph._schema, introspection=True))


def with_bindings(api_schema: GraphQLSchema, national: GraphQLSchema) -> GraphQLSchema:
    """The composed schema, whose national fields cost what they cost without federation."""
    for name, known in national.type_map.items():
        there = api_schema.type_map.get(name)
        kinds = GraphQLObjectType | GraphQLInterfaceType
        if isinstance(known, kinds) and isinstance(there, kinds):
            for field_name, known_field in known.fields.items():
                if field_name in there.fields:
                    there.fields[field_name].extensions = known_field.extensions
    return api_schema


def asks_national_alone(national: GraphQLSchema, document: DocumentNode) -> bool:
    """Of a document that is valid there: it asks neither for a local case's fields nor for the wider schema."""
    types = TypeInfo(national)
    elsewhere: list[str] = []

    class Look(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            name, parent = node.name.value, types.get_parent_type()
            is_local_case = parent is not None and (
                parent.name == _LOCAL_CASE
                or (isinstance(parent, GraphQLObjectType) and any(row.name == _LOCAL_CASE for row in parent.interfaces))
            )
            if name in ("__schema", "__type") or (is_local_case and name not in ("__typename", "id")):
                elsewhere.append(name)

    visit(document, TypeInfoVisitor(types, Look()))
    return not elsewhere
