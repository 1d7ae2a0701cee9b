"""Subgraphs whose SDL and resolvers a test writes, run by graphql-core, composed and asked through the engine.

A subgraph sees of an object only what its own SDL resolves and what the representation brings.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from graphql import (
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    build_ast_schema,
    concat_ast,
    execute_sync,
    parse,
    validate,
)

from gateway.federation.composition import SubgraphSource, compose
from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.operation.document import Documents

LINK = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable",
"@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject", "@context", "@fromContext",
"@authenticated"])
"""
ENTITIES = "scalar _Any union _Entity = %s extend type Query { _entities(representations: [_Any!]!): [_Entity]! }"

Row = dict[str, Any]
Resolvers = Mapping[str, Callable[..., Any]]
"""Resolvers by `Type.field`, called with the object and the arguments. A field without one reads the object."""


class ServedSubgraph:
    """One subgraph: its SDL, its resolvers, and by type the objects that `_entities` finds."""

    def __init__(self, sdl: str, resolvers: Resolvers, rows: Mapping[str, list[Row]] | None = None) -> None:
        self.sdl, self.resolvers, self.rows = LINK + sdl, resolvers, rows or {}
        self.schema = _build_schema(sdl)

    def answer(self, query: str, variables: Row) -> Row:
        document = parse(query)
        assert validate(self.schema, document) == [], query
        result = execute_sync(
            self.schema,
            document,
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=lambda row, info, abstract: row["__typename"],
        )
        return dict(result.formatted)

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if info.field_name == "_entities":
            return [self._find_entity(row) for row in arguments["representations"]]
        resolver = self.resolvers.get(f"{info.parent_type.name}.{info.field_name}")
        return source[info.field_name] if resolver is None else resolver(source, **arguments)

    def _find_entity(self, representation: Row) -> Row | None:
        for row in self.rows.get(representation["__typename"], []):
            if any(
                name in row and row[name] == value for name, value in representation.items() if name != "__typename"
            ):
                return row | representation | {"__typename": row.get("__typename", representation["__typename"])}
        return None


def _build_schema(sdl: str) -> GraphQLSchema:
    document = parse(sdl)
    own = build_ast_schema(document, assume_valid=True)
    keyed = {
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        if any(row.name.value == "key" for row in definition.directives or ())
    }
    members = [name for name in keyed if isinstance(own.type_map[name], GraphQLObjectType)]
    if "Query" not in own.type_map:
        document = concat_ast([document, parse("type Query { _nothing: Int }")])
    if members:
        document = concat_ast([document, parse(ENTITIES % " | ".join(sorted(members)))])
    return build_ast_schema(document, assume_valid=True)


def ask_subgraphs(query: str, /, **subgraphs: ServedSubgraph) -> tuple[Row, list[str]]:
    """Returns the answer, and each request as `subgraph: document`. Checks that the subgraphs' order is irrelevant."""
    names = list(subgraphs)
    outcomes = [_ask_engine(query, {name: subgraphs[name] for name in order}) for order in (names, names[::-1])]
    assert outcomes[0][0] == outcomes[1][0]
    return outcomes[0]


def _ask_engine(query: str, subgraphs: Mapping[str, ServedSubgraph]) -> tuple[Row, list[str]]:
    made = compose([SubgraphSource(name, "", served.sdl) for name, served in subgraphs.items()])
    assert made.supergraph is not None, made.errors
    requests: list[str] = []

    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller) -> Row:
        sent = orjson.loads(request.encode())
        requests.append(f"{subgraph}: {sent['query']}")
        return subgraphs[subgraph].answer(sent["query"], sent["variables"])

    checked = Documents(made.supergraph.api_schema).check(query)
    [operation] = checked.operations.values()
    engine = Engine(made.supergraph, ask)
    prepared = engine.prepare(checked.document, operation, checked.fragments)
    return asyncio.run(engine.execute(prepared, {}, {})), requests
