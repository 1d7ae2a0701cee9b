"""What a document may look like: one pass before validation, linear in the document's length.

Every measure of a fragment is taken once and added wherever it is spread, so that a fragment that spreads another
twice, which spreads a third twice …, is measured without being written out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

SOURCE_LIMIT_CHARACTERS: Final = 50_000
TOKEN_LIMIT: Final = 4_000


class TooLarge(Exception):
    """The document exceeds a limit; the sentence names the value and the limit."""

    code = "DOCUMENT_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class ShapeLimits:
    """Through fragments, for each operation; definitions and directives for the document."""

    depth: int = 20
    aliases: int = 50
    root_fields: int = 30
    fields: int = 10_000
    directives: int = 50
    definitions: int = 50
    repetitions: int = 15_000
    """Pairs of fields under one response key, which validation compares with each other."""


class Shape(NamedTuple):
    depth: int
    aliases: int
    fields: int


_CAP: Final = 10**9
_DEFAULTS: Final = ShapeLimits()


def check_shape(document: DocumentNode, limits: ShapeLimits = _DEFAULTS) -> None:
    """Raises TooLarge where an operation exceeds a limit, or fragments spread each other in a circle."""
    _check("definitions", len(document.definitions), limits.definitions)
    measure = _Measure(document)
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        shape = measure.of(operation.selection_set)
        _check("depth", shape.depth, limits.depth)
        _check("aliases", shape.aliases, limits.aliases)
        _check("fields", shape.fields, limits.fields)
        _check("root fields", measure.width(operation.selection_set), limits.root_fields)
        _check("repetitions of fields", measure.repetitions([operation.selection_set]), limits.repetitions)
    _check("directives", measure.directives(), limits.directives)


def _check(name: str, value: int, limit: int) -> None:
    if value > limit:
        shown = "more than a thousand million" if value >= _CAP else value
        raise TooLarge(f"The document has {shown} {name}; at most {limit} are taken.")


class _Measure:
    """Measures of a document's fragments, each taken once."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.shapes: dict[str, Shape] = {}
        self.widths: dict[str, int] = {}
        self.open: set[str] = set()

    def of(self, selection_set: SelectionSetNode) -> Shape:
        depth = aliases = fields = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                inner = self.of(selection.selection_set) if selection.selection_set else Shape(0, 0, 0)
                inner = Shape(inner.depth + 1, inner.aliases + (selection.alias is not None), inner.fields + 1)
            elif isinstance(selection, InlineFragmentNode):
                inner = self.of(selection.selection_set)
            else:
                inner = self._fragment(selection) if isinstance(selection, FragmentSpreadNode) else Shape(0, 0, 0)
            depth = max(depth, inner.depth)
            aliases = min(aliases + inner.aliases, _CAP)
            fields = min(fields + inner.fields, _CAP)
        return Shape(depth, aliases, fields)

    def _fragment(self, spread: FragmentSpreadNode) -> Shape:
        name = spread.name.value
        if name not in self.fragments:
            return Shape(0, 0, 0)  # validation says what is wrong with it
        if name in self.open:
            raise TooLarge(f"The fragment {name} spreads itself.")
        if name not in self.shapes:
            self.open.add(name)
            self.shapes[name] = self.of(self.fragments[name].selection_set)
            self.open.discard(name)
        return self.shapes[name]

    def width(self, selection_set: SelectionSetNode) -> int:
        """Root fields, fragments written out."""
        total = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                total += 1
            elif isinstance(selection, InlineFragmentNode):
                total += self.width(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in self.fragments:
                name = selection.name.value
                if name not in self.widths:
                    self.widths[name] = self.width(self.fragments[name].selection_set)
                total += self.widths[name]
        return min(total, _CAP)

    def repetitions(self, merged: list[SelectionSetNode]) -> int:
        """Pairs under one response key, here and deeper; linear in the fields, which have been counted before."""
        found: dict[str, list[SelectionSetNode]] = {}
        counts: dict[str, int] = {}
        waiting = list(merged)
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    key = (selection.alias or selection.name).value
                    counts[key] = counts.get(key, 0) + 1
                    if selection.selection_set is not None:
                        found.setdefault(key, []).append(selection.selection_set)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value in self.fragments:
                    waiting.append(self.fragments[selection.name.value].selection_set)
        here = sum(count * (count - 1) // 2 for count in counts.values())
        return min(here + sum(self.repetitions(inner) for inner in found.values()), _CAP)

    def directives(self) -> int:
        return sum(len(node.directives or ()) for node in self._nodes())

    def _nodes(self) -> Iterator[FieldNode | InlineFragmentNode | FragmentSpreadNode]:
        waiting = [
            definition.selection_set
            for definition in self.document.definitions
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
        ]
        while waiting:
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode | InlineFragmentNode | FragmentSpreadNode):
                    yield selection
                inner = getattr(selection, "selection_set", None)
                if inner is not None:
                    waiting.append(inner)
