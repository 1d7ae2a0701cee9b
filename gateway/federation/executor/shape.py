"""Merged data to the client's selection: its names and order, null propagation, what the API schema does not know.

A selection is compiled once for each object type that turns up in it, and for each way its conditions can fall.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    print_ast,
)

from gateway.federation.planner.fetches import Keys

Object = dict[str, Any]

MAX_PLACES: Final = 100
"""An error is told of so many places: a subgraph that gives one wrong value often gives a thousand."""


@dataclass(slots=True)
class Faults:
    """Values that are not what the schema says, and nulls where none may be: by message, where they stand."""

    wrong: dict[str, list[list[str | int]]] = field(default_factory=dict)
    nulls: dict[str, list[list[str | int]]] = field(default_factory=dict)
    path: list[str | int] = field(default_factory=list)
    """The way to the value being completed; empty while the way is not asked for."""

    def note(self, message: str) -> None:
        _add(self.wrong, message, [*self.path])

    def note_null(self, where: str, element: str | int) -> None:
        """A null that may not be, unless it stands for one further down that has been noted."""
        path = [*self.path, element]
        noted = chain(*self.wrong.values(), *self.nulls.values())
        if not any(place[: len(path)] == path for place in noted):
            _add(self.nulls, f"Cannot return null for non-nullable field {where}.", path)

    def errors(self) -> list[Object]:
        """What was wrong; where nothing was, the nulls that may not be."""
        extensions = {"code": "INVALID_SUBGRAPH_RESPONSE"}
        return [
            {"message": message, "path": path, "extensions": extensions}
            for message, places in (self.wrong or self.nulls).items()
            for path in places
        ]


def _add(told: dict[str, list[list[str | int]]], message: str, path: list[str | int]) -> None:
    places = told.setdefault(message, [])
    if len(places) < MAX_PLACES:
        places.append(path)


Complete = Callable[[Any, Faults], Any]
"""A value as the client sees it; adds to the faults. What may not be null is for its holder to see to."""

NULL: Final = type(None)
SCALARS: Final[Mapping[str, frozenset[type]]] = {
    "String": frozenset((str, NULL)),
    "ID": frozenset((str, int, NULL)),
    "Int": frozenset((int, NULL)),
    "Float": frozenset((float, int, NULL)),
    "Boolean": frozenset((bool, NULL)),
}
"""What a subgraph's JSON may hold for each; of custom scalars nothing is known."""
NOTHING: Final[frozenset[type]] = frozenset()

Composite = GraphQLObjectType | GraphQLInterfaceType


class Entry(NamedTuple):
    """A response key, where its value stands in the data, and how it is completed (None: as it is)."""

    response_key: str
    key: str
    other: str
    fits: frozenset[type]
    """Types of which a value is complete as it is."""
    complete: Complete | None
    is_required: bool
    where: str
    """The field's coordinate."""


class Asked(NamedTuple):
    """What the client asked for under one of its names: the type, and the selections inside."""

    response_key: str
    named: Any
    inner: tuple[SelectionSetNode, ...]


class Route(NamedTuple):
    """A path of the client's, and what it asked for at its end."""

    path: list[str | int]
    named: Any
    inner: tuple[SelectionSetNode, ...]


def introspected(response_key: str) -> str:
    """Where the answer to an introspection field stands in the data: under no key that a fetch can use."""
    return f"introspection {response_key}"


