"""Reads one subgraph's SDL into a model: types with their extensions, and directives by Federation's names."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    ConstDirectiveNode,
    ConstValueNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    Visitor,
    build_ast_schema,
    parse,
    print_ast,
    validate_schema,
    value_from_ast_untyped,
    visit,
)
from graphql.language.ast import TypeNode
from graphql.validation.validate import validate_sdl

from gateway.federation.directives import build_definitions
from gateway.federation.fields import parse_fields
from gateway.federation.hints import CompositionError, ElementProblem, SubgraphLocation
from gateway.federation.links import SubgraphLinks, is_from_specification, read_links
from gateway.federation.specification_checks import check_applications, check_definitions
from gateway.federation.type_nodes import print_type_node

ROOTS: Final = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
SPECIFIED_SCALARS: Final = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_KINDS: Final[dict[str, tuple[str, Any]]] = {
    "object": ("OBJECT", ObjectTypeDefinitionNode),
    "interface": ("INTERFACE", InterfaceTypeDefinitionNode),
    "union": ("UNION", UnionTypeDefinitionNode),
    "enum": ("ENUM", EnumTypeDefinitionNode),
    "input_object": ("INPUT_OBJECT", InputObjectTypeDefinitionNode),
    "scalar": ("SCALAR", ScalarTypeDefinitionNode),
}
_PARTS: Final = ("directives", "interfaces", "fields", "values", "types")
_SERVICE_FIELDS: Final = ("_service", "_entities")


class AppliedDirective(NamedTuple):
    """A directive that is applied to an element. `part` is 0 in a definition, 1 and up in its extensions."""

    arguments: dict[str, Any]
    node: ConstDirectiveNode
    part: int = 0

    @property
    def selection(self) -> SelectionSetNode | None:
        """The `fields` argument as a selection set; None where it is missing or not valid."""
        fields = self.arguments.get("fields")
        try:
            return parse_fields(fields) if isinstance(fields, str) else None
        except GraphQLError:
            return None

    @property
    def fields_printed(self) -> str:
        """The `fields` argument as the SDL has it, quotes included; empty where it is missing."""
        node = next((row.value for row in self.node.arguments or () if row.name.value == "fields"), None)
        return "" if node is None else print_ast(node)

    @property
    def has_string_fields(self) -> bool:
        return any(
            row.name.value == "fields" and isinstance(row.value, StringValueNode) for row in self.node.arguments or ()
        )


@dataclass(slots=True)
class Element:
    """A field, argument, input field or enum value. An enum value has no type."""

    name: str
    description: str | None = None
    directives: dict[str, list[AppliedDirective]] = field(default_factory=dict)
    """Applications of GraphQL's and Federation's directives, by Federation's name of the directive."""
    custom: tuple[ConstDirectiveNode, ...] = ()
    """Applications of other directives."""
    type: str = ""
    """As it is written: `[Product!]!`."""
    type_node: TypeNode | None = None
    default: ConstValueNode | None = None
    arguments: dict[str, "Element"] = field(default_factory=dict)
    part: int = 0
    """0 where the type's definition has the element, 1 and up in its extensions."""

    @property
    def named_type(self) -> str:
        return self.type.strip("[]!")

    @property
    def is_required(self) -> bool:
        return self.type.endswith("!") and self.default is None

    def has(self, directive: str) -> bool:
        return directive in self.directives

    def list_applied(self, directive: str) -> Iterable[AppliedDirective]:
        return self.directives.get(directive, ())


@dataclass(slots=True)
class TypeDefinition(Element):
    """A type of any kind. Parts that its kind does not have are empty; input objects have `fields` too."""

    kind: str = "OBJECT"
    interfaces: list[str] = field(default_factory=list)
    fields: dict[str, Element] = field(default_factory=dict)
    values: dict[str, Element] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    is_extension: bool = False
    """Whether the subgraph extends the type without defining it."""

    @property
    def is_composite(self) -> bool:
        return self.kind in ("OBJECT", "INTERFACE", "UNION")


