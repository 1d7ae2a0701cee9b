"""What clients ask for, counted without what they ask with: fields by coordinate, operations without their values."""

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


class Shape(NamedTuple):
    """An operation's coordinates, and its text with nothing in it that is not the schema's."""

    coordinates: frozenset[str]
    operation: str
    text: str


def shape(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Shape:
    """Of a valid operation; `operation` is the digest of the text, which is valid too."""
    used = (fragments[name] for name in sorted(find_used_fragments(operation, fragments)))
    seen = _Blank(TypeInfo(schema))
    blank = visit(DocumentNode(definitions=(operation, *used)), TypeInfoVisitor(seen.types, seen))
    text = strip_ignored_characters(print_ast(blank))
    return Shape(frozenset(seen.coordinates), hashlib.sha256(text.encode()).hexdigest()[:32], text)


class _Blank(Visitor):
    """Replaces values and the client's own names: each may be what a citizen wrote, a secret or an id."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.coordinates: set[str] = set()
        self.names: dict[tuple[str, str], NameNode] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> Node:
        return _changed(node, name=None)

    def enter_field(self, node: FieldNode, *_: Any) -> Node | None:
        parent = self.types.get_parent_type()
        if parent is not None and not node.name.value.startswith("__"):
            self.coordinates.add(f"{parent.name}.{node.name.value}")
        return _changed(node, alias=self._name("alias", node.alias)) if node.alias else None

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> Node:
        return _changed(node, name=self._name("fragment", node.name))

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> Node:
        return _changed(node, name=self._name("fragment", node.name))

    def enter_variable(self, node: VariableNode, *_: Any) -> Node:
        return _changed(node, name=self._name("variable", node.name))

    def _name(self, kind: str, given: NameNode) -> NameNode:
        number = sum(known == kind for known, _ in self.names)
        return self.names.setdefault((kind, given.value), NameNode(value=f"_{number}"))

    def enter_string_value(self, *_: Any) -> Node:
        return StringValueNode(value="", block=False)

    def enter_int_value(self, *_: Any) -> Node:
        return IntValueNode(value="0")

    def enter_float_value(self, *_: Any) -> Node:
        return FloatValueNode(value="0.0")

    def enter_enum_value(self, *_: Any) -> Node | None:
        # To a scalar of somebody's own, every word is a value.
        return None if is_enum_type(self._expected()) else StringValueNode(value="")

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> Node | None:
        return None if is_input_object_type(self._expected()) else StringValueNode(value="")

    def enter_list_value(self, node: ListValueNode, *_: Any) -> Node | None:
        # Lists of values that were blanked are one as good as many.
        plain = (StringValueNode, IntValueNode, FloatValueNode, BooleanValueNode, EnumValueNode)
        return ListValueNode(values=node.values[:1]) if all(isinstance(row, plain) for row in node.values) else None

    def _expected(self) -> Any:
        expected = self.types.get_input_type()
        return None if expected is None else get_named_type(expected)


def _changed(node: Node, **changes: Any) -> Node:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)


@dataclass(slots=True)
class Usage:
    """Counts since they were last taken; more than 5 000 different operations are counted by their fields alone."""

    fields: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)

    def count(self, asked: Shape) -> None:
        self.fields.update(asked.coordinates)
        known = asked.operation in self.operations
        if known or (len(self.operations) < MAX_OPERATIONS and len(asked.text) <= MAX_TEXT_CHARACTERS):
            self.operations[asked.operation] += 1
            self.texts[asked.operation] = asked.text

    def take(self) -> "Usage":
        """What was counted; counting begins anew."""
        taken = Usage(self.fields, self.operations, self.texts)
        self.fields, self.operations, self.texts = Counter(), Counter(), {}
        return taken
