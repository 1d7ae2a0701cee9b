"""One subgraph's SDL as a model: types joined with their extensions, federation's directives under their own names."""

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
from gateway.federation.hints import CompositionError, SubgraphLocation
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
    """A directive on an element; `part` is 0 in a definition, 1 and up in its extensions."""

    arguments: dict[str, Any]
    node: ConstDirectiveNode
    part: int = 0

    @property
    def selection(self) -> SelectionSetNode | None:
        """Its `fields` as a selection set; None where that is no valid selection."""
        fields = self.arguments.get("fields")
        try:
            return parse_fields(fields) if isinstance(fields, str) else None
        except GraphQLError:
            return None

    @property
    def fields_printed(self) -> str:
        node = next((row.value for row in self.node.arguments or () if row.name.value == "fields"), None)
        return "" if node is None else print_ast(node)

    @property
    def has_string_fields(self) -> bool:
        return any(
            row.name.value == "fields" and isinstance(row.value, StringValueNode) for row in self.node.arguments or ()
        )


@dataclass(slots=True)
class Element:
    """A field, argument, input field or enum value (which has no type)."""

    name: str
    description: str | None = None
    directives: dict[str, list[AppliedDirective]] = field(default_factory=dict)
    custom: tuple[ConstDirectiveNode, ...] = ()
    """Directives that are neither GraphQL's nor Federation's."""
    type: str = ""
    type_node: TypeNode | None = None
    default: ConstValueNode | None = None
    arguments: dict[str, "Element"] = field(default_factory=dict)
    part: int = 0

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
    """A type of any kind; what it has not is empty. `fields` are an input object's too."""

    kind: str = "OBJECT"
    interfaces: list[str] = field(default_factory=list)
    fields: dict[str, Element] = field(default_factory=dict)
    values: dict[str, Element] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    is_extension: bool = False
    """Whether the subgraph only extends it."""

    @property
    def is_composite(self) -> bool:
        return self.kind in ("OBJECT", "INTERFACE", "UNION")


@dataclass(slots=True)
class SubgraphSchema:
    """A subgraph's types by name; its root types have the default names."""

    name: str
    url: str
    links: SubgraphLinks
    sdl: str = ""
    types: dict[str, TypeDefinition] = field(default_factory=dict)
    directive_definitions: dict[str, DirectiveDefinitionNode] = field(default_factory=dict)
    composed_directives: tuple[str, ...] = ()
    implementations: dict[str, set[str]] = field(default_factory=dict)
    """Object types by the interface they implement here."""

    @property
    def is_fed1(self) -> bool:
        return self.links.version is None

    def possible_types(self, type_name: str) -> set[str]:
        """Object types that a value of the composite type may have here."""
        found = self.types.get(type_name)
        if found is None or found.kind == "OBJECT":
            return {type_name}
        return set(found.members) if found.kind == "UNION" else self.implementations.get(type_name, set())


class ParsedSubgraph(NamedTuple):
    """`schema` is None where the errors leave nothing to go on with."""

    schema: SubgraphSchema | None
    errors: tuple[CompositionError, ...]


def parse_subgraph(name: str, url: str, sdl: str) -> ParsedSubgraph:
    """Reads the SDL; refuses what is not valid GraphQL, and links and root types that are out of order."""
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
    problems = problems or [*check_definitions(document, links), *_check_roots(document, roots)]
    if problems:
        return ParsedSubgraph(None, tuple(_make_error(name, *problem) for problem in problems))
    errors, parts, directives = _validate_parts(document, links, roots)
    if errors:
        with_places, *_ = _validate_parts(parse(sdl), links, roots)
        return ParsedSubgraph(None, tuple(_convert_error(name, error) for error in with_places))
    schema = SubgraphSchema(name, url, links, sdl)
    schema.types = {type_name: _build_type(nodes, links) for type_name, nodes in parts.items()}
    schema.directive_definitions = {node.name.value: node for node in directives}
    schema.composed_directives = tuple(_read_composed_directives(document, links))
    for found in schema.types.values():
        for interface in found.interfaces if found.kind == "OBJECT" else ():
            schema.implementations.setdefault(interface, set()).add(found.name)
    return ParsedSubgraph(schema, ())


def _validate_parts(
    document: DocumentNode, links: SubgraphLinks, roots: dict[str, str]
) -> tuple[list[GraphQLError], dict[str, list[Any]], list[DirectiveDefinitionNode]]:
    """What is not valid GraphQL, and the subgraph's own definitions: of types by name, and of directives."""
    document = _rename_roots(document, roots)
    parts: dict[str, list[Any]] = {}
    directives: list[DirectiveDefinitionNode] = []
    rest: list[Any] = []
    for node in document.definitions:
        if is_from_specification(node, links):
            continue
        if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            parts.setdefault(node.name.value, []).append(node)
        elif isinstance(node, DirectiveDefinitionNode):
            directives.append(node)
        elif isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            rest.append(SchemaExtensionNode(directives=node.directives, operation_types=(), loc=node.loc))
        else:
            message = "An operation or fragment cannot stand in a schema."
            return [GraphQLError(message, node)], parts, directives
    for nodes in parts.values():
        nodes.sort(key=lambda node: isinstance(node, TypeExtensionNode))
    parts = _drop_service_fields(parts)
    return _validate_graphql(parts, [*directives, *rest], links), parts, directives


def _make_error(name: str, code: str, message: str, coordinate: str = "") -> CompositionError:
    return CompositionError(code, f"[{name}] {message}", (name,), coordinate)


def _convert_error(name: str, error: GraphQLError) -> CompositionError:
    places = tuple(SubgraphLocation(name, place.line, place.column) for place in error.locations or ())
    return CompositionError("INVALID_GRAPHQL", f"[{name}] {error.message}", (name,), locations=places)


