"""Checks how a subgraph uses the specifications' directives: definitions that it repeats, and argument values."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLDirective,
    GraphQLSchema,
    NonNullTypeNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    Undefined,
    parse,
    print_ast,
    value_from_ast,
)

from gateway.federation.directives import DIRECTIVES, find_signature
from gateway.federation.hints import ElementProblem
from gateway.federation.links import SubgraphLinks, find_scalar_names
from gateway.federation.type_nodes import read_type_name

_BUILT_IN_SCALARS: Final = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_LINK_ARGUMENTS: Final = {"url": True, "as": False, "for": False, "import": False}
"""Arguments of `@link`: whether each is required."""
_FIELD_SETS: Final = ("key", "requires", "provides")
_JOIN: Final = "join__"


def check_definitions(document: DocumentNode, links: SubgraphLinks) -> Iterator[ElementProblem]:
    """Checks definitions in the subgraph's SDL of directives and types that a specification defines."""
    types = {node.name.value for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    scalars = {f"federation__{name}": name for name in ("FieldSet", "Scope", "Policy", "ContextFieldValue")}
    scalars |= {local: name for name, local in find_scalar_names(links).items()}
    for node in document.definitions:
        if isinstance(node, DirectiveDefinitionNode):
            yield from _check_directive(node, types, links)
        elif isinstance(node, TypeDefinitionNode):
            name = node.name.value
            is_other = not isinstance(node, ScalarTypeDefinitionNode)
            # Federation 1 SDL may have types of its own by these names.
            if (name in scalars and is_other and links.version is not None) or (
                name == "link__Purpose" and not isinstance(node, EnumTypeDefinitionNode)
            ):
                message = f"Invalid definition for type {name}: the specification has it as another kind of type."
                yield "TYPE_DEFINITION_INVALID", message, name
            elif name.startswith(_JOIN):
                message = f'The name "{name}" is taken: names with {_JOIN} are the supergraph\'s own.'
                yield "INVALID_GRAPHQL", message, name


def _check_directive(node: DirectiveDefinitionNode, types: set[str], links: SubgraphLinks) -> Iterator[ElementProblem]:
    local = node.name.value
    name = links.names.get(local)
    at = f"@{local}"
    if name in DIRECTIVES:
        specified = _read_arguments(str(name), links)
    elif local == "link":
        specified = _LINK_ARGUMENTS
    else:
        return
    defined = {argument.name.value: argument for argument in node.arguments or ()}
    unknown = sorted({read_type_name(argument.type) for argument in defined.values()} - types - _BUILT_IN_SCALARS)
    for type_name in unknown:
        yield "INVALID_GRAPHQL", f'Unknown type "{type_name}" in the definition of directive "{at}".', at
    if unknown:
        return
    for missing in [argument for argument, is_required in specified.items() if is_required and argument not in defined]:
        message = f'Invalid definition for directive "{at}": missing required argument "{missing}".'
        yield "DIRECTIVE_DEFINITION_INVALID", message, at
    for argument_name in defined:
        if argument_name not in specified:
            message = f'Invalid definition for directive "{at}": unknown argument "{argument_name}".'
            yield "DIRECTIVE_DEFINITION_INVALID", message, at


def _read_arguments(name: str, links: SubgraphLinks) -> dict[str, bool]:
    """Returns the arguments of Federation's definition of a directive: whether each is required."""
    text = f"directive @{name}{find_signature(name, links.known_version)}"
    node: Any = parse(text, no_location=True).definitions[0]
    return {
        argument.name.value: isinstance(argument.type, NonNullTypeNode) and argument.default_value is None
        for argument in node.arguments or ()
    }


def check_applications(definitions: Iterable[Any], schema: GraphQLSchema, links: SubgraphLinks) -> Iterator[str]:
    """Yields a message for each directive argument in a subgraph that has a value of the wrong type.

    Leaves out field sets: their own check reports them with Federation's codes.
    """
    field_sets = {local for local, name in links.names.items() if name in _FIELD_SETS}
    return check_argument_values(definitions, schema, field_sets)


def check_argument_values(
    definitions: Iterable[Any], schema: GraphQLSchema, without: Collection[str] = ()
) -> Iterator[str]:
    """Yields a message for each directive argument that has a value of the wrong type.

    `without` names directives that are not checked.
    """
    known = {directive.name: directive for directive in schema.directives if directive.name not in without}
    for node, owner in _list_elements(definitions):
        for applied in node.directives or ():
            directive = known.get(applied.name.value)
            if directive is not None:
                yield from _check_arguments(applied, directive, owner)


def _check_arguments(applied: DirectiveNode, directive: GraphQLDirective, owner: str) -> Iterator[str]:
    for row in applied.arguments or ():
        argument = directive.args.get(row.name.value)
        if argument is not None and value_from_ast(row.value, argument.type) is Undefined:
            yield (
                f'Invalid value {print_ast(row.value)} for "@{directive.name}({row.name.value}:)" of type '
                f'"{argument.type}" in application of "@{directive.name}" to "{owner}".'
            )


def _list_elements(definitions: Iterable[Any]) -> Iterator[tuple[Any, str]]:
    """Yields every element that can have directives, with its coordinate."""
    for definition in definitions:
        if isinstance(definition, DirectiveDefinitionNode):
            continue
        owner = definition.name.value if getattr(definition, "name", None) is not None else "schema"
        yield definition, owner
        for inner in (*(getattr(definition, "fields", None) or ()), *(getattr(definition, "values", None) or ())):
            coordinate = f"{owner}.{inner.name.value}"
            yield inner, coordinate
            for argument in getattr(inner, "arguments", None) or ():
                yield argument, f"{coordinate}({argument.name.value}:)"