@dataclass(slots=True)
class Shape:
    """How one operation's response is made of merged data, for one outcome of its conditions."""

    schema: GraphQLSchema
    """The API schema."""
    supergraph_schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    keys: Keys
    truths: Mapping[str, bool]
    """The Boolean variables that conditions ask for."""
    denied: frozenset[str] = frozenset()
    """Coordinates that are null whatever the data hold: as a key they may have been fetched all the same."""
    is_traced: bool = False
    """Whether the faults learn where they stand, which costs time at every value."""
    _compiled: dict[Any, Complete] = field(default_factory=dict, init=False)
    _asked: dict[Any, dict[str, list[Asked]]] = field(default_factory=dict, init=False)

    def respond(self, operation: OperationDefinitionNode, data: Object, errors: list[Object]) -> Object | None:
        """The response's `data`."""
        root = self.schema.get_root_type(operation.operation)
        assert root is not None  # noqa: S101 - validation has refused operations without a root
        faults = Faults()
        shaped: Object | None = self.complete(root, operation, data, faults)
        # A null that an error has been told about needs no other.
        if faults.wrong or (faults.nulls and not errors):
            located = Faults()
            replace(self, is_traced=True).complete(root, operation, data, located)
            errors += located.errors()
        return shaped

    def complete(
        self, root: GraphQLObjectType, operation: OperationDefinitionNode, data: Object, faults: Faults
    ) -> Any:
        return self._object(root, root.name, [operation.selection_set])(data, faults)

    def client_paths(
        self, operation: OperationDefinitionNode, data: Any, path: Sequence[str | int]
    ) -> list[list[str | int]]:
        """The client's paths to what is at a path under our keys: one for each name that it asked for the same under.

        They end where the client asked for nothing further.
        """
        routes = [Route([], self.schema.get_root_type(operation.operation), (operation.selection_set,))]
        for element in path:
            if isinstance(element, int):
                routes = [route._replace(path=[*route.path, element]) for route in routes]
                data = data[element] if type(data) is list and 0 <= element < len(data) else None
                continue
            own = data.get("__typename") if type(data) is dict else None
            further = [one for route in routes for one in self._further(route, own, element)]
            if not further:
                break
            routes = further[:MAX_PLACES]
            data = data.get(element) if type(data) is dict else None
        return [route.path for route in routes]

    def _further(self, route: Route, type_name: Any, element: str) -> list[Route]:
        """On to what is at our key in an object of the type; where that is not known, of the first that has the key."""
        named = route.named
        possible = self.schema.get_possible_types(named) if is_abstract_type(named) else [named]
        known = [own for own in possible if own.name == type_name] or possible
        for own in known:
            asked = self._asked_as(own, named.name, route.inner).get(element)
            if asked is not None:
                return [Route([*route.path, key], below, inner) for key, below, inner in asked]
        return []

    def _asked_as(self, own: Any, static: str, inner: Sequence[SelectionSetNode]) -> dict[str, list[Asked]]:
        """By our key, as what the client asked for it."""
        place = (own.name, static, *map(id, inner))
        if place in self._asked:
            return self._asked[place]
        made = self._asked[place] = {}
        for response_key, field_nodes in self._grouped(inner, own).items() if isinstance(own, Composite) else ():
            defined = own.fields.get(field_nodes[0].name.value)
            if defined is not None:
                entry = self._entry(own, static, response_key, field_nodes)
                sets = tuple(row.selection_set for row in field_nodes if row.selection_set is not None)
                for ours in (entry.key, entry.other):
                    made.setdefault(ours, []).append(Asked(response_key, get_named_type(defined.type), sets))
        return made

    def _grouped(self, selection_sets: Sequence[SelectionSetNode], named: Composite) -> dict[str, list[FieldNode]]:
        grouped: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            for field_node in self._field_nodes(selection_set, named):
                grouped.setdefault((field_node.alias or field_node.name).value, []).append(field_node)
        return grouped

    def _object(self, named: Composite, static: str, selection_sets: Sequence[SelectionSetNode]) -> Complete:
        key = (named.name, static, *map(id, selection_sets))
        if key not in self._compiled:
            self._compiled[key] = self._compile(named, static, selection_sets)
        return self._compiled[key]

    def _compile(self, named: Composite, static: str, selection_sets: Sequence[SelectionSetNode]) -> Complete:
        grouped = self._grouped(selection_sets, named)
        entries = [self._entry(named, static, key, field_nodes) for key, field_nodes in grouped.items()]
        if self.is_traced:
            entries = [
                row if row.complete is None else row._replace(complete=_traced(row.complete, row.response_key))
                for row in entries
            ]
        no_object = f"The subgraph gave no object where {named.name} was asked for."

        def shaped(source: Any, faults: Faults) -> Object | None:
            if type(source) is not dict:
                if source is not None:
                    faults.note(no_object)
                return None
            made: Object = {}
            for response_key, key, other, fits, complete, is_required, where in entries:
                value = source.get(key)
                if value is None and other:
                    value = source.get(other)
                if type(value) not in fits and complete is not None:
                    value = complete(value, faults)
                if value is None and is_required:
                    faults.note_null(where, response_key)
                    return None
                made[response_key] = value
            return made

        return shaped

    def _entry(self, named: Composite, static: str, response_key: str, field_nodes: list[FieldNode]) -> Entry:
        first = field_nodes[0]
        name = first.name.value
        if name.startswith("__"):
            own = named.name
            typename: Complete = lambda value, faults: own  # noqa: E731 - one name, fixed for the type
            complete = typename if name == "__typename" else None
            where = f"{own}.{name}"
            return Entry(
                response_key, introspected(response_key), "", NOTHING, complete, is_required=False, where=where
            )
        arguments = ", ".join(
            print_ast(argument) for argument in sorted(first.arguments or (), key=lambda row: row.name.value)
        )
        key = self.keys.of(static, named.name, name, arguments, self.keys.apart(named.name, first))
        inner = [field_node.selection_set for field_node in field_nodes if field_node.selection_set is not None]
        of, is_required = _required(named.fields[name].type)
        where = f"{named.name}.{name}"
        complete, fits = self._completer(of, inner, where), _fits(of)
        if where in self.denied:
            # No response key begins like this one: there is nothing to be found under it.
            return Entry(response_key, "__denied", "", fits, complete, is_required, where)
        return Entry(response_key, key, f"{key}__{named.name}", fits, complete, is_required, where)

    def _completer(self, of: GraphQLType, inner: list[SelectionSetNode], where: str) -> Complete | None:
        """How a value of a type that is not non-null is completed; None: as it is."""
        if isinstance(of, GraphQLList):
            rows, is_required = _required(of.of_type)
            complete = self._completer(rows, inner, where)
            return _list(complete, _fits(rows), where, is_required=is_required, is_traced=self.is_traced)
        if isinstance(of, GraphQLEnumType):
            return _enum(of, self.supergraph_schema.type_map[of.name])
        if is_leaf_type(of):
            return _scalar(of, where) if of.name in SCALARS else None
        if isinstance(of, GraphQLObjectType):
            return self._object(of, of.name, inner)
        return self._abstract(of, inner)

    def _abstract(self, of: Any, inner: list[SelectionSetNode]) -> Complete:
        by_name: dict[str, Complete] = {}
        untyped = self._of_any_type(of, inner)

        def shaped(source: Any, faults: Faults) -> Any:
            if type(source) is not dict:
                return untyped(source, faults)
            name = source.get("__typename")
            if name is None:
                return untyped(source, faults)
            compiled = by_name.get(name) if type(name) is str else None
            if compiled is None:
                if type(name) is not str:
                    return None
                named = self.schema.type_map.get(name)
                if not isinstance(named, GraphQLObjectType) or not self.schema.is_sub_type(of, named):
                    faults.note(f"Abstract type {of.name} was resolved to the unknown type {name}.")
                    return None
                compiled = by_name[name] = self._object(named, of.name, inner)
            return compiled(source, faults)

        return shaped

    def _of_any_type(self, of: Any, inner: list[SelectionSetNode]) -> Complete:
        """For an interface object whose type nobody was asked for, as what the client wants is the same for each."""
        field_nodes = [row for selection_set in inner for row in self._field_nodes(selection_set, of)]
        tells_apart = any(self._tells_apart(selection_set, of) for selection_set in inner)
        if tells_apart or any(row.name.value == "__typename" for row in field_nodes):
            return lambda source, faults: None
        return self._object(of, of.name, inner)

    def _tells_apart(self, selection_set: SelectionSetNode, of: Any) -> bool:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode) or not self._is_asked(selection):
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
            condition = fragment.type_condition
            if condition is not None and not self._applies(condition.name.value, of):
                return True
            if self._tells_apart(fragment.selection_set, of):
                return True
        return False

    def _field_nodes(self, selection_set: SelectionSetNode, named: Composite) -> Iterator[FieldNode]:
        for selection in selection_set.selections:
            if not self._is_asked(selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                if not self._is_asked(fragment):
                    continue
            assert isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode)  # noqa: S101 - the kinds left
            condition = fragment.type_condition
            if condition is None or self._applies(condition.name.value, named):
                yield from self._field_nodes(fragment.selection_set, named)

    def _applies(self, condition: str, named: Composite) -> bool:
        wanted = self.schema.type_map[condition]
        return wanted is named or (is_abstract_type(wanted) and self.schema.is_sub_type(wanted, named))

    def _is_asked(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                value = directive.arguments[0].value
                truth = self.truths[value.name.value] if isinstance(value, VariableNode) else value.value
                if truth is not (directive.name.value == "include"):
                    return False
        return True


def _required(of: GraphQLType) -> tuple[GraphQLType, bool]:
    return (of.of_type, True) if isinstance(of, GraphQLNonNull) else (of, False)


def _fits(of: GraphQLType) -> frozenset[type]:
    return SCALARS.get(of.name, NOTHING) if is_leaf_type(of) else NOTHING


def _traced(complete: Complete, element: str | int) -> Complete:
    """The same, with the faults on the way to the element meanwhile."""

    def completed(value: Any, faults: Faults) -> Any:
        faults.path.append(element)
        made = complete(value, faults)
        faults.path.pop()
        return made

    return completed


def _list(
    complete: Complete | None, fits: frozenset[type], where: str, *, is_required: bool, is_traced: bool
) -> Complete:
    """Rows each completed; null where a row is that must not be."""

    def completed(value: Any, faults: Faults) -> Any:
        if type(value) is not list:
            if value is not None:
                faults.note(f"{where} cannot be what the subgraph gave: it is no list.")
            return None
        made = value
        if complete is not None and not fits.issuperset(map(type, value)):
            if is_traced:
                made = [_traced(complete, index)(row, faults) for index, row in enumerate(value)]
            else:
                made = [complete(row, faults) for row in value]
        if is_required and None in made:
            faults.note_null(where, made.index(None))
            return None
        return made

    return completed


def _scalar(of: Any, where: str) -> Complete:
    """A scalar that GraphQL itself defines, of which we know what it may be; a whole number may come as 3.0."""
    fits, is_whole = SCALARS[of.name], of.name == "Int"
    message = f"{where} cannot be what the subgraph gave: it is no {of.name}."

    def completed(value: Any, faults: Faults) -> Any:
        if type(value) in fits:
            return value
        if is_whole and type(value) is float and value.is_integer():
            return int(value)
        faults.note(message)
        return None

    return completed


def _enum(of: GraphQLEnumType, whole: Any) -> Complete:
    """A value that is `@inaccessible` is null for the client; one that the supergraph has not is an error besides."""

    def completed(value: Any, faults: Faults) -> Any:
        if value is None or (type(value) is str and value in of.values):
            return value
        if type(value) is not str or value not in whole.values:
            faults.note(f"Enum {of.name} cannot represent the value that the subgraph gave.")
        return None

    return completed
