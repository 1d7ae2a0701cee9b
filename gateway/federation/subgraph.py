"""One subgraph's SDL as a model: its types with their extensions merged, federation's directives under their own names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    GraphQLError,
    NamedTypeNode,
    ObjectTypeDefinitionNode,
    OperationTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    ValueNode,
    build_ast_schema,
    parse,
    print_ast,
    validate_schema,
    value_from_ast_untyped,
)
from graphql.language.ast import TypeNode
from graphql.validation.validate import validate_sdl

from gateway.federation.directives import Linked, definitions, is_machinery, linked
from gateway.federation.fields import parse_fields
from gateway.federation.hints import CompositionError

ROOTS: Final = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
SPECIFIED_SCALARS: Final = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_KINDS: Final = {
    "object_type_definition": "OBJECT",
    "interface_type_definition": "INTERFACE",
    "union_type_definition": "UNION",
    "enum_type_definition": "ENUM",
    "input_object_type_definition": "INPUT_OBJECT",
    "scalar_type_definition": "SCALAR",
}
_PARTS: Final = ("directives", "interfaces", "fields", "values", "types")


class Applied(NamedTuple):
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
    directives: dict[str, list[Applied]] = field(default_factory=dict)
    custom: tuple[ConstDirectiveNode, ...] = ()
    """Directives that are neither GraphQL's nor Federation's."""
    type: str = ""
    type_node: TypeNode | None = None
    default: ValueNode | None = None
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

    def applied(self, directive: str) -> Iterable[Applied]:
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
    linked: Linked
    types: dict[str, TypeDefinition] = field(default_factory=dict)
    directive_definitions: dict[str, DirectiveDefinitionNode] = field(default_factory=dict)
    composed_directives: tuple[str, ...] = ()
    implementations: dict[str, set[str]] = field(default_factory=dict)
    """Object types by the interface they implement here."""

    @property
    def is_fed1(self) -> bool:
        return self.linked.version is None

    def possible_types(self, type_name: str) -> set[str]:
        """Object types that a value of the composite type may have here."""
        found = self.types.get(type_name)
        if found is None or found.kind == "OBJECT":
            return {type_name}
        return set(found.members) if found.kind == "UNION" else self.implementations.get(type_name, set())


class Parsed(NamedTuple):
    """`schema` is None where the errors leave nothing to go on with."""

    schema: SubgraphSchema | None
    errors: tuple[CompositionError, ...]


def parse_subgraph(name: str, url: str, sdl: str) -> Parsed:
    """Reads the SDL, checks that it is valid GraphQL and that its links and root types are in order."""
    try:
        document = parse(sdl, no_location=True)
    except GraphQLError as error:
        return Parsed(None, (_error(name, "INVALID_GRAPHQL", f"Syntax error: {error.message}"),))
    links = linked(document)
    if links.problems:
        return Parsed(None, tuple(_error(name, code, message) for code, message, _ in links.problems))
    roots, root_errors = _root_names(name, document)
    if root_errors:
        return Parsed(None, root_errors)
    own = [node for node in _joined(document) if not is_machinery(node, links)]
    invalid = _invalid_graphql(own, links)
    if invalid:
        return Parsed(None, tuple(_error(name, "INVALID_GRAPHQL", message) for message in invalid))
    return Parsed(_model(name, url, own, links, roots, document), ())


def _error(name: str, code: str, message: str) -> CompositionError:
    return CompositionError(code, f"[{name}] {message}", (name,))


def _root_names(name: str, document: DocumentNode) -> tuple[dict[str, str], tuple[CompositionError, ...]]:
    """Default root type names by the names here."""
    roots: dict[str, str] = {}
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            for row in node.operation_types or ():
                roots[row.type.name.value] = ROOTS[row.operation.value]
    defined = {node.name.value for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    errors = tuple(
        _error(
            name,
            f"ROOT_{default.upper()}_USED",
            f'The schema has a type named "{default}" but it is not set as the {default.lower()} root type ("{here}" '
            "is instead). If a root type does not use its default name, no other type may have that name.",
        )
        for here, default in roots.items()
        if here != default and default in defined
    )
    return roots, errors


def _joined(document: DocumentNode) -> Iterator[Any]:
    """Type and directive definitions, each type's extensions joined to it: `part_of` is set on the nodes."""
    parts: dict[str, list[Any]] = {}
    for node in document.definitions:
        if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            parts.setdefault(node.name.value, []).append(node)
        elif isinstance(node, DirectiveDefinitionNode):
            yield node
    for nodes in parts.values():
        yield from _definitions_with_extensions(nodes)


def _definitions_with_extensions(nodes: list[Any]) -> Iterator[Any]:
    bases = [node for node in nodes if isinstance(node, TypeDefinitionNode)]
    extensions = [node for node in nodes if not isinstance(node, TypeDefinitionNode)]
    kinds = {node.kind.replace("extension", "definition") for node in nodes}
    if len(bases) > 1 or len(kinds) > 1:
        yield from nodes
        return
    yield TypeParts(bases[0] if bases else None, extensions)


class TypeParts(NamedTuple):
    """A type's definition, if it is here, and its extensions."""

    base: Any
    extensions: list[Any]

    @property
    def name(self) -> Any:
        return self.nodes[0].name

    @property
    def nodes(self) -> list[Any]:
        return [self.base, *self.extensions] if self.base else self.extensions
