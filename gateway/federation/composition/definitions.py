"""Merged definitions as GraphQL nodes, without anything of the join specification."""

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

from gateway.federation.composition.merged import MergedDirective, MergedElement, MergedType, Merging
from gateway.federation.subgraph import SPECIFIED_SCALARS

_NODES: Final[Mapping[str, Any]] = {
    "OBJECT": ObjectTypeDefinitionNode,
    "INTERFACE": InterfaceTypeDefinitionNode,
    "UNION": UnionTypeDefinitionNode,
    "ENUM": EnumTypeDefinitionNode,
    "INPUT_OBJECT": InputObjectTypeDefinitionNode,
    "SCALAR": ScalarTypeDefinitionNode,
}


def definition_nodes(merging: Merging) -> Iterator[Any]:
    """Types in their order, then directives; to be built into a schema, not to be printed."""
    for dest in merging.types.values():
        if dest.name not in SPECIFIED_SCALARS:
            yield _type(dest)
    for directive in merging.directives:
        yield directive_node(directive)


def directive_node(directive: MergedDirective) -> DirectiveDefinitionNode:
    return DirectiveDefinitionNode(
        **_described(directive),
        arguments=_arguments(directive),
        repeatable=directive.is_repeatable,
        locations=tuple(_name(location) for location in directive.locations),
    )


def _type(dest: MergedType) -> Any:
    made = _described(dest) | {"directives": tuple(dest.directives)}
    if dest.kind in ("OBJECT", "INTERFACE"):
        made["interfaces"] = tuple(_named(name) for name in dest.interfaces)
        made["fields"] = tuple(_field(field) for field in dest.fields.values())
    elif dest.kind == "INPUT_OBJECT":
        made["fields"] = tuple(_input_value(field) for field in dest.fields.values())
    elif dest.kind == "UNION":
        made["types"] = tuple(_named(name) for name in dest.members)
    elif dest.kind == "ENUM":
        made["values"] = tuple(
            EnumValueDefinitionNode(**_described(value), directives=tuple(value.directives))
            for value in dest.values.values()
        )
    return _NODES[dest.kind](**made)


def _field(field: MergedElement) -> FieldDefinitionNode:
    return FieldDefinitionNode(
        **_described(field),
        arguments=_arguments(field),
        type=type_node(field.type),
        directives=tuple(field.directives),
    )


def _arguments(element: MergedElement) -> tuple[InputValueDefinitionNode, ...]:
    return tuple(_input_value(argument) for argument in element.arguments.values())


def _input_value(element: MergedElement) -> InputValueDefinitionNode:
    return InputValueDefinitionNode(
        **_described(element),
        type=type_node(element.type),
        default_value=element.default,
        directives=tuple(element.directives),
    )


def _described(element: MergedElement) -> dict[str, Any]:
    description = StringValueNode(value=element.description) if element.description else None
    return {"name": _name(element.name), "description": description}


@lru_cache(maxsize=4096)
def type_node(printed: str) -> Any:
    """`[Product!]!` as a node."""
    return parse_type(printed, no_location=True)


def _named(name: str) -> NamedTypeNode:
    return NamedTypeNode(name=_name(name))


def _name(name: str) -> NameNode:
    return NameNode(value=name)
