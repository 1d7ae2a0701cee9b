"""Merged data to the client's selection: its names and order, null propagation, what the API schema does not know.

A selection is compiled once for each object type that turns up in it, and for each way its conditions can fall.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
Complete = Callable[[Any, list[Object]], Any]
"""A value as the client sees it; adds to the errors; raises NullInNonNull."""

Composite = GraphQLObjectType | GraphQLInterfaceType

Entry = tuple[str, str, str, Complete]


def introspected(response_key: str) -> str:
    """Where the answer to an introspection field stands in the data: under no key that a fetch can use."""
    return f"introspection {response_key}"


class NullInNonNull(Exception):
    """A null stands where none may: the object around it becomes null."""


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
    _compiled: dict[Any, Callable[[Object, list[Object]], Any]] = field(default_factory=dict)

    def respond(self, operation: OperationDefinitionNode, data: Object, errors: list[Object]) -> Object | None:
        """The response's `data`."""
        root = self.schema.get_root_type(operation.operation)
        assert root is not None  # noqa: S101 - validation has refused operations without a root
        try:
            shaped: Object = self._object(root, root.name, [operation.selection_set])(data, errors)
        except NullInNonNull:
            return None
        return shaped

    def client_path(self, operation: OperationDefinitionNode, path: Sequence[str | int]) -> list[str | int]:
        """The path of an error under our keys in the client's; it ends where the client asked for nothing further."""
        named: Any = self.schema.get_root_type(operation.operation)
        inner: list[SelectionSetNode] = [operation.selection_set]
        made: list[str | int] = []
        for element in path:
            if isinstance(element, int):
                made.append(element)
                continue
            found = next(self._asked_as(named, inner, element), None)
            if found is None:
                break
            response_key, named, inner = found
            made.append(response_key)
        return made

    def _asked_as(
        self, named: Any, inner: list[SelectionSetNode], element: str
    ) -> Iterator[tuple[str, Any, list[SelectionSetNode]]]:
        """Response keys under which the client asked for what is at our key, with the type and selections inside."""
        for own in self.schema.get_possible_types(named) if is_abstract_type(named) else [named]:
            grouped = self._grouped(inner, own) if isinstance(own, Composite) else {}
            for response_key, field_nodes in grouped.items():
                _, key, other, _ = self._entry(own, named.name, response_key, field_nodes)
                if element in (key, other) and field_nodes[0].name.value in own.fields:
                    sets = [row.selection_set for row in field_nodes if row.selection_set is not None]
                    yield response_key, get_named_type(own.fields[field_nodes[0].name.value].type), sets

    def _grouped(self, selection_sets: Sequence[SelectionSetNode], named: Composite) -> dict[str, list[FieldNode]]:
        grouped: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            for field_node in self._field_nodes(selection_set, named):
                grouped.setdefault((field_node.alias or field_node.name).value, []).append(field_node)
        return grouped

    def _object(
        self, named: Composite, static: str, selection_sets: Sequence[SelectionSetNode]
    ) -> Callable[[Object, list[Object]], Object]:
        key = (named.name, static, *map(id, selection_sets))
        if key not in self._compiled:
            self._compiled[key] = self._compile(named, static, selection_sets)
        return self._compiled[key]

    def _compile(
        self, named: Composite, static: str, selection_sets: Sequence[SelectionSetNode]
    ) -> Callable[[Object, list[Object]], Object]:
        grouped = self._grouped(selection_sets, named)
        entries = [self._entry(named, static, key, field_nodes) for key, field_nodes in grouped.items()]

        def shaped(source: Object, errors: list[Object]) -> Object:
            made: Object = {}
            for response_key, key, other, complete in entries:
                value = source.get(key)
                if value is None and other:
                    value = source.get(other)
                # Most fields are leaves: a call for each would cost more than all else here.
                made[response_key] = value if complete is _as_it_is else complete(value, errors)
            return made

        return shaped

    def _entry(self, named: Composite, static: str, response_key: str, field_nodes: list[FieldNode]) -> Entry:
        first = field_nodes[0]
        name = first.name.value
        if name.startswith("__"):
            own = named.name
            typename: Complete = lambda value, errors: own  # noqa: E731 - one name, fixed for the type
            return response_key, introspected(response_key), "", typename if name == "__typename" else _as_it_is
        arguments = ", ".join(
            print_ast(argument) for argument in sorted(first.arguments or (), key=lambda row: row.name.value)
        )
        key = self.keys.of(static, named.name, name, arguments, self.keys.apart(named.name, first))
        inner = [field_node.selection_set for field_node in field_nodes if field_node.selection_set is not None]
        complete = self._completer(named.fields[name].type, inner)
        if f"{named.name}.{name}" in self.denied:
            # No response key begins like this one: there is nothing to be found under it.
            return response_key, "__denied", "", complete
        return response_key, key, f"{key}__{named.name}", complete

    def _completer(self, of: GraphQLType, inner: list[SelectionSetNode]) -> Complete:
        if isinstance(of, GraphQLNonNull):
            return _never_null(self._completer(of.of_type, inner))
        if isinstance(of, GraphQLList):
            return _list(self._completer(of.of_type, inner))
        if isinstance(of, GraphQLEnumType):
            return _enum(of, self.supergraph_schema.type_map[of.name])
        if is_leaf_type(of):
            return _as_it_is
        if isinstance(of, GraphQLObjectType):
            return _nullable(self._object_lazily(of, of.name, inner))
        return _nullable(self._abstract(of, inner))

    def _object_lazily(
        self, named: GraphQLObjectType, static: str, inner: list[SelectionSetNode]
    ) -> Callable[[Object, list[Object]], Object]:
        compiled: list[Callable[[Object, list[Object]], Object]] = []

        def shaped(source: Object, errors: list[Object]) -> Object:
            if not compiled:
                compiled.append(self._object(named, static, inner))
            return compiled[0](source, errors)

        return shaped

    def _abstract(self, of: Any, inner: list[SelectionSetNode]) -> Callable[[Object, list[Object]], Any]:
        by_name: dict[str | None, Callable[[Object, list[Object]], Any]] = {}

        def shaped(source: Object, errors: list[Object]) -> Any:
            name = source.get("__typename")
            compiled = by_name.get(name)
            if compiled is None and name is None:
                compiled = by_name[None] = self._of_any_type(of, inner)
            if compiled is None:
                assert name is not None  # noqa: S101 - compiled above
                named = self.schema.type_map.get(name)
                if not isinstance(named, GraphQLObjectType) or not self.schema.is_sub_type(of, named):
                    errors.append(_unknown(f"Abstract type {of.name} was resolved to the unknown type {name}."))
                    return None
                compiled = by_name[name] = self._object(named, of.name, inner)
            return compiled(source, errors)

        return shaped

    def _of_any_type(self, of: Any, inner: list[SelectionSetNode]) -> Callable[[Object, list[Object]], Any]:
        """For an interface object whose type nobody was asked for, as what the client wants is the same for each."""
        field_nodes = [row for selection_set in inner for row in self._field_nodes(selection_set, of)]
        tells_apart = any(self._tells_apart(selection_set, of) for selection_set in inner)
        if tells_apart or any(row.name.value == "__typename" for row in field_nodes):
            return lambda source, errors: None
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


