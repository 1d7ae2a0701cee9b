"""Compiles the fields of a selection: for each kind of binding, a line of the generated function or a step.

# Column, Derived             → a line of the shape: `x3 = d['title']`
# Loaded                      → a LoadById step
# Called, Action              → a ResolverCall step
# Column of objects with steps inside → an EmbeddedObjects step
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_leaf_type,
    print_ast,
)

from gateway.executor.arguments import CompiledArguments, compile_arguments
from gateway.executor.field_collector import OperationSource, Unsupported
from gateway.executor.run import CompiledSelection, LoadStep, ObjectSelection, OpenEvents, OperationField, OperationRun
from gateway.executor.shape import ShapeObjects, ShapeWriter
from gateway.executor.steps import (
    AbstractSelection,
    AliasedCall,
    EmbeddedObjects,
    LoadById,
    ReadColumn,
    ResolverCall,
    Wrapping,
    complete_objects,
)
from resolvers.documents import Document
from resolvers.paging.keys import ProjectionKeys
from resolvers.request.context import RequestContext
from schema.binding import Action, Called, Column, Derived, Loaded, Streamed, binding_of


class CompileObjects(Protocol):
    """Compiles the selection below a field of a composite type."""

    def __call__(self, named: GraphQLNamedType, selected: OperationField) -> CompiledSelection | AbstractSelection: ...


@dataclass(slots=True)
class FieldCompiler:
    """A selection on one object type under construction."""

    source: OperationSource
    parent: GraphQLObjectType
    compile_objects: CompileObjects
    writer: ShapeWriter = field(default_factory=ShapeWriter)
    steps: list[LoadStep] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    """Keys of the documents that the selection reads."""
    printed: set[str] = field(default_factory=set)
    """Keys of instants that are only printed; a key that another field reads is in `keys` too."""
    calls: dict[tuple[str, str], ResolverCall] = field(default_factory=dict)
    """By field name and printed selection below it: aliases that agree in both share one step."""
    open_events: OpenEvents | None = None

    def add_field(self, response_key: str, field_nodes: list[FieldNode]) -> None:
        name = field_nodes[0].name.value
        if name == "__typename":
            self.writer.add_entry(response_key, repr(self.parent.name))
            return
        declared = self.parent.fields.get(name)
        definition = None if declared is None else declared.extensions.get("strawberry-definition")
        if declared is None or definition is None or definition.extensions or definition.permission_classes:
            raise Unsupported("introspection" if name.startswith("__") else "field")
        selected = OperationField(response_key, field_nodes, declared, self.parent, ProjectionKeys(()))
        binding = binding_of(declared)
        if isinstance(binding, Column):
            self._add_column(selected, binding)
        elif isinstance(binding, Derived):
            self._add_derived(selected, binding)
        elif isinstance(binding, Loaded):
            self._add_loaded(selected, binding)
        elif isinstance(binding, Called | Action):
            self._add_called(selected, binding)
        elif isinstance(binding, Streamed):
            self._add_streamed(selected, binding)
        else:
            raise Unsupported("binding")

    def list_keys(self) -> ProjectionKeys:
        """Returns the keys that the selection reads of a document, for the projection of the database read."""
        return ProjectionKeys(self.keys | self.printed, self.printed - self.keys)

    def _add_column(self, selected: OperationField, binding: Column) -> None:
        if _is_instant(selected.field.type) and binding.visible is None:
            self.printed.add(binding.key)
            self._add_instant(selected, binding.key)
            return
        objects = self._compile_below(selected)
        self._add_keys(_list_keys(objects) if binding.passes else ProjectionKeys(binding.needs))
        if objects is not None and not _is_plain(objects):
            self._add_embedded(selected, objects, _make_column_reader(binding))
            return
        read = f"d[{binding.key!r}]"
        if binding.visible is not None:
            masked = "None" if binding.masked is None else f"{self.writer.bind(binding.masked.of)}(d)"
            read = f"{read} if {self.writer.write_rule(binding.visible)} else {masked}"
        self._add_value(selected, read, objects)

    def _add_keys(self, keys: ProjectionKeys) -> None:
        self.keys.update(keys.read)
        self.printed.update(keys.printed)

    def _add_instant(self, selected: OperationField, key: str) -> None:
        """Adds a column of instants. Printing all of a page in one call costs a third of printing each."""
        x = self.writer.write_instants(key)
        if isinstance(selected.field.type, GraphQLNonNull):
            self.writer.write(0, f"if {x} is None: missing()")
        self.writer.add_entry(selected.response_key, x)

    def _add_derived(self, selected: OperationField, binding: Derived) -> None:
        compute = binding.compute
        objects = self._compile_below(selected)
        self.keys.update(binding.needs)
        if objects is not None and not _is_plain(objects):
            self._add_embedded(selected, objects, _make_derived_reader(compute))
            return
        # A derived value may depend on the context: the viewer, or the time.
        self.writer.is_lasting = False
        self._add_value(selected, f"{self.writer.bind(compute)}(context, d)", objects)

    def _add_value(
        self, selected: OperationField, read: str, objects: CompiledSelection | AbstractSelection | None
    ) -> None:
        """Adds a value that the generated function reads, by the expression `read`, and completes by itself."""
        x = self.writer.make_variable()
        self.writer.write(0, f"{x} = {read}")
        inner: ShapeObjects | None = objects.shape if isinstance(objects, CompiledSelection) else None
        self.writer.is_lasting &= is_leaf_type(get_nullable_type(selected.field.type))
        self.writer.write_completion(selected.field.type, x, inner)
        self.writer.add_entry(selected.response_key, x)

    def _add_embedded(self, selected: OperationField, objects: ObjectSelection, read: ReadColumn) -> None:
        self._add_step(selected, EmbeddedObjects(read, objects, _read_wrapping(selected.field.type)))

    def _add_loaded(self, selected: OperationField, binding: Loaded) -> None:
        objects = self._compile_below(selected)
        if objects is None:
            raise Unsupported("binding")
        self.keys.update(binding.needs)
        self._add_step(selected, LoadById(binding, objects, _read_wrapping(selected.field.type)))

    def _add_called(self, selected: OperationField, binding: Called | Action) -> None:
        arguments = compile_arguments(self.source, selected.field, selected.field_nodes[0])
        call_key = (selected.field_nodes[0].name.value, _print_selections(selected.field_nodes))
        # Mutations are never joined: each must end before the next begins.
        joined = self.calls.get(call_key) if isinstance(binding, Called) else None
        if joined is not None:
            joined.aliases.append(AliasedCall(arguments, selected._replace(keys=joined.aliases[0].selected.keys)))
            self._add_result(selected, self.steps.index(joined))
            return
        objects = self._compile_below(selected)
        below = _list_keys(objects)
        self._add_keys(below if isinstance(binding, Called) and binding.passes else ProjectionKeys(binding.needs))
        selected = selected._replace(keys=below)
        resolver = selected.field.extensions["strawberry-definition"].base_resolver
        if resolver.self_parameter or resolver.root_parameter:
            raise Unsupported("binding")
        step = ResolverCall(
            resolver.wrapped_func,
            [AliasedCall(arguments, selected)],
            resolver.parent_parameter and resolver.parent_parameter.name,
            resolver.info_parameter and resolver.info_parameter.name,
            _make_completion(selected.field, objects),
            objects,
            binding.register if isinstance(binding, Called) else None,
            binding.batch if isinstance(binding, Called) else None,
        )
        self.calls[call_key] = step
        self._add_step(selected, step)

    def _add_streamed(self, selected: OperationField, binding: Streamed) -> None:
        """Adds a subscription's root field: its resolver opens the event stream, and each event is its value."""
        objects = self._compile_below(selected)
        selected = selected._replace(keys=_list_keys(objects))
        resolver = selected.field.extensions["strawberry-definition"].base_resolver
        arguments = compile_arguments(self.source, selected.field, selected.field_nodes[0])
        self.open_events = _make_opener(binding.open, arguments, resolver.info_parameter.name, selected)
        if objects is not None and not _is_plain(objects):
            self._add_embedded(selected, objects, lambda run, documents: list(documents))
            return
        self._add_value(selected, "d", objects)

    def _add_step(self, selected: OperationField, step: LoadStep) -> None:
        self.steps.append(step)
        self._add_result(selected, len(self.steps) - 1)

    def _add_result(self, selected: OperationField, step: int) -> None:
        """Adds one of the step's columns: its values are complete and become the answer's entry unchanged."""
        x = self.writer.make_variable()
        self.writer.is_lasting = False
        self.writer.results.append((step, x))
        self.writer.add_entry(selected.response_key, x)

    def _compile_below(self, selected: OperationField) -> CompiledSelection | AbstractSelection | None:
        named = get_named_type(selected.field.type)
        return self.compile_objects(named, selected) if is_composite_type(named) else None


