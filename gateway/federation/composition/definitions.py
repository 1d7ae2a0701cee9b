"""Builds GraphQL definition nodes from merged definitions, without the join specification's directives."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    UnionTypeDefinitionNode,
    parse_type,
)

from gateway.federation.composition.merge_state import MergedDirective, MergedElement, MergedType, Merging
from gateway.federation.subgraph import SPECIFIED_SCALARS

_NODES: Final[Mapping[str, Any]] = {
    "OBJECT": ObjectTypeDefinitionNode,
    "INTERFACE": InterfaceTypeDefinitionNode,
    "UNION": UnionTypeDefinitionNode,
    "ENUM": EnumTypeDefinitionNode,
    "INPUT_OBJECT": InputObjectTypeDefinitionNode,
    "SCALAR": ScalarTypeDefinitionNode,
}


def build_definitions(merging: Merging) -> Iterator[Any]:
    """Yields types in their order, then directives. They are for building a schema, not for printing."""
    for dest in merging.types.values():
        if dest.name not in SPECIFIED_SCALARS:
            yield _build_type(dest)
    for directive in merging.directives:
        yield build_directive_node(directive)


def build_directive_node(directive: MergedDirective) -> DirectiveDefinitionNode:
    return DirectiveDefinitionNode(
        **_build_head(directive),
        arguments=_build_arguments(directive),
        repeatable=directive.is_repeatable,
        locations=tuple(_build_name(location) for location in directive.locations),
    )


def _build_type(dest: MergedType) -> Any:
    attributes = _build_head(dest) | {"directives": tuple(dest.directives)}
    if dest.kind in ("OBJECT", "INTERFACE"):
        attributes["interfaces"] = tuple(_build_named_type(name) for name in dest.interfaces)
        attributes["fields"] = tuple(_build_field(field) for field in dest.fields.values())
    elif dest.kind == "INPUT_OBJECT":
        attributes["fields"] = tuple(_build_input_value(field) for field in dest.fields.values())
    elif dest.kind == "UNION":
        attributes["types"] = tuple(_build_named_type(name) for name in dest.members)
    elif dest.kind == "ENUM":
        attributes["values"] = tuple(
            EnumValueDefinitionNode(**_build_head(value), directives=tuple(value.directives))
            for value in dest.values.values()
        )
    return _NODES[dest.kind](**attributes)


def _build_field(field: MergedElement) -> FieldDefinitionNode:
    return FieldDefinitionNode(
        **_build_head(field),
        arguments=_build_arguments(field),
        type=parse_type_node(field.type),
        directives=tuple(field.directives),
    )


def _build_arguments(element: MergedElement) -> tuple[InputValueDefinitionNode, ...]:
    return tuple(_build_input_value(argument) for argument in element.arguments.values())


def _build_input_value(element: MergedElement) -> InputValueDefinitionNode:
    return InputValueDefinitionNode(
        **_build_head(element),
        type=parse_type_node(element.type),
        default_value=element.default,
        directives=tuple(element.directives),
    )


def _build_head(element: MergedElement) -> dict[str, Any]:
    """Returns the attributes that every definition node has: name and description."""
    description = StringValueNode(value=element.description) if element.description else None
    return {"name": _build_name(element.name), "description": description}


@lru_cache(maxsize=4096)
def parse_type_node(printed: str) -> Any:
    """Parses `[Product!]!`. Nodes are shared: thousands of fields have the same type."""
    return parse_type(printed, no_location=True)


def _build_named_type(name: str) -> NamedTypeNode:
    return NamedTypeNode(name=_build_name(name))


def _build_name(name: str) -> NameNode:
    return NameNode(value=name)
