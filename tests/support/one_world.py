"""Subgraphs whose SDL a test writes, over one world of objects; each subgraph knows a part of them.

The engine over the subgraphs and one schema over the world must give the same answer. A subgraph fails the test if it
is asked for something that it cannot know: an external field that is not a key, not provided and not in the
representation, or a field whose requirement is not in the representation.

The world's objects are dictionaries with `__typename`; they refer to each other directly. A value may be a function,
which is called with a `View` of its object and the field's arguments.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from graphql import (
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    build_ast_schema,
    execute_sync,
    is_abstract_type,
    parse,
    validate,
    value_from_ast_untyped,
)
from support.composing import FED1, LINK

from gateway.federation.composition import SubgraphSource, compose
from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.federation.fields import parse_fields
from gateway.federation.join import read_supergraph
from gateway.federation.supergraph import Supergraph
from gateway.operation.document import Documents
from gateway.operation.variables import coerce_variables

Row = dict[str, Any]
Composite = (
    ObjectTypeDefinitionNode | ObjectTypeExtensionNode | InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode
)


class Unknowable(AssertionError):
    """A subgraph was asked for something that it cannot know."""


class View:
    """What a computed field sees of its object: all of it, or only what the representation brought."""

    def __init__(self, row: Row, known: Row | None = None) -> None:
        self.row, self.known = row, known
        self.type = row.get("__typename") or (known or {}).get("__typename")

    def __call__(self, name: str, **arguments: Any) -> Any:
        if self.known is None:
            value = self.row[name]
            return _map_objects(value(self, **arguments) if callable(value) else value, View)
        if name not in self.known:
            raise Unknowable(f"{name} is not in {self.known}")
        return _map_objects(self.known[name], lambda known: View({}, known))


class _Object:
    """An object in a subgraph. `known` are the values that a representation or a `@provides` brought."""

    def __init__(self, row: Row, known: Row | None = None) -> None:
        self.row, self.known = row, known or {}


class Subgraph:
    """Executes one subgraph's SDL over the world."""

    def __init__(self, name: str, sdl: str, world: "World") -> None:
        self.name, self.sdl, self.world = (
            name,
            sdl if "/federation/" in sdl or sdl.startswith(FED1) else LINK + sdl,
            world,
        )
        document = parse(self.sdl)
        self.words = _read_imports(document)
        self.roots = {"query": "Query", "mutation": "Mutation"}
        for definition in document.definitions:
            if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
                self.roots |= {row.operation.value: row.type.name.value for row in definition.operation_types or ()}
        self.fields: dict[tuple[str, str], FieldDefinitionNode] = {}
        self.types: dict[str, list[Composite]] = {}
        for definition in document.definitions:
            if isinstance(definition, Composite):
                self.types.setdefault(definition.name.value, []).append(definition)
                for field in definition.fields or ():
                    self.fields[definition.name.value, field.name.value] = field
        self.schema = self._build_schema(document)

    def _find_directives(self, node: Any, word: str) -> list[DirectiveNode]:
        return [row for row in node.directives or () if self.words.get(row.name.value, row.name.value) == word]

    def _build_schema(self, document: DocumentNode) -> GraphQLSchema:
        own = list(_list_definitions(document))
        entities = [
            name
            for name, nodes in self.types.items()
            if isinstance(nodes[0], ObjectTypeDefinitionNode | ObjectTypeExtensionNode)
            if any(
                _read_argument(key, "resolvable", True) for node in nodes for key in self._find_directives(node, "key")
            )
        ]
        query = self.roots["query"]
        if query not in self.types:
            own += parse(f"type {query} {{ _nothing: Int }}").definitions
        if entities:
            union = f"scalar _Any union _Entity = {' | '.join(entities)} "
            own += parse(
                f"{union} extend type {query} {{ _entities(representations: [_Any!]!): [_Entity]! }}"
            ).definitions
        if self.roots["query"] != "Query" or self.roots["mutation"] in self.types:
            roots = [f"{kind}: {name}" for kind, name in self.roots.items() if name in self.types or kind == "query"]
            own += parse(f"schema {{ {' '.join(roots)} }}").definitions
        return build_ast_schema(DocumentNode(definitions=tuple(own)), assume_valid=True, assume_valid_sdl=True)

    def keys(self, type_name: str) -> list[str]:
        nodes = self.types.get(type_name, [])
        return [str(_read_argument(key, "fields")) for node in nodes for key in self._find_directives(node, "key")]

    def answer(self, query: str, variables: Row) -> Row:
        document = parse(query)
        assert validate(self.schema, document) == [], (self.name, query, validate(self.schema, document))
        result = execute_sync(
            self.schema,
            document,
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=lambda value, info, kind: self._name_type(value.row),
        )
        for error in result.errors or ():
            if error.original_error is not None:
                raise AssertionError(f"{self.name}: {error.message} in {query} {variables}") from error.original_error
        return dict(result.formatted)

    def _name_type(self, row: Row) -> str:
        """Returns the object's type, or the interface object that stands for it in this subgraph."""
        name: str = row["__typename"]
        if name in self.types:
            return name
        return next(kind for kind in self.types if kind not in self.roots.values() and self.world.is_a(row, kind))

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        type_name, name = info.parent_type.name, info.field_name
        if name == "_entities":
            return [self._find_entity(row) for row in arguments["representations"]]
        if source is None:
            row = self.world.roots[next(kind for kind, root in self.roots.items() if root == type_name)]
            source = _Object(row)
            if type_name == self.roots["mutation"]:
                self.world.log.append(f"{self.name}.{name}")
        field = self.fields[type_name, name]
        known = source.known.get(name) if name in source.known else None
        if self._is_external(type_name, name) and name not in source.known:
            raise Unknowable(f"{self.name} does not know {type_name}.{name}")
        requires = self._find_directives(field, "requires")
        value = source.row[name]
        if callable(value):
            value = value(View(source.row, source.known if requires else None), **arguments)
        for provides in self._find_directives(field, "provides"):
            provided = _make_projection(self.world, parse_fields(_read_argument(provides, "fields")))
            return _map_objects(value, partial(_provide, provided))
        return _pair_objects(value, known)

    def _is_external(self, type_name: str, name: str) -> bool:
        if any(name in _list_names(key) for key in self.keys(type_name)):
            return False
        nodes = [*self.types[type_name], self.fields[type_name, name]]
        return any(self._find_directives(node, "external") for node in nodes)

    def _find_entity(self, representation: Row) -> _Object | None:
        type_name = representation["__typename"]
        assert type_name in self.schema.type_map, (self.name, representation)
        usable = [key for key in self.keys(type_name) if _list_names(key) <= representation.keys()]
        assert usable, f"{self.name} has no key for {representation}"
        for row in self.world.objects:
            if self.world.is_a(row, type_name):
                for key in usable:
                    if _covers(representation, self.world.project(row, parse_fields(key))):
                        return _Object(row, {**representation, "__typename": row["__typename"]})
        return None