def _print_selections(field_nodes: Sequence[FieldNode]) -> str:
    return " ".join(print_ast(field_node.selection_set) for field_node in field_nodes if field_node.selection_set)


def _make_opener(
    resolve: Callable[..., AsyncGenerator[Any, None]],
    arguments: CompiledArguments,
    info_name: str,
    selected: OperationField,
) -> OpenEvents:
    return lambda run: resolve(**arguments.build(run), **{info_name: run.make_info(selected)})


def _list_keys(objects: CompiledSelection | AbstractSelection | None) -> ProjectionKeys:
    return ProjectionKeys(()) if objects is None else objects.keys


def _is_instant(graphql_type: GraphQLOutputType) -> bool:
    leaf = get_nullable_type(graphql_type)
    return isinstance(leaf, GraphQLScalarType) and leaf.name == "DateTime"


def _is_plain(objects: CompiledSelection | AbstractSelection) -> bool:
    """Whether a generated function alone shapes the objects, without steps."""
    return isinstance(objects, CompiledSelection) and not objects.steps


def _make_column_reader(binding: Column) -> ReadColumn:
    key, visible, masked = binding.key, binding.visible, binding.masked

    def read_all(run: OperationRun, documents: Sequence[Document]) -> list[Any]:
        if visible is None:
            return [document[key] for document in documents]
        is_seen = visible.decide(run.context.viewer, run.context.proven)
        mask = _mask_as_null if masked is None else masked.of
        return [document[key] if is_seen(document) else mask(document) for document in documents]

    return read_all


