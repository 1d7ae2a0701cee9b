"""What clients ask for, counted without what they ask with: fields by coordinate, operations without their values."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from graphql import (
    BooleanValueNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    Node,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    print_ast,
    strip_ignored_characters,
    visit,
)

MAX_OPERATIONS: Final = 5_000
MAX_TEXT_CHARACTERS: Final = 10_000


class Shape(NamedTuple):
    """A document's coordinates, and its text with every value replaced by one that says nothing."""

    coordinates: frozenset[str]
    operation: str
    text: str


def shape(schema: GraphQLSchema, document: DocumentNode) -> Shape:
    """Of a valid document; `operation` is the digest of the text."""
    types = TypeInfo(schema)
    coordinates: set[str] = set()

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = types.get_parent_type()
            if parent is not None and not node.name.value.startswith("__"):
                coordinates.add(f"{parent.name}.{node.name.value}")

    visit(document, TypeInfoVisitor(types, Collect()))
    text = strip_ignored_characters(print_ast(visit(document, _Blank())))
    return Shape(frozenset(coordinates), hashlib.sha256(text.encode()).hexdigest()[:32], text)


class _Blank(Visitor):
    """Replaces values, which may be what a citizen wrote, a secret or an id."""

    def enter_string_value(self, *_: Any) -> Node:
        return StringValueNode(value="", block=False)

    def enter_int_value(self, *_: Any) -> Node:
        return IntValueNode(value="0")

    def enter_float_value(self, *_: Any) -> Node:
        return FloatValueNode(value="0.0")

    def enter_list_value(self, node: ListValueNode, *_: Any) -> Node | None:
        # Lists of values that were blanked are one as good as many.
        plain = (StringValueNode, IntValueNode, FloatValueNode, BooleanValueNode, EnumValueNode)
        return ListValueNode(values=node.values[:1]) if all(isinstance(row, plain) for row in node.values) else None


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
