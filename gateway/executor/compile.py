"""Operation and schema to a Program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationType,
    SelectionSetNode,
)

from gateway.executor.collect import Source, Unsupported
from gateway.executor.fields import Parts
from gateway.executor.run import Opens, Place, Program, Selection
from gateway.executor.steps import Abstract

MAX_FIELDS: Final = 2_000
"""Above it, compiling takes longer than it can be worth: the reference executor runs what is larger."""

MAX_LASTING: Final = 16
"""Fields of an answer that is kept for others."""


def compiled(source: Source) -> Program:
    """Raises Unsupported."""
    operation = source.operation
    root = source.schema.get_root_type(operation.operation)
    if root is None:
        raise Unsupported("root")
    serial = operation.operation is OperationType.MUTATION
    compiler = _Compiler(source, root)
    selection = compiler.selection(root, [operation.selection_set], serial=serial)
    return Program(source, selection, compiler.fields, compiler.opens)


@dataclass(slots=True)
class _Compiler:
    source: Source
    root: GraphQLObjectType
    fields: int = 0
    opens: Opens | None = None

    def selection(
        self, parent: GraphQLObjectType, selection_sets: Sequence[SelectionSetNode], *, serial: bool = False
    ) -> Selection:
        parts = Parts(self.source, parent, self.objects)
        if parent.is_type_of is not None and parent is not self.root:
            parts.writer.write(0, "if d.__class__ is not dict: missing()")
        for response_key, field_nodes in self.source.fields(parent, selection_sets).items():
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise Unsupported("large")
            parts.add(response_key, field_nodes)
        self.opens = parts.opens or self.opens
        writer = parts.writer
        is_lasting = writer.is_lasting and len(writer.entries) <= MAX_LASTING
        return Selection(tuple(parts.steps), writer.function(), parts.needs(), serial, is_lasting)

    def objects(self, named: GraphQLNamedType, place: Place) -> Selection | Abstract:
        selection_sets = _selection_sets(place.field_nodes)
        if isinstance(named, GraphQLObjectType):
            return self.selection(named, selection_sets)
        if not isinstance(named, GraphQLInterfaceType | GraphQLUnionType) or named.resolve_type is None:
            raise Unsupported("type")
        possible = self.source.schema.get_possible_types(named)
        selections = {concrete.name: self.selection(concrete, selection_sets) for concrete in possible}
        return Abstract(named.resolve_type, named, selections, place)


def _selection_sets(field_nodes: Sequence[FieldNode]) -> list[SelectionSetNode]:
    return [field_node.selection_set for field_node in field_nodes if field_node.selection_set is not None]
