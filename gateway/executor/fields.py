"""One compiler a kind of binding: column, derived, loaded, called, action."""

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

from gateway.executor import arguments
from gateway.executor.collect import Source, Unsupported
from gateway.executor.run import Objects, Opens, Place, Run, Selection, Step
from gateway.executor.shape import Inner, Writer
from gateway.executor.steps import Abstract, Asked, Call, Embedded, Load, Read, Wrapping, completed
from resolvers.documents import Document
from resolvers.paging.keys import Keys
from resolvers.request.context import RequestContext
from schema.binding import Action, Called, Column, Derived, Loaded, Streamed, binding_of


class Compile(Protocol):
    """Compiles what is selected of a composite type."""

    def __call__(self, named: GraphQLNamedType, place: Place) -> Selection | Abstract: ...


@dataclass(slots=True)
class Parts:
    """A selection in the making."""

    source: Source
    parent: GraphQLObjectType
    compile: Compile
    writer: Writer = field(default_factory=Writer)
    steps: list[Step] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    printed: set[str] = field(default_factory=set)
    """Keys that columns of instants print; some of them may be in `keys` too."""
    calls: dict[tuple[str, str], Call] = field(default_factory=dict)
    """By field and what is selected below it: aliases of one field with the same selection are called together."""
    opens: Opens | None = None

    def add(self, response_key: str, field_nodes: list[FieldNode]) -> None:
        name = field_nodes[0].name.value
        if name == "__typename":
            self.writer.answer(response_key, repr(self.parent.name))
            return
        declared = self.parent.fields.get(name)
        definition = None if declared is None else declared.extensions.get("strawberry-definition")
        if declared is None or definition is None or definition.extensions or definition.permission_classes:
            raise Unsupported("introspection" if name.startswith("__") else "field")
        place = Place(response_key, field_nodes, declared, self.parent, Keys(()))
        binding = binding_of(declared)
        if isinstance(binding, Column):
            self._column(place, binding)
        elif isinstance(binding, Derived):
            self._derived(place, binding)
        elif isinstance(binding, Loaded):
            self._loaded(place, binding)
        elif isinstance(binding, Called | Action):
            self._called(place, binding)
        elif isinstance(binding, Streamed):
            self._streamed(place, binding)
        else:
            raise Unsupported("binding")

    def needs(self) -> Keys:
        """The keys that are read of a document."""
        return Keys(self.keys | self.printed, self.printed - self.keys)

    def _column(self, place: Place, binding: Column) -> None:
        if _is_instant(place.field.type) and binding.visible is None:
            self.printed.add(binding.key)
            self._printed(place, binding.key)
            return
        objects = self._objects(place)
        self._need(_keys(objects) if binding.passes else Keys(binding.needs))
        if objects is not None and not _is_plain(objects):
            self._embedded(place, objects, _column_reader(binding))
            return
        read = f"d[{binding.key!r}]"
        if binding.visible is not None:
            masked = "None" if binding.masked is None else f"{self.writer.bind(binding.masked.of)}(d)"
            read = f"{read} if {self.writer.seen(binding.visible)} else {masked}"
        self._shaped(place, read, objects)

    def _need(self, keys: Keys) -> None:
        self.keys.update(keys.read)
        self.printed.update(keys.printed)

    def _printed(self, place: Place, key: str) -> None:
        """A column of instants, which cost a third where they are printed together."""
        x = self.writer.instants(key)
        if isinstance(place.field.type, GraphQLNonNull):
            self.writer.write(0, f"if {x} is None: missing()")
        self.writer.answer(place.response_key, x)

    def _derived(self, place: Place, binding: Derived) -> None:
        compute = binding.compute
        objects = self._objects(place)
        self.keys.update(binding.needs)
        if objects is not None and not _is_plain(objects):
            self._embedded(place, objects, _computed(compute))
            return
        self.writer.is_lasting = False
        self._shaped(place, f"{self.writer.bind(compute)}(context, d)", objects)

    def _shaped(self, place: Place, read: str, objects: Selection | Abstract | None) -> None:
        """A value that the generated function reads and completes by itself."""
        x = self.writer.variable()
        self.writer.write(0, f"{x} = {read}")
        inner: Inner | None = objects.shape if isinstance(objects, Selection) else None
        self.writer.is_lasting &= is_leaf_type(get_nullable_type(place.field.type))
        self.writer.complete(place.field.type, x, inner)
        self.writer.answer(place.response_key, x)

    def _embedded(self, place: Place, objects: Objects, read: Read) -> None:
        self._step(place, Embedded(read, objects, _wrapping(place.field.type)))

    def _loaded(self, place: Place, binding: Loaded) -> None:
        objects = self._objects(place)
        if objects is None:
            raise Unsupported("binding")
        self.keys.update(binding.needs)
        self._step(place, Load(binding, objects, _wrapping(place.field.type)))

    def _called(self, place: Place, binding: Called | Action) -> None:
        given = arguments.compiled(self.source, place.field, place.field_nodes[0])
        same = (place.field_nodes[0].name.value, _selected(place.field_nodes))
        alike = self.calls.get(same) if isinstance(binding, Called) else None
        if alike is not None:
            alike.asked.append(Asked(given, place._replace(keys=alike.asked[0].place.keys)))
            self._result(place, self.steps.index(alike))
            return
        objects = self._objects(place)
        below = _keys(objects)
        self._need(below if isinstance(binding, Called) and binding.passes else Keys(binding.needs))
        place = place._replace(keys=below)
        resolver = place.field.extensions["strawberry-definition"].base_resolver
        if resolver.self_parameter or resolver.root_parameter:
            raise Unsupported("binding")
        step = Call(
            resolver.wrapped_func,
            [Asked(given, place)],
            resolver.parent_parameter and resolver.parent_parameter.name,
            resolver.info_parameter and resolver.info_parameter.name,
            _completion(place.field, objects),
            objects,
            binding.register if isinstance(binding, Called) else None,
            binding.batch if isinstance(binding, Called) else None,
        )
        self.calls[same] = step
        self._step(place, step)

    def _streamed(self, place: Place, binding: Streamed) -> None:
        """The event is what is read below; the field's function is called once, before the first."""
        objects = self._objects(place)
        place = place._replace(keys=_keys(objects))
        resolver = place.field.extensions["strawberry-definition"].base_resolver
        given = arguments.compiled(self.source, place.field, place.field_nodes[0])
        self.opens = _Opens(binding.open, given, resolver.info_parameter.name, place)
        if objects is not None and not _is_plain(objects):
            self._embedded(place, objects, lambda run, documents: list(documents))
            return
        self._shaped(place, "d", objects)

    def _step(self, place: Place, step: Step) -> None:
        self.steps.append(step)
        self._result(place, len(self.steps) - 1)

    def _result(self, place: Place, step: int) -> None:
        """One of the step's values becomes the answer's entry as it is."""
        x = self.writer.variable()
        self.writer.is_lasting = False
        self.writer.results.append((step, x))
        self.writer.answer(place.response_key, x)

    def _objects(self, place: Place) -> Selection | Abstract | None:
        named = get_named_type(place.field.type)
        return self.compile(named, place) if is_composite_type(named) else None