def _as_it_is(value: Any, errors: list[Object]) -> Any:
    return value


def _leaf(value: Any, errors: list[Object]) -> Any:
    if value is None:
        raise NullInNonNull
    return value


def _never_null(complete: Complete) -> Complete:
    if complete is _as_it_is:
        return _leaf

    def completed(value: Any, errors: list[Object]) -> Any:
        made = complete(value, errors)
        if made is None:
            raise NullInNonNull
        return made

    return completed


def _nullable(shaped: Callable[[Object, list[Object]], Any]) -> Complete:
    def completed(value: Any, errors: list[Object]) -> Any:
        if type(value) is not dict:
            return None
        try:
            return shaped(value, errors)
        except NullInNonNull:
            return None

    return completed


def _list(complete: Complete) -> Complete:
    if complete is _as_it_is:
        return lambda value, errors: value if type(value) is list else None

    def completed(value: Any, errors: list[Object]) -> Any:
        if type(value) is not list:
            return None
        try:
            return [complete(row, errors) for row in value]
        except NullInNonNull:
            return None

    return completed


def _enum(of: GraphQLEnumType, whole: Any) -> Complete:
    """A value that is `@inaccessible` is null for the client; one that the supergraph has not is an error besides."""

    def completed(value: Any, errors: list[Object]) -> Any:
        if value is None or value in of.values:
            return value
        if value not in whole.values:
            errors.append(_unknown(f"Enum {of.name} cannot represent the value that the subgraph gave."))
        return None

    return completed


def _unknown(message: str) -> Object:
    return {"message": message, "extensions": {"code": "INVALID_SUBGRAPH_RESPONSE"}}