class World:
    """The values of the root types, and all objects that `_entities` can find."""

    def __init__(self, query: Row, objects: Sequence[Row] = (), mutation: Row | None = None) -> None:
        self.roots = {"query": query, "mutation": mutation or {}}
        self.objects = objects
        self.log: list[str] = []
        self.supergraph: Supergraph | None = None

    def is_a(self, row: Row, type_name: str) -> bool:
        if row["__typename"] == type_name:
            return True
        assert self.supergraph is not None
        kind, found = (self.supergraph.schema.type_map.get(name) for name in (type_name, row["__typename"]))
        return (
            is_abstract_type(kind)
            and isinstance(found, GraphQLObjectType)
            and self.supergraph.schema.is_sub_type(kind, found)
        )

    def project(self, row: Row, selection_set: SelectionSetNode) -> Row:
        """Returns the part of the object that a field set selects."""
        found: Row = {}
        for selection in selection_set.selections:
            match selection:
                case FieldNode(name=name) if name.value == "__typename":
                    found["__typename"] = row["__typename"]
                case FieldNode(name=name, selection_set=below):
                    value = row[name.value]
                    value = value(View(row)) if callable(value) else value
                    one = _make_projection(self, below) if below else lambda inner: inner
                    found[name.value] = _map_objects(value, one)
                case InlineFragmentNode(type_condition=condition, selection_set=below):
                    if condition is None or self.is_a(row, condition.name.value):
                        found |= self.project(row, below)
        return found

    def resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """The resolver of the one schema over the whole world."""
        row = self.roots[info.operation.operation.value] if source is None else source
        value = row[info.field_name]
        return value(View(row), **arguments) if callable(value) else value


def _provide(provided: Callable[[Row], Row], row: Row) -> _Object:
    return _Object(row, provided(row))


def _make_projection(world: World, below: SelectionSetNode) -> Callable[[Row], Row]:
    return lambda row: world.project(row, below)


def check_agreement(world: World, query: str, /, variables: Row | None = None, **sdls: str) -> list[str]:
    """Checks that the engine answers like the one schema, without errors. Returns its requests as `subgraph: document`.

    Checks the same for the reverse order of subgraphs, and for the supergraph read back from its SDL.
    """
    answer, requests = _ask_engine(world, query, variables or {}, sdls, is_read=False)
    assert "errors" not in answer, answer
    for order, is_read in ((reversed(sdls), False), (sdls, True)):
        again, _ = _ask_engine(world, query, variables or {}, {name: sdls[name] for name in order}, is_read=is_read)
        assert again == answer
    return requests


