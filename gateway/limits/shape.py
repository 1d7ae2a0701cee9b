"""Limits on a document's shape, checked before validation in time that is linear in the document's length.

Each fragment is measured once, and its measures are added wherever it is spread. Thirty fragments, each of which
spreads the next one twice, stand for 2^30 fields: they are counted without being expanded.
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
    """The document exceeds a limit; the message names the value and the limit."""

    code = "DOCUMENT_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class ShapeLimits:
    """The limits hold for each operation with its fragments expanded; directives and definitions for the document."""

    depth: int = 20
    aliases: int = 50
    root_fields: int = 30
    fields: int = 10_000
    directives: int = 50
    definitions: int = 50
    repetitions: int = 15_000
    """Pairs of fields under one response key: validation compares each pair, so they cost it quadratic time."""


class Measures(NamedTuple):
    depth: int
    aliases: int
    fields: int


_CAP: Final = 10**9
_DEFAULTS: Final = ShapeLimits()


def check_shape(document: DocumentNode, limits: ShapeLimits = _DEFAULTS) -> None:
    """Raises TooLarge if an operation exceeds a limit, or if a fragment spreads itself, directly or through others."""
    _check_limit("definitions", len(document.definitions), limits.definitions)
    measures = _FragmentMeasures(document)
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        shape = measures.measure(operation.selection_set)
        _check_limit("depth", shape.depth, limits.depth)
        _check_limit("aliases", shape.aliases, limits.aliases)
        _check_limit("fields", shape.fields, limits.fields)
        _check_limit("root fields", measures.count_root_fields(operation.selection_set), limits.root_fields)
        _check_limit("repetitions of fields", measures.count_repetitions([operation.selection_set]), limits.repetitions)
    _check_limit("directives", measures.count_directives(), limits.directives)


def _check_limit(name: str, value: int, limit: int) -> None:
    if value > limit:
        shown = "more than a thousand million" if value >= _CAP else value
        raise TooLarge(f"The document has {shown} {name}; at most {limit} are taken.")


class _FragmentMeasures:
    """Measures selection sets of a document, each fragment once."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.shapes: dict[str, Measures] = {}
        self.widths: dict[str, int] = {}
        self.open: set[str] = set()

    def measure(self, selection_set: SelectionSetNode) -> Measures:
        depth = aliases = fields = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                inner = self.measure(selection.selection_set) if selection.selection_set else Measures(0, 0, 0)
                inner = Measures(inner.depth + 1, inner.aliases + (selection.alias is not None), inner.fields + 1)
            elif isinstance(selection, InlineFragmentNode):
                inner = self.measure(selection.selection_set)
            else:
                inner = (
                    self._measure_fragment(selection)
                    if isinstance(selection, FragmentSpreadNode)
                    else Measures(0, 0, 0)
                )
            depth = max(depth, inner.depth)
            aliases = min(aliases + inner.aliases, _CAP)
            fields = min(fields + inner.fields, _CAP)
        return Measures(depth, aliases, fields)

    def _measure_fragment(self, spread: FragmentSpreadNode) -> Measures:
        name = spread.name.value
        if name not in self.fragments:
            return Measures(0, 0, 0)  # validation reports it
        if name in self.open:
            raise TooLarge(f"The fragment {name} spreads itself.")
        if name not in self.shapes:
            self.open.add(name)
            self.shapes[name] = self.measure(self.fragments[name].selection_set)
            self.open.discard(name)
        return self.shapes[name]

    def count_root_fields(self, selection_set: SelectionSetNode) -> int:
        """Returns the number of fields at the root of an operation, with fragments expanded."""
        total = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                total += 1
            elif isinstance(selection, InlineFragmentNode):
                total += self.count_root_fields(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in self.fragments:
                name = selection.name.value
                if name not in self.widths:
                    self.widths[name] = self.count_root_fields(self.fragments[name].selection_set)
                total += self.widths[name]
        return min(total, _CAP)

    def count_repetitions(self, merged: list[SelectionSetNode]) -> int:
        """Returns the pairs of fields under one response key, at all depths.

        Takes time linear in the expanded fields, whose number has been checked before.
        """
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
        return min(here + sum(self.count_repetitions(inner) for inner in found.values()), _CAP)

    def count_directives(self) -> int:
        return sum(len(node.directives or ()) for node in self._iterate_nodes())

    def _iterate_nodes(self) -> Iterator[FieldNode | InlineFragmentNode | FragmentSpreadNode]:
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