def _selected(field_nodes: Sequence[FieldNode]) -> str:
    return " ".join(print_ast(field_node.selection_set) for field_node in field_nodes if field_node.selection_set)


@dataclass(frozen=True, slots=True)
class _Opens:
    resolve: Callable[..., AsyncGenerator[Any, None]]
    arguments: arguments.Arguments
    info_name: str
    place: Place

    def open(self, run: Run) -> AsyncGenerator[Any, None]:
        return self.resolve(**self.arguments.of(run), **{self.info_name: run.info(self.place)})


def _keys(objects: Selection | Abstract | None) -> Keys:
    return Keys(()) if objects is None else objects.keys


def _is_instant(graphql_type: GraphQLOutputType) -> bool:
    leaf = get_nullable_type(graphql_type)
    return isinstance(leaf, GraphQLScalarType) and leaf.name == "DateTime"


def _is_plain(objects: Selection | Abstract) -> bool:
    """Whether one generated function answers it all."""
    return isinstance(objects, Selection) and not objects.steps


def _column_reader(binding: Column) -> Read:
    key, visible, masked = binding.key, binding.visible, binding.masked

    def read_all(run: Run, documents: Sequence[Document]) -> list[Any]:
        if visible is None:
            return [document[key] for document in documents]
        is_seen = visible.decide(run.context.viewer, run.context.proven)
        mask = _nothing if masked is None else masked.of
        return [document[key] if is_seen(document) else mask(document) for document in documents]

    return read_all


def _nothing(document: Document) -> None:
    return None


def _computed(compute: Callable[[RequestContext, Document], Any]) -> Read:
    return lambda run, documents: [compute(run.context, document) for document in documents]


def _wrapping(graphql_type: GraphQLOutputType) -> Wrapping:
    required = isinstance(graphql_type, GraphQLNonNull)
    inner = graphql_type.of_type if isinstance(graphql_type, GraphQLNonNull) else graphql_type
    if not isinstance(inner, GraphQLList):
        return Wrapping(required, listed=False)
    item_required = isinstance(inner.of_type, GraphQLNonNull)
    item = inner.of_type.of_type if isinstance(inner.of_type, GraphQLNonNull) else inner.of_type
    if isinstance(item, GraphQLList):
        raise Unsupported("type")
    return Wrapping(required, True, item_required)


def _completion(declared: GraphQLField, objects: Objects | None) -> Callable[[Run, list[Any]], Any]:
    if objects is not None:
        wrapping = _wrapping(declared.type)
        return lambda run, values: completed(objects, run, values, wrapping)
    writer = Writer()
    x = writer.variable()
    writer.write(0, f"{x} = d")
    writer.complete(declared.type, x, None)
    shape = writer.function(x)

    async def complete(run: Run, values: Sequence[Any]) -> list[Any]:
        return shape(run, values)

    return complete