def _ask_engine(
    world: World, query: str, variables: Row, sdls: Mapping[str, str], *, is_read: bool
) -> tuple[Row, list[str]]:
    subgraphs = {name: Subgraph(name, sdl, world) for name, sdl in sdls.items()}
    made = compose([SubgraphSource(name, "", row.sdl) for name, row in subgraphs.items()])
    assert made.supergraph is not None, made.errors
    supergraph = world.supergraph = read_supergraph(made.supergraph_sdl) if is_read else made.supergraph
    requests: list[str] = []

    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller) -> Row:
        sent = orjson.loads(request.encode())
        requests.append(f"{subgraph}: {sent['query']}")
        return subgraphs[subgraph].answer(sent["query"], sent["variables"])

    documents = Documents(supergraph.api_schema)
    checked = documents.check(query)
    [operation] = checked.operations.values()
    engine = Engine(supergraph, ask)
    prepared = engine.prepare(checked.document, operation, checked.fragments)
    world.log = []
    answer = asyncio.run(engine.execute(prepared, variables, coerce_variables(documents, operation, variables)))
    done, world.log = world.log, []
    expected = execute_sync(
        supergraph.api_schema,
        parse(query),
        variable_values=variables,
        field_resolver=world.resolve,
        type_resolver=lambda row, info, kind: row["__typename"],
    )
    assert orjson.dumps(answer["data"]) == orjson.dumps(expected.data), (answer, expected, requests)
    assert sorted(str(error.get("path")) for error in answer.get("errors", ())) == sorted(
        str(error.path) for error in expected.errors or ()
    ), (answer, expected, requests)
    world.log = done
    return answer, requests


def _list_definitions(document: DocumentNode) -> Iterator[DefinitionNode]:
    """Yields the definitions except the schema's. The first extension of an undefined type becomes its definition."""
    defined = {
        row.name.value for row in document.definitions if isinstance(row, Composite) and "extension" not in row.kind
    }
    for row in document.definitions:
        if isinstance(row, SchemaDefinitionNode | SchemaExtensionNode):
            continue
        if isinstance(row, ObjectTypeExtensionNode | InterfaceTypeExtensionNode) and row.name.value not in defined:
            defined.add(row.name.value)
            kind = ObjectTypeDefinitionNode if isinstance(row, ObjectTypeExtensionNode) else InterfaceTypeDefinitionNode
            yield kind(**{key: getattr(row, key) for key in row.keys})
        else:
            yield row


def _read_imports(document: DocumentNode) -> dict[str, str]:
    """Returns federation's own directive names by the names that this subgraph uses."""
    found: dict[str, str] = {}
    links = [
        row
        for definition in document.definitions
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode)
        for row in definition.directives or ()
        if row.name.value == "link" and "federation" in str(_read_argument(row, "url"))
    ]
    for link in links:
        prefix = _read_argument(link, "as", "federation")
        found |= {f"{prefix}__{word}": word for word in ("key", "shareable", "external", "requires", "provides")}
        for row in _read_argument(link, "import", []):
            if isinstance(row, dict):
                name = str(row["name"])
                found[str(row.get("as", name))[1:]] = name[1:]
    return found


def _read_argument(directive: DirectiveNode, name: str, default: Any = None) -> Any:
    for row in directive.arguments or ():
        if row.name.value == name:
            return value_from_ast_untyped(row.value)
    return default


def _covers(given: Any, wanted: Any) -> bool:
    """Whether `given` holds everything that `wanted` holds; it may hold more."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and _covers(given[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and len(given) == len(wanted) and all(map(_covers, given, wanted))
    return bool(given == wanted)


def _list_names(key: str) -> set[str]:
    """Returns the names of the field set's outermost fields."""
    return {row.name.value for row in parse_fields(key).selections if isinstance(row, FieldNode)}


def _map_objects(value: Any, one: Callable[[Any], Any]) -> Any:
    """Applies the function to each object, through lists."""
    if isinstance(value, list):
        return [_map_objects(row, one) for row in value]
    return one(value) if isinstance(value, dict) else value


def _pair_objects(value: Any, known: Any) -> Any:
    if isinstance(value, list):
        given = known if isinstance(known, list) and len(known) == len(value) else [None] * len(value)
        return [_pair_objects(row, part) for row, part in zip(value, given, strict=True)]
    return _Object(value, known if isinstance(known, dict) else None) if isinstance(value, dict) else value
