"""Compares printed types and literal values: subtypes, values of a type, equal values."""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)

from gateway.federation.subgraph import SubgraphSchema

_OF_SCALAR: Final[dict[str, tuple[type[ValueNode], ...]]] = {
    "Int": (IntValueNode,),
    "Float": (IntValueNode, FloatValueNode),
    "String": (StringValueNode,),
    "Boolean": (BooleanValueNode,),
    "ID": (StringValueNode, IntValueNode),
}


def is_subtype(abstract: Mapping[str, set[str]], narrow: str, wide: str) -> bool:
    """Whether `narrow` is `wide` or a subtype of it. Types are written as in SDL: `[Int!]!`.

    # Int! ⊂ Int, [Int!] ⊂ [Int], Book ⊂ Media; `abstract` gives the implementations and members by type name
    """
    if narrow == wide:
        return True
    if narrow.endswith("!"):
        return is_subtype(abstract, narrow[:-1], wide.removesuffix("!"))
    if wide.endswith("!"):
        return False
    if narrow.startswith("[") and wide.startswith("["):
        return is_subtype(abstract, narrow[1:-1], wide[1:-1])
    return narrow in abstract.get(wide, ())


def is_valid_value(schema: SubgraphSchema, type_printed: str, value: ValueNode) -> bool:
    """Whether a literal is a value of a type, which is written as in SDL: `[Int!]!`. Field sets have no variables."""
    if isinstance(value, VariableNode):
        return False
    if type_printed.endswith("!"):
        return not isinstance(value, NullValueNode) and is_valid_value(schema, type_printed[:-1], value)
    if isinstance(value, NullValueNode):
        return True
    if type_printed.startswith("["):
        items = value.values if isinstance(value, ListValueNode) else (value,)
        return all(is_valid_value(schema, type_printed[1:-1], item) for item in items)
    if type_printed in _OF_SCALAR:
        return isinstance(value, _OF_SCALAR[type_printed])
    named = schema.types.get(type_printed)
    if named is None or named.kind == "SCALAR":
        return named is not None
    if named.kind == "ENUM":
        return isinstance(value, EnumValueNode) and value.value in named.values
    if named.kind != "INPUT_OBJECT" or not isinstance(value, ObjectValueNode):
        return False
    values = {row.name.value: row.value for row in value.fields}
    return values.keys() <= named.fields.keys() and all(
        is_valid_value(schema, field.type, values[name]) if name in values else not field.is_required
        for name, field in named.fields.items()
    )


def print_canonical(value: ValueNode) -> str:
    """Returns the same text for equal literals: `1` and `1.0`, or objects whose fields are in another order."""
    return repr(_sort_value(value_from_ast_untyped(value)))


def _sort_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sort_value(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sort_value(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