def _mask_as_null(document: Document) -> None:
    return None


def _make_derived_reader(compute: Callable[[RequestContext, Document], Any]) -> ReadColumn:
    return lambda run, documents: [compute(run.context, document) for document in documents]


def _read_wrapping(graphql_type: GraphQLOutputType) -> Wrapping:
    """Raises Unsupported for a list of lists."""
    required = isinstance(graphql_type, GraphQLNonNull)
    inner = graphql_type.of_type if isinstance(graphql_type, GraphQLNonNull) else graphql_type
    if not isinstance(inner, GraphQLList):
        return Wrapping(required, listed=False)
    item_required = isinstance(inner.of_type, GraphQLNonNull)
    item = inner.of_type.of_type if isinstance(inner.of_type, GraphQLNonNull) else inner.of_type
    if isinstance(item, GraphQLList):
        raise Unsupported("type")
    return Wrapping(required, True, item_required)


def _make_completion(
    declared: GraphQLField, objects: ObjectSelection | None
) -> Callable[[OperationRun, list[Any]], Any]:
    """Returns the completion of a resolver's results; for leaves a generated function whose "documents" are results."""
    if objects is not None:
        wrapping = _read_wrapping(declared.type)
        return lambda run, values: complete_objects(objects, run, values, wrapping)
    writer = ShapeWriter()
    x = writer.make_variable()
    writer.write(0, f"{x} = d")
    writer.write_completion(declared.type, x, None)
    shape = writer.build_function(x)

    async def complete(run: OperationRun, values: Sequence[Any]) -> list[Any]:
        return shape(run, values)

    return complete
