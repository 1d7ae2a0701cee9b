"""Compiles an operation into a Program: walks its selection sets and lets FieldCompiler compile each field.

# {complaint(id: "1") {id holder {name}}} →
#   root     steps: [ResolverCall complaint]           shape: {"complaint": r0}
#   below it steps: [LoadById holder]                  shape: {"id": d["_id"], "holder": r0}
#   below it no steps                                  shape: {"name": d["name"]}
"""

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

from gateway.executor.field_collector import OperationSource, Unsupported
from gateway.executor.fields import FieldCompiler
from gateway.executor.run import CompiledSelection, OpenEvents, OperationField, Program
from gateway.executor.steps import AbstractSelection

MAX_FIELDS: Final = 2_000
"""Compiling more fields takes longer than a fast program can save: the reference executor runs larger operations."""

MAX_LASTING: Final = 16
"""Most fields of an answer that is cached for all requests."""


def compile_operation(source: OperationSource) -> Program:
    """Raises Unsupported."""
    operation = source.operation
    root = source.schema.get_root_type(operation.operation)
    if root is None:
        raise Unsupported("root")
    # The specification: a mutation's root fields run one after the other, in their order.
    serial = operation.operation is OperationType.MUTATION
    compiler = _Compiler(source, root)
    selection = compiler.compile_selection(root, [operation.selection_set], serial=serial)
    return Program(source, selection, compiler.fields, compiler.open_events)


@dataclass(slots=True)
class _Compiler:
    source: OperationSource
    root: GraphQLObjectType
    fields: int = 0
    open_events: OpenEvents | None = None

    def compile_selection(
        self, parent: GraphQLObjectType, selection_sets: Sequence[SelectionSetNode], *, serial: bool = False
    ) -> CompiledSelection:
        compiler = FieldCompiler(self.source, parent, self.compile_objects)
        if parent.is_type_of is not None and parent is not self.root:
            # graphql-core would call is_type_of; every type of ours is served from documents, which are plain dicts.
            compiler.writer.write(0, "if d.__class__ is not dict: missing()")
        for response_key, field_nodes in self.source.collect_fields(parent, selection_sets).items():
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise Unsupported("large")
            compiler.add_field(response_key, field_nodes)
        self.open_events = compiler.open_events or self.open_events
        writer = compiler.writer
        is_lasting = writer.is_lasting and len(writer.entries) <= MAX_LASTING
        return CompiledSelection(
            tuple(compiler.steps), writer.build_function(), compiler.list_keys(), serial, is_lasting
        )

    def compile_objects(
        self, named: GraphQLNamedType, selected: OperationField
    ) -> CompiledSelection | AbstractSelection:
        """Compiles the selection below a field of a composite type; for an abstract type, once for each object type."""
        selection_sets = _list_selection_sets(selected.field_nodes)
        if isinstance(named, GraphQLObjectType):
            return self.compile_selection(named, selection_sets)
        if not isinstance(named, GraphQLInterfaceType | GraphQLUnionType) or named.resolve_type is None:
            raise Unsupported("type")
        possible = self.source.schema.get_possible_types(named)
        selections = {concrete.name: self.compile_selection(concrete, selection_sets) for concrete in possible}
        return AbstractSelection(named.resolve_type, named, selections, selected)


def _list_selection_sets(field_nodes: Sequence[FieldNode]) -> list[SelectionSetNode]:
    return [field_node.selection_set for field_node in field_nodes if field_node.selection_set is not None]