@dataclass(slots=True)
class SubgraphSchema:
    """A subgraph's types by name. Root types have their default names: `Query`, `Mutation`, `Subscription`."""

    name: str
    url: str
    links: SubgraphLinks
    sdl: str = ""
    types: dict[str, TypeDefinition] = field(default_factory=dict)
    directive_definitions: dict[str, DirectiveDefinitionNode] = field(default_factory=dict)
    composed_directives: tuple[str, ...] = ()
    """Arguments of `@composeDirective`, such as `@audit`."""
    implementations: dict[str, set[str]] = field(default_factory=dict)
    """Names of this subgraph's object types, by the interface that they implement."""

    @property
    def is_fed1(self) -> bool:
        return self.links.version is None

    def possible_types(self, type_name: str) -> set[str]:
        """Returns the object types that a value of the composite type may have in this subgraph."""
        definition = self.types.get(type_name)
        if definition is None or definition.kind == "OBJECT":
            return {type_name}
        return set(definition.members) if definition.kind == "UNION" else self.implementations.get(type_name, set())


class ParsedSubgraph(NamedTuple):
    """The outcome of reading an SDL: a model, or else errors and None."""

    schema: SubgraphSchema | None
    errors: tuple[CompositionError, ...]


def parse_subgraph(name: str, url: str, sdl: str) -> ParsedSubgraph:
    """Reads the SDL. Returns errors for invalid GraphQL, links and root types instead of raising them."""
    try:
        document = parse(sdl, no_location=True)
    except GraphQLError as error:
        return ParsedSubgraph(None, (_convert_error(name, error),))
    except RecursionError:
        return ParsedSubgraph(
            None, (_make_error(name, "INVALID_GRAPHQL", "The document is nested too deeply to be read."),)
        )
    links = read_links(document)
    roots = _read_root_names(document)
    problems = [(row.code, row.message, row.coordinate) for row in links.problems]
    # Names are not known while links are wrong; the other checks would report the same mistake again.
    problems = problems or [*check_definitions(document, links), *_check_roots(document, roots)]
    if problems:
        return ParsedSubgraph(None, tuple(_make_error(name, *problem) for problem in problems))
    errors, parts, directives = _validate_parts(document, links, roots)
    if errors:
        # Nodes with locations keep every token of the SDL in memory, so only an invalid SDL is parsed with them.
        with_locations, *_ = _validate_parts(parse(sdl), links, roots)
        return ParsedSubgraph(None, tuple(_convert_error(name, error) for error in with_locations))
    schema = SubgraphSchema(name, url, links, sdl)
    schema.types = {type_name: _build_type(nodes, links) for type_name, nodes in parts.items()}
    schema.directive_definitions = {node.name.value: node for node in directives}
    schema.composed_directives = tuple(_read_composed_directives(document, links))
    for definition in schema.types.values():
        for interface in definition.interfaces if definition.kind == "OBJECT" else ():
            schema.implementations.setdefault(interface, set()).add(definition.name)
    return ParsedSubgraph(schema, ())


def _validate_parts(
    document: DocumentNode, links: SubgraphLinks, roots: dict[str, str]
) -> tuple[list[GraphQLError], dict[str, list[Any]], list[DirectiveDefinitionNode]]:
    """Returns GraphQL's errors, the nodes of each own type by name, and the own directive definitions.

    A type has several nodes if the SDL extends it; its definition is the first. Definitions that a specification owns
    are left out.
    """
    document = _rename_roots(document, roots)
    parts: dict[str, list[Any]] = {}
    directives: list[DirectiveDefinitionNode] = []
    schema_nodes: list[Any] = []
    for node in document.definitions:
        if is_from_specification(node, links):
            continue
        if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            parts.setdefault(node.name.value, []).append(node)
        elif isinstance(node, DirectiveDefinitionNode):
            directives.append(node)
        elif isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            schema_nodes.append(SchemaExtensionNode(directives=node.directives, operation_types=(), loc=node.loc))
        else:
            message = "A schema cannot contain an operation or a fragment."
            return [GraphQLError(message, node)], parts, directives
    for nodes in parts.values():
        nodes.sort(key=lambda node: isinstance(node, TypeExtensionNode))
    parts = _drop_service_fields(parts)
    return _validate_graphql(parts, [*directives, *schema_nodes], links), parts, directives


def _make_error(name: str, code: str, message: str, coordinate: str = "") -> CompositionError:
    return CompositionError(code, f"[{name}] {message}", (name,), coordinate)


