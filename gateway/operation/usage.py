"""Counts what clients select: fields by schema coordinate, operations without the values that they were sent with."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    BooleanValueNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NameNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    print_ast,
    strip_ignored_characters,
    visit,
)

from gateway.federation.plan_cache import find_used_fragments

MAX_OPERATIONS: Final = 5_000
MAX_TEXT_CHARACTERS: Final = 10_000


class OperationShape(NamedTuple):
    """An operation without the client's own names and values."""

    coordinates: frozenset[str]
    """Of the selected fields, such as `Agency.name`."""
    digest: str
    """Of the text."""
    text: str
    """A valid operation: `{ agency(id: "") { name } }`."""


def find_shape(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> OperationShape:
    """The operation must be valid in the schema."""
    used = (fragments[name] for name in sorted(find_used_fragments(operation, fragments)))
    blanking = _BlankingVisitor(TypeInfo(schema))
    blanked = visit(DocumentNode(definitions=(operation, *used)), TypeInfoVisitor(blanking.types, blanking))
    text = strip_ignored_characters(print_ast(blanked))
    return OperationShape(frozenset(blanking.coordinates), hashlib.sha256(text.encode()).hexdigest()[:32], text)


class _BlankingVisitor(Visitor):
    """Replaces values and the client's own names: any of them may hold a citizen's words, a secret or an id."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.coordinates: set[str] = set()
        self.names: dict[tuple[str, str], NameNode] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> Node:
        return _copy_with(node, name=None)

    def enter_field(self, node: FieldNode, *_: Any) -> Node | None:
        parent = self.types.get_parent_type()
        if parent is not None and not node.name.value.startswith("__"):
            self.coordinates.add(f"{parent.name}.{node.name.value}")
        return _copy_with(node, alias=self._rename("alias", node.alias)) if node.alias else None

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> Node:
        return _copy_with(node, name=self._rename("fragment", node.name))

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> Node:
        return _copy_with(node, name=self._rename("fragment", node.name))

    def enter_variable(self, node: VariableNode, *_: Any) -> Node:
        return _copy_with(node, name=self._rename("variable", node.name))

    def _rename(self, kind: str, name: NameNode) -> NameNode:
        number = sum(known == kind for known, _ in self.names)
        return self.names.setdefault((kind, name.value), NameNode(value=f"_{number}"))

    def enter_string_value(self, *_: Any) -> Node:
        return StringValueNode(value="", block=False)

    def enter_int_value(self, *_: Any) -> Node:
        return IntValueNode(value="0")

    def enter_float_value(self, *_: Any) -> Node:
        return FloatValueNode(value="0.0")

    def enter_enum_value(self, *_: Any) -> Node | None:
        # A custom scalar takes any enum literal as its value.
        return None if is_enum_type(self._input_type()) else StringValueNode(value="")

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> Node | None:
        return None if is_input_object_type(self._input_type()) else StringValueNode(value="")

    def enter_list_value(self, node: ListValueNode, *_: Any) -> Node | None:
        # Lists of different lengths are the same shape: keep one value.
        plain = (StringValueNode, IntValueNode, FloatValueNode, BooleanValueNode, EnumValueNode)
        return ListValueNode(values=node.values[:1]) if all(isinstance(row, plain) for row in node.values) else None

    def _input_type(self) -> Any:
        expected = self.types.get_input_type()
        return None if expected is None else get_named_type(expected)


def _copy_with(node: Node, **changes: Any) -> Node:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)


@dataclass(slots=True)
class Usage:
    """Counts since the last `take`. Beyond 5 000 different operations only their fields are counted."""

    fields: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)

    def count(self, shape: OperationShape) -> None:
        self.fields.update(shape.coordinates)
        is_known = shape.digest in self.operations
        if is_known or (len(self.operations) < MAX_OPERATIONS and len(shape.text) <= MAX_TEXT_CHARACTERS):
            self.operations[shape.digest] += 1
            self.texts[shape.digest] = shape.text

    def take(self) -> "Usage":
        """Return the counts, and start again from zero."""
        taken = Usage(self.fields, self.operations, self.texts)
        self.fields, self.operations, self.texts = Counter(), Counter(), {}
        return taken
