"""What a subgraph says about the specifications' own words: their definitions repeated, the values given to them."""

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
from gateway.federation.links import SubgraphLinks, find_scalar_names
from gateway.federation.type_nodes import read_type_name

Problem = tuple[str, str, str]
"""A code, a sentence, and the coordinate it is about."""

_BUILT_IN_SCALARS: Final = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_LINK_ARGUMENTS: Final = {"url": True, "as": False, "for": False, "import": False}
_FIELD_SETS: Final = ("key", "requires", "provides")
_JOIN: Final = "join__"


def check_definitions(document: DocumentNode, links: SubgraphLinks) -> Iterator[Problem]:
    """Of the subgraph's own definitions of directives and types that a specification defines."""
    types = {node.name.value for node in document.definitions if isinstance(node, TypeDefinitionNode)}
    scalars = {f"federation__{name}": name for name in ("FieldSet", "Scope", "Policy", "ContextFieldValue")}
    scalars |= {here: there for there, here in find_scalar_names(links).items()}
    for node in document.definitions:
        if isinstance(node, DirectiveDefinitionNode):
            yield from _check_directive(node, types, links)
        elif isinstance(node, TypeDefinitionNode):
            name = node.name.value
            is_other = not isinstance(node, ScalarTypeDefinitionNode)
            if (name in scalars and is_other and links.version is not None) or (
                name == "link__Purpose" and not isinstance(node, EnumTypeDefinitionNode)
            ):
                message = f"Invalid definition for type {name}: the specification has it as another kind of type."
                yield "TYPE_DEFINITION_INVALID", message, name
            elif name.startswith(_JOIN):
                message = f'The name "{name}" is taken: names with {_JOIN} are the supergraph\'s own.'
                yield "INVALID_GRAPHQL", message, name


def _check_directive(node: DirectiveDefinitionNode, types: set[str], links: SubgraphLinks) -> Iterator[Problem]:
    local = node.name.value
    name = links.names.get(local)
    at = f"@{local}"
    if name in DIRECTIVES:
        known = _read_definition(str(name), links)
    elif local == "link":
        known = _LINK_ARGUMENTS
    else:
        return
    given = {argument.name.value: argument for argument in node.arguments or ()}
    unknown = sorted({read_type_name(argument.type) for argument in given.values()} - types - _BUILT_IN_SCALARS)
    for named in unknown:
        yield "INVALID_GRAPHQL", f'Unknown type "{named}" in the definition of directive "{at}".', at
    if unknown:
        return
    for missing in [argument for argument, is_required in known.items() if is_required and argument not in given]:
        message = f'Invalid definition for directive "{at}": missing required argument "{missing}".'
        yield "DIRECTIVE_DEFINITION_INVALID", message, at
    for argument_name in given:
        if argument_name not in known:
            message = f'Invalid definition for directive "{at}": unknown argument "{argument_name}".'
            yield "DIRECTIVE_DEFINITION_INVALID", message, at


def _read_definition(name: str, links: SubgraphLinks) -> dict[str, bool]:
    """Whether each argument is required."""
    text = f"directive @{name}{find_signature(name, links.known_version)}"
    node: Any = parse(text, no_location=True).definitions[0]
    return {
        argument.name.value: isinstance(argument.type, NonNullTypeNode) and argument.default_value is None
        for argument in node.arguments or ()
    }


def check_applications(definitions: Iterable[Any], schema: GraphQLSchema, links: SubgraphLinks) -> Iterator[str]:
    """Of arguments in a subgraph whose value is not of the argument's type; field sets are checked apart."""
    field_sets = {here for here, there in links.names.items() if there in _FIELD_SETS}
    return check_argument_values(definitions, schema, field_sets)


def check_argument_values(
    definitions: Iterable[Any], schema: GraphQLSchema, without: Collection[str] = ()
) -> Iterator[str]:
    """Of arguments of directives whose value is not of the argument's type."""
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
    """Everything that can carry directives, with its coordinate."""
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
