"""Builds the API schema, which clients see: the supergraph's schema without its `@inaccessible` elements."""

from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    GraphQLSchema,
    InputValueDefinitionNode,
    TypeDefinitionNode,
    build_ast_schema,
)
from graphql.language.ast import Node

from gateway.federation.type_nodes import read_type_name

EXECUTABLE_LOCATIONS: Final = frozenset(
    {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"}
    | {"VARIABLE_DEFINITION"}
)
_KEPT_DIRECTIVES: Final = frozenset({"deprecated", "specifiedBy", "oneOf"})


def build_api_schema(document: DocumentNode) -> GraphQLSchema:
    """Builds a schema from the accessible definitions of a supergraph's document.

    Keeps a directive's definition only where clients may write the directive in an operation.
    """
    definitions = [
        definition
        for definition in document.definitions
        if not isinstance(definition, DirectiveDefinitionNode) or _is_executable(definition)
    ]
    hidden = {
        definition.name.value
        for definition in definitions
        if isinstance(definition, TypeDefinitionNode) and _is_inaccessible(definition)
    }
    accessible = tuple(
        _strip_inaccessible(definition, hidden)
        for definition in definitions
        if not (isinstance(definition, TypeDefinitionNode) and definition.name.value in hidden)
    )
    return build_ast_schema(DocumentNode(definitions=accessible), assume_valid_sdl=True)


def _is_executable(definition: DirectiveDefinitionNode) -> bool:
    return any(location.value in EXECUTABLE_LOCATIONS for location in definition.locations)


def _is_inaccessible(node: Any) -> bool:
    return any(directive.name.value == "inaccessible" for directive in node.directives or ())


def _strip_inaccessible(node: Any, hidden: set[str]) -> Any:
    """Copies the node without inaccessible fields, arguments and enum values, and without uses of hidden types.

    Of applied directives only GraphQL's own stay, such as `@deprecated`.
    """
    attributes: dict[str, Any] = {}
    for key in node.keys:
        value = getattr(node, key, None)
        if key == "directives":
            attributes[key] = tuple(row for row in value or () if row.name.value in _KEPT_DIRECTIVES)
        elif key in ("interfaces", "types") and value:
            attributes[key] = tuple(named for named in value if named.name.value not in hidden)
        elif key in ("fields", "values", "arguments") and value:
            attributes[key] = tuple(
                _strip_inaccessible(inner, hidden) for inner in value if not _is_hidden(inner, hidden)
            )
        else:
            attributes[key] = value
    copy: Node = type(node)(**attributes)
    return copy


def _is_hidden(node: Any, hidden: set[str]) -> bool:
    if _is_inaccessible(node):
        return True
    return isinstance(node, InputValueDefinitionNode) and read_type_name(node.type) in hidden