def _read_root_names(document: DocumentNode) -> dict[str, str]:
    """Default root type names by the names here."""
    return {
        row.type.name.value: ROOTS[row.operation.value]
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for row in node.operation_types or ()
    }


def _check_roots(document: DocumentNode, roots: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    defined = {node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    extended = {node.name.value for node in document.definitions if isinstance(node, ObjectTypeExtensionNode)}
    rows = {
        (row.operation, row.type.name.value)
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for row in node.operation_types or ()
    }
    named = Counter(here for _, here in rows)
    for here in sorted(here for here, count in named.items() if count > 1):
        yield "INVALID_GRAPHQL", f'The type "{here}" is the root of several operations.', here
    for here, default in sorted({(name, name) for name in ROOTS.values() if name in defined} | set(roots.items())):
        node = defined.get(here)
        if node is None and here not in extended:
            yield "INVALID_GRAPHQL", f'Cannot set the {default.lower()} root to the unknown type "{here}".', "schema"
        elif node is not None and not isinstance(node, ObjectTypeDefinitionNode):
            yield "INVALID_GRAPHQL", f'The {default.lower()} root type "{here}" must be an object type.', here
        elif here != default and default in defined:
            yield (
                f"ROOT_{default.upper()}_USED",
                f'The schema has a type named "{default}" but it is not set as the {default.lower()} root type '
                f'("{here}" is instead). If a root type does not use its default name, no other type may have it.',
                default,
            )


def _rename_roots(document: DocumentNode, roots: dict[str, str]) -> DocumentNode:
    renamed = {here: default for here, default in roots.items() if here != default}
    if not renamed:
        return document

    class RootRenamer(Visitor):
        def enter_name(self, node: NameNode, _key: Any, parent: Any, *_: Any) -> NameNode | None:
            of_type = isinstance(parent, NamedTypeNode | TypeDefinitionNode | TypeExtensionNode)
            return NameNode(value=renamed[node.value]) if of_type and node.value in renamed else None

    made: DocumentNode = visit(document, RootRenamer())
    return made


def _drop_service_fields(parts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Without what a subgraph library adds to the query type, and without root types that are then empty."""
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
    """GraphQL's own rules, on the definitions with their extensions joined."""
    own: list[Any] = []
    for nodes in parts.values():
        own += [_join_parts(nodes)] if _are_of_one_type(nodes) else nodes
    known = build_definitions(tuple(links.names.items()), links.known_version)
    document = DocumentNode(definitions=(*known, *others, *own))
    errors = validate_sdl(document)
    if not errors:
        schema = build_ast_schema(document, assume_valid_sdl=True)
        errors = validate_schema(schema) or [
            GraphQLError(message) for message in check_applications((*others, *own), schema, links)
        ]
    return [error for error in errors if not error.message.startswith("Query root type must")]


def _read_kind(node: Any) -> str:
    return str(node.kind).split("_type_")[0]


def _are_of_one_type(nodes: list[Any]) -> bool:
    return len({_read_kind(node) for node in nodes}) == 1 and (
        len(nodes) == 1 or isinstance(nodes[1], TypeExtensionNode)
    )


def _join_parts(nodes: list[Any]) -> Any:
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
    has_base = isinstance(nodes[0], TypeDefinitionNode)
    made = TypeDefinition(nodes[0].name.value, kind=_KINDS[_read_kind(nodes[0])][0])
    made.description = _read_description(nodes[0])
    for part, node in enumerate(nodes, start=0 if has_base else 1):
        _read_directives(made, node, links, part)
        made.interfaces += [row.name.value for row in getattr(node, "interfaces", None) or ()]
        made.members += [row.name.value for row in getattr(node, "types", None) or ()]
        for row in getattr(node, "fields", None) or ():
            made.fields[row.name.value] = read_element(row, links, part)
        for row in getattr(node, "values", None) or ():
            made.values[row.name.value] = read_element(row, links, part)
    made.is_extension = not has_base or (links.version is None and made.has("extends"))
    return made


def read_element(node: Any, links: SubgraphLinks, part: int = 0) -> Element:
    """A field, argument, value or directive definition."""
    made = Element(node.name.value, _read_description(node), part=part)
    made.type_node = getattr(node, "type", None)
    made.type = "" if made.type_node is None else print_type_node(made.type_node)
    made.default = getattr(node, "default_value", None)
    for row in getattr(node, "arguments", None) or ():
        made.arguments[row.name.value] = read_element(row, links, part)
    _read_directives(made, node, links, part)
    return made


def _read_directives(element: Element, node: Any, links: SubgraphLinks, part: int) -> None:
    for directive in node.directives or ():
        name = links.names.get(directive.name.value)
        if name is None:
            element.custom += (directive,)
            continue
        arguments = {row.name.value: value_from_ast_untyped(row.value) for row in directive.arguments or ()}
        if links.version is None and isinstance(arguments.get("fields"), list):
            arguments["fields"] = " ".join(str(row) for row in arguments["fields"])
        for listed in ("scopes", "policies"):
            if listed in arguments:
                arguments[listed] = [
                    row if isinstance(row, list) else [row] for row in _wrap_in_list(arguments[listed])
                ]
        element.directives.setdefault(name, []).append(AppliedDirective(arguments, directive, part))


def _wrap_in_list(value: Any) -> list[Any]:
    """GraphQL takes one value for a list of one."""
    return value if isinstance(value, list) else [value]


def _read_description(node: Any) -> str | None:
    description = getattr(node, "description", None)
    return None if description is None else str(description.value)
