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
    get_named_type,
    is_composite_type,
)

from gateway.executor import arguments
from gateway.executor.collect import Source, Unsupported
from gateway.executor.run import Objects, Opens, Place, Run, Selection, Step
from gateway.executor.shape import Inner, Writer
from gateway.executor.steps import Abstract, Call, Embedded, Load, Wrapping, completed
from schema.binding import Action, Called, Column, Derived, Loaded, Streamed, Visible, binding_of


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
        place = Place(response_key, field_nodes, declared, self.parent, frozenset())
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

    def _column(self, place: Place, binding: Column) -> None:
        key, visible = binding.key, binding.visible
        objects = self._objects(place)
        self.keys.update(binding.needs if not binding.passes else _keys(objects))
        if objects is not None and not _is_plain(objects):
            self._embedded(place, objects, _column_reader(key, visible))
            return
        read = f"d[{key!r}]"
        if visible is not None:
            seen = f"{self.writer.bind(visible)}(context.viewer, d, context.proven)"
            read = f"{read} if {seen} else None"
        self._shaped(place, read, objects)

    def _derived(self, place: Place, binding: Derived) -> None:
        compute = binding.compute
        objects = self._objects(place)
        self.keys.update(binding.needs)
        if objects is not None and not _is_plain(objects):
            self._embedded(place, objects, lambda run, document: compute(run.context, document))
            return
        self._shaped(place, f"{self.writer.bind(compute)}(context, d)", objects)

    def _shaped(self, place: Place, read: str, objects: Selection | Abstract | None) -> None:
        """A value that the generated function reads and completes by itself."""
        x = self.writer.variable()
        self.writer.write(0, f"{x} = {read}")
        inner: Inner | None = objects.shape if isinstance(objects, Selection) else None
        self.writer.complete(place.field.type, x, inner)
        self.writer.answer(place.response_key, x)

    def _embedded(self, place: Place, objects: Objects, read: Callable[[Run, Any], Any]) -> None:
        self._step(place, Embedded(read, objects, _wrapping(place.field.type)))

    def _loaded(self, place: Place, binding: Loaded) -> None:
        objects = self._objects(place)
        if objects is None:
            raise Unsupported("binding")
        self.keys.update(binding.needs)
        self._step(place, Load(binding.load, binding.key, binding.visible, objects, _wrapping(place.field.type)))

    def _called(self, place: Place, binding: Called | Action) -> None:
        objects = self._objects(place)
        below = _keys(objects)
        self.keys.update(below if isinstance(binding, Called) and binding.passes else binding.needs)
        place = place._replace(keys=frozenset(below))
        resolver = place.field.extensions["strawberry-definition"].base_resolver
        if resolver.self_parameter or resolver.root_parameter:
            raise Unsupported("binding")
        step = Call(
            resolver.wrapped_func,
            arguments.compiled(self.source, place.field, place.field_nodes[0]),
            resolver.parent_parameter and resolver.parent_parameter.name,
            resolver.info_parameter and resolver.info_parameter.name,
            place,
            _completion(place.field, objects),
        )
        self._step(place, step)

    def _streamed(self, place: Place, binding: Streamed) -> None:
        """The event is what is read below; the field's function is called once, before the first."""
        objects = self._objects(place)
        place = place._replace(keys=frozenset(_keys(objects)))
        resolver = place.field.extensions["strawberry-definition"].base_resolver
        given = arguments.compiled(self.source, place.field, place.field_nodes[0])
        self.opens = _Opens(binding.open, given, resolver.info_parameter.name, place)
        if objects is not None and not _is_plain(objects):
            self._embedded(place, objects, lambda run, document: document)
            return
        self._shaped(place, "d", objects)

    def _step(self, place: Place, step: Step) -> None:
        """The step's value becomes the answer's entry as it is."""
        x = self.writer.variable()
        self.steps.append(step)
        self.writer.results.append(x)
        self.writer.answer(place.response_key, x)

    def _objects(self, place: Place) -> Selection | Abstract | None:
        named = get_named_type(place.field.type)
        return self.compile(named, place) if is_composite_type(named) else None


@dataclass(frozen=True, slots=True)
class _Opens:
    resolve: Callable[..., AsyncGenerator[Any, None]]
    arguments: arguments.Arguments
    info_name: str
    place: Place

    def open(self, run: Run) -> AsyncGenerator[Any, None]:
        return self.resolve(**self.arguments.of(run), **{self.info_name: run.info(self.place)})


def _keys(objects: Selection | Abstract | None) -> frozenset[str]:
    return frozenset() if objects is None else objects.keys


def _is_plain(objects: Selection | Abstract) -> bool:
    """Whether one generated function answers it all."""
    return isinstance(objects, Selection) and not objects.steps


def _column_reader(key: str, visible: Visible | None) -> Callable[[Run, Any], Any]:
    if visible is None:
        return lambda run, document: document[key]

    def read(run: Run, document: Any) -> Any:
        return document[key] if visible(run.context.viewer, document, run.context.proven) else None

    return read


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