def _convert_error(name: str, error: GraphQLError) -> CompositionError:
    locations = tuple(SubgraphLocation(name, row.line, row.column) for row in error.locations or ())
    return CompositionError("INVALID_GRAPHQL", f"[{name}] {error.message}", (name,), locations=locations)


def _read_root_names(document: DocumentNode) -> dict[str, str]:
    """Returns the default name of each root type by the subgraph's name: `{"RootQuery": "Query"}`."""
    return {
        row.type.name.value: ROOTS[row.operation.value]
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for row in node.operation_types or ()
    }


def _check_roots(document: DocumentNode, roots: dict[str, str]) -> Iterator[ElementProblem]:
    defined = {node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    extended = {node.name.value for node in document.definitions if isinstance(node, ObjectTypeExtensionNode)}
    rows = {
        (row.operation, row.type.name.value)
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for row in node.operation_types or ()
    }
    counts = Counter(local for _, local in rows)
    for local in sorted(local for local, count in counts.items() if count > 1):
        yield "INVALID_GRAPHQL", f'The type "{local}" is the root of several operations.', local
    for local, default in sorted({(name, name) for name in ROOTS.values() if name in defined} | set(roots.items())):
        node = defined.get(local)
        if node is None and local not in extended:
            yield "INVALID_GRAPHQL", f'Cannot set the {default.lower()} root to the unknown type "{local}".', "schema"
        elif node is not None and not isinstance(node, ObjectTypeDefinitionNode):
            yield "INVALID_GRAPHQL", f'The {default.lower()} root type "{local}" must be an object type.', local
        elif local != default and default in defined:
            yield (
                f"ROOT_{default.upper()}_USED",
                f'The schema has a type named "{default}" but it is not set as the {default.lower()} root type '
                f'("{local}" is instead). If a root type does not use its default name, no other type may have it.',
                default,
            )


def _rename_roots(document: DocumentNode, roots: dict[str, str]) -> DocumentNode:
    """Gives root types their default names: types of different subgraphs merge by name."""
    renamed = {local: default for local, default in roots.items() if local != default}
    if not renamed:
        return document

    class RootRenamer(Visitor):
        def enter_name(self, node: NameNode, _key: Any, parent: Any, *_: Any) -> NameNode | None:
            of_type = isinstance(parent, NamedTypeNode | TypeDefinitionNode | TypeExtensionNode)
            return NameNode(value=renamed[node.value]) if of_type and node.value in renamed else None

    result: DocumentNode = visit(document, RootRenamer())
    return result


def _drop_service_fields(parts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Drops `_service` and `_entities`, which subgraph libraries add, and root types that have no field then."""
    queries = [_drop_service_fields_from(node) for node in parts.get("Query", ())]
    kept = parts | {"Query": [node for node in queries if node.fields or node.directives]}
    return {
        name: nodes
        for name, nodes in kept.items()
        if name not in ROOTS.values() or any(getattr(node, "fields", ()) for node in nodes)
    }


def _drop_service_fields_from(node: Any) -> Any:
    fields = getattr(node, "fields", None) or ()
    if not any(row.name.value in _SERVICE_FIELDS for row in fields):
        return node
    kept = tuple(row for row in fields if row.name.value not in _SERVICE_FIELDS)
    return type(node)(**{key: getattr(node, key) for key in node.keys} | {"fields": kept})


def _validate_graphql(parts: dict[str, list[Any]], others: list[Any], links: SubgraphLinks) -> list[GraphQLError]:
    """Applies GraphQL's own rules to the definitions, each joined with its extensions.

    Joined, because GraphQL refuses an extension without a definition, which Federation allows: another subgraph has it.
    """
    own: list[Any] = []
    for nodes in parts.values():
        own += [_join_parts(nodes)] if _are_of_one_type(nodes) else nodes
    specified = build_definitions(tuple(links.names.items()), links.known_version)
    document = DocumentNode(definitions=(*specified, *others, *own))
    errors = validate_sdl(document)
    if not errors:
        schema = build_ast_schema(document, assume_valid_sdl=True)
        errors = validate_schema(schema) or [
            GraphQLError(message) for message in check_applications((*others, *own), schema, links)
        ]
    # A subgraph without a query is valid: it only adds to entities.
    return [error for error in errors if not error.message.startswith("Query root type must")]


def _read_kind(node: Any) -> str:
    """`object` for the nodes that graphql-core calls `object_type_definition` and `object_type_extension`."""
    return str(node.kind).split("_type_")[0]


def _are_of_one_type(nodes: list[Any]) -> bool:
    return len({_read_kind(node) for node in nodes}) == 1 and (
        len(nodes) == 1 or isinstance(nodes[1], TypeExtensionNode)
    )


def _join_parts(nodes: list[Any]) -> Any:
    """Makes one definition of a type's definition and extensions, which are all of one kind."""
    if len(nodes) == 1 and isinstance(nodes[0], TypeDefinitionNode):
        return nodes[0]
    merged: dict[str, Any] = {"name": nodes[0].name, "loc": nodes[0].loc}
    for part in _PARTS:
        if part in nodes[0].keys:
            merged[part] = tuple(row for node in nodes for row in getattr(node, part) or ())
    return _KINDS[_read_kind(nodes[0])][1](**merged)


def _read_composed_directives(document: DocumentNode, links: SubgraphLinks) -> Iterator[str]:
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            for directive in node.directives or ():
                if links.names.get(directive.name.value) == "composeDirective":
                    values = [value_from_ast_untyped(argument.value) for argument in directive.arguments or ()]
                    yield str(values[0]) if values and values[0] is not None else ""


def _build_type(nodes: list[Any], links: SubgraphLinks) -> TypeDefinition:
    """Builds the model of a type from its nodes. Extensions count from 1, also where there is no definition."""
    has_base = isinstance(nodes[0], TypeDefinitionNode)
    definition = TypeDefinition(nodes[0].name.value, kind=_KINDS[_read_kind(nodes[0])][0])
    definition.description = _read_description(nodes[0])
    for part, node in enumerate(nodes, start=0 if has_base else 1):
        _read_directives(definition, node, links, part)
        definition.interfaces += [row.name.value for row in getattr(node, "interfaces", None) or ()]
        definition.members += [row.name.value for row in getattr(node, "types", None) or ()]
        for row in getattr(node, "fields", None) or ():
            definition.fields[row.name.value] = read_element(row, links, part)
        for row in getattr(node, "values", None) or ():
            definition.values[row.name.value] = read_element(row, links, part)
    definition.is_extension = not has_base or (links.version is None and definition.has("extends"))
    return definition


def read_element(node: Any, links: SubgraphLinks, part: int = 0) -> Element:
    """Reads the node of a field, argument, input field, enum value or directive definition."""
    element = Element(node.name.value, _read_description(node), part=part)
    element.type_node = getattr(node, "type", None)
    element.type = "" if element.type_node is None else print_type_node(element.type_node)
    element.default = getattr(node, "default_value", None)
    for row in getattr(node, "arguments", None) or ():
        element.arguments[row.name.value] = read_element(row, links, part)
    _read_directives(element, node, links, part)
    return element


def _read_directives(element: Element, node: Any, links: SubgraphLinks, part: int) -> None:
    for directive in node.directives or ():
        name = links.names.get(directive.name.value)
        if name is None:
            element.custom += (directive,)
            continue
        arguments = {row.name.value: value_from_ast_untyped(row.value) for row in directive.arguments or ()}
        # Federation 1 took a list of field sets in `fields`; GraphQL takes a single value where a list is expected.
        if links.version is None and isinstance(arguments.get("fields"), list):
            arguments["fields"] = " ".join(str(row) for row in arguments["fields"])
        for listed in ("scopes", "policies"):
            if listed in arguments:
                arguments[listed] = [
                    row if isinstance(row, list) else [row] for row in _wrap_in_list(arguments[listed])
                ]
        element.directives.setdefault(name, []).append(AppliedDirective(arguments, directive, part))


def _wrap_in_list(value: Any) -> list[Any]:
    """GraphQL coerces a single value to a list of one."""
    return value if isinstance(value, list) else [value]


def _read_description(node: Any) -> str | None:
    description = getattr(node, "description", None)
    return None if description is None else str(description.value)
