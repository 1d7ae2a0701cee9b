"""Builds the client's response from the merged data: its names and order, null propagation, and only the API schema.

The merged data are one tree under the plan's own response keys; the client may have asked with aliases, for several
object types, and in another order:
    # { a: name  more { a: name  id } }   data {"name": "x", "more": {"id": "7", "name": "y"}}
    # → {"a": "x", "more": {"a": "y", "id": "7"}}
A selection set is compiled, once per object type that occurs in it, to a list of `Entry` rows and one function that
walks them. The tree of functions depends on the outcome of `@skip` and `@include`, hence one ResponseShape per outcome.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

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

from gateway.federation.executor.completion import (
    MAX_PLACES,
    NO_TYPES,
    SCALARS,
    CompleteValue,
    Faults,
    compile_enum,
    compile_list,
    compile_scalar,
    trace,
)
from gateway.federation.executor.subgraphs import Object
from gateway.federation.planner.fetches import ResponseKeys

FieldsType = GraphQLObjectType | GraphQLInterfaceType


class Entry(NamedTuple):
    """A response key, the key of its value in the data, and how the value is completed."""

    response_key: str
    key: str
    typed_key: str
    """The key if the plan had to tell the field apart by its object's type: `size__Box`. Empty: never."""
    fits: frozenset[type]
    """Python types whose values need no completion."""
    complete: CompleteValue | None
    """None: any value is passed on unchanged."""
    is_required: bool
    coordinate: str
    """`Type.field`, for error messages."""


class ClientField(NamedTuple):
    """A field as the client asked for it: its response key, its named type, and the selection sets inside."""

    response_key: str
    named_type: Any
    inner: tuple[SelectionSetNode, ...]


class Route(NamedTuple):
    """A path in the client's response keys, with the type and the selection sets at its end."""

    path: list[str | int]
    named_type: Any
    inner: tuple[SelectionSetNode, ...]


def make_introspection_key(response_key: str) -> str:
    """Returns the key in the data of an introspection field. It holds a space, so no fetch can use the same key."""
    return f"introspection {response_key}"


@dataclass(slots=True)
class ResponseShape:
    """How one operation's response is built from merged data, for one outcome of its `@skip` and `@include`."""

    schema: GraphQLSchema
    """The API schema."""
    supergraph_schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    keys: ResponseKeys
    truths: Mapping[str, bool]
    """The values of the Boolean variables that conditions use."""
    denied: frozenset[str] = frozenset()
    """Coordinates that are always null. The data may hold them: as a part of a key they may have been fetched."""
    is_traced: bool = False
    """Whether faults get paths. It slows every value down, so the first pass runs without it."""
    _compiled: dict[Any, CompleteValue] = field(default_factory=dict, init=False)
    _client_fields: dict[Any, dict[str, list[ClientField]]] = field(default_factory=dict, init=False)

    def build_data(self, operation: OperationDefinitionNode, data: Object, errors: list[Object]) -> Object | None:
        """Returns the response's `data`, and appends an error for each value that does not fit the schema.

        Two passes: the first only learns whether there are faults. Almost always there are none; otherwise a second,
        traced pass finds their paths.
        """
        root = self.schema.get_root_type(operation.operation)
        assert root is not None  # noqa: S101 - validation has refused operations without a root
        faults = Faults()
        shaped: Object | None = self._complete_root(root, operation, data, faults)
        # A forbidden null needs no error of its own if the subgraph has explained it.
        if faults.wrong or (faults.nulls and not errors):
            located = Faults()
            replace(self, is_traced=True)._complete_root(root, operation, data, located)
            errors += located.to_errors()
        return shaped

    def _complete_root(
        self, root: GraphQLObjectType, operation: OperationDefinitionNode, data: Object, faults: Faults
    ) -> Any:
        return self._find_completer(root, root.name, [operation.selection_set])(data, faults)

    def find_client_paths(
        self, operation: OperationDefinitionNode, data: Any, path: Sequence[str | int]
    ) -> list[list[str | int]]:
        """Translates a path in the plan's keys to the client's paths: one for each alias of the same field.

        # { a: item { id } b: item { id } } → path ["item", "id"] is ["a", "id"] and ["b", "id"]
        A path ends early where the client asked for nothing further (a field that only the plan needed).
        """
        routes = [Route([], self.schema.get_root_type(operation.operation), (operation.selection_set,))]
        for element in path:
            if isinstance(element, int):
                routes = [route._replace(path=[*route.path, element]) for route in routes]
                data = data[element] if type(data) is list and 0 <= element < len(data) else None
                continue
            type_name = data.get("__typename") if type(data) is dict else None
            extended = [longer for route in routes for longer in self._extend_route(route, type_name, element)]
            if not extended:
                break
            routes = extended[:MAX_PLACES]
            data = data.get(element) if type(data) is dict else None
        return [route.path for route in routes]

    def _extend_route(self, route: Route, type_name: Any, key: str) -> list[Route]:
        """Extends a route by a key of the plan, in an object of the given type.

        If the type is unknown, takes the first possible type that has the key.
        """
        named = route.named_type
        possible = self.schema.get_possible_types(named) if is_abstract_type(named) else [named]
        known = [candidate for candidate in possible if candidate.name == type_name] or possible
        for candidate in known:
            fields = self._find_client_fields(candidate, named.name, route.inner).get(key)
            if fields is not None:
                return [Route([*route.path, row.response_key], row.named_type, row.inner) for row in fields]
        return []

    def _find_client_fields(
        self, named: Any, static_type: str, inner: Sequence[SelectionSetNode]
    ) -> dict[str, list[ClientField]]:
        """Returns, by the plan's key, the fields that the client asked for."""
        # id() is safe as a key: the nodes live as long as the operation that owns this shape.
        position = (named.name, static_type, *map(id, inner))
        if position in self._client_fields:
            return self._client_fields[position]
        fields = self._client_fields[position] = {}
        for response_key, field_nodes in (
            self._group_fields(inner, named).items() if isinstance(named, FieldsType) else ()
        ):
            definition = named.fields.get(field_nodes[0].name.value)
            if definition is not None:
                entry = self._compile_field(named, static_type, response_key, field_nodes)
                sets = tuple(row.selection_set for row in field_nodes if row.selection_set is not None)
                for key in (entry.key, entry.typed_key):
                    fields.setdefault(key, []).append(ClientField(response_key, get_named_type(definition.type), sets))
        return fields

    def _group_fields(
        self, selection_sets: Sequence[SelectionSetNode], named: FieldsType
    ) -> dict[str, list[FieldNode]]:
        """CollectFields of the GraphQL specification: the field nodes by response key."""
        grouped: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            for field_node in self._collect_fields(selection_set, named):
                grouped.setdefault((field_node.alias or field_node.name).value, []).append(field_node)
        return grouped

    def _find_completer(
        self, named: FieldsType, static_type: str, selection_sets: Sequence[SelectionSetNode]
    ) -> CompleteValue:
        key = (named.name, static_type, *map(id, selection_sets))
        if key not in self._compiled:
            self._compiled[key] = self._compile_object(named, static_type, selection_sets)
        return self._compiled[key]

    def _compile_object(
        self, named: FieldsType, static_type: str, selection_sets: Sequence[SelectionSetNode]
    ) -> CompleteValue:
        grouped = self._group_fields(selection_sets, named)
        entries = [self._compile_field(named, static_type, key, field_nodes) for key, field_nodes in grouped.items()]
        if self.is_traced:
            entries = [
                row if row.complete is None else row._replace(complete=trace(row.complete, row.response_key))
                for row in entries
            ]
        no_object = f"The subgraph returned no object for the type {named.name}."

        # The hottest loop of a federated request: one turn per field of each object. The usual value (a good scalar)
        # costs a look-up, a set test and a store; functions are called only for objects, lists and misfits.
        def complete_object(source: Any, faults: Faults) -> Object | None:
            if type(source) is not dict:
                if source is not None:
                    faults.note(no_object)
                return None
            made: Object = {}
            for response_key, key, typed_key, fits, complete, is_required, coordinate in entries:
                value = source.get(key)
                if value is None and typed_key:
                    value = source.get(typed_key)
                if type(value) not in fits and complete is not None:
                    value = complete(value, faults)
                if value is None and is_required:
                    faults.note_null(coordinate, response_key)
                    return None
                made[response_key] = value
            return made

        return complete_object

    def _compile_field(
        self, named: FieldsType, static_type: str, response_key: str, field_nodes: list[FieldNode]
    ) -> Entry:
        first = field_nodes[0]
        name = first.name.value
        if name.startswith("__"):
            type_name = named.name
            coordinate = f"{type_name}.{name}"
            # The object's type is known here, so `__typename` needs no look-up in the data.
            complete_typename: CompleteValue = lambda value, faults: type_name  # noqa: E731 - one name per type
            complete = complete_typename if name == "__typename" else None
            key = make_introspection_key(response_key)
            return Entry(response_key, key, "", NO_TYPES, complete, is_required=False, coordinate=coordinate)
        arguments = ", ".join(
            print_ast(argument) for argument in sorted(first.arguments or (), key=lambda row: row.name.value)
        )
        variant = self.keys.make_variant(named.name, first)
        key = self.keys.make_key(static_type, named.name, name, arguments, variant)
        inner = [field_node.selection_set for field_node in field_nodes if field_node.selection_set is not None]
        of, is_required = _unwrap_non_null(named.fields[name].type)
        coordinate = f"{named.name}.{name}"
        complete, fits = self._compile_value(of, inner, coordinate), _find_fitting_types(of)
        if coordinate in self.denied:
            # GraphQL reserves names with two underscores, so no fetch writes this key: the value is always null.
            return Entry(response_key, "__denied", "", fits, complete, is_required, coordinate)
        return Entry(response_key, key, f"{key}__{named.name}", fits, complete, is_required, coordinate)

    def _compile_value(self, of: GraphQLType, inner: list[SelectionSetNode], coordinate: str) -> CompleteValue | None:
        """`of` is a nullable type. Returns None if any value is passed on unchanged (a custom scalar)."""
        if isinstance(of, GraphQLList):
            row_type, is_required = _unwrap_non_null(of.of_type)
            complete = self._compile_value(row_type, inner, coordinate)
            fits = _find_fitting_types(row_type)
            return compile_list(complete, fits, coordinate, is_required=is_required, is_traced=self.is_traced)
        if isinstance(of, GraphQLEnumType):
            return compile_enum(of, self.supergraph_schema.type_map[of.name])
        if is_leaf_type(of):
            return compile_scalar(of.name, coordinate) if of.name in SCALARS else None
        if isinstance(of, GraphQLObjectType):
            return self._find_completer(of, of.name, inner)
        return self._compile_abstract(of, inner)

    def _compile_abstract(self, of: Any, inner: list[SelectionSetNode]) -> CompleteValue:
        """Compiles the selection for an object type when the first object of that type occurs."""
        by_name: dict[str, CompleteValue] = {}
        complete_untyped = self._compile_untyped(of, inner)

        def complete_abstract(source: Any, faults: Faults) -> Any:
            if type(source) is not dict:
                return complete_untyped(source, faults)
            name = source.get("__typename")
            if name is None:
                return complete_untyped(source, faults)
            complete = by_name.get(name) if type(name) is str else None
            if complete is None:
                if type(name) is not str:
                    return None
                named = self.schema.type_map.get(name)
                if not isinstance(named, GraphQLObjectType) or not self.schema.is_sub_type(of, named):
                    faults.note(f"Abstract type {of.name} was resolved to the unknown type {name}.")
                    return None
                complete = by_name[name] = self._find_completer(named, of.name, inner)
            return complete(source, faults)

        return complete_abstract

    def _compile_untyped(self, of: Any, inner: list[SelectionSetNode]) -> CompleteValue:
        """Completes an interface object (`@interfaceObject`) whose concrete type was not fetched.

        The plan fetches no type if the client asks the same of every type. If the selection does depend on the type,
        an object without one is null: the subgraph that knows the type did not answer.
        """
        field_nodes = [row for selection_set in inner for row in self._collect_fields(selection_set, of)]
        depends_on_type = any(self._depends_on_type(selection_set, of) for selection_set in inner)
        if depends_on_type or any(row.name.value == "__typename" for row in field_nodes):
            return lambda source, faults: None
        return self._find_completer(of, of.name, inner)

    def _depends_on_type(self, selection_set: SelectionSetNode, of: Any) -> bool:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode) or not self._is_included(selection):
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
            condition = fragment.type_condition
            if condition is not None and not self._applies(condition.name.value, of):
                return True
            if self._depends_on_type(fragment.selection_set, of):
                return True
        return False

    def _collect_fields(self, selection_set: SelectionSetNode, named: FieldsType) -> Iterator[FieldNode]:
        for selection in selection_set.selections:
            if not self._is_included(selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                if not self._is_included(fragment):
                    continue
            assert isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode)  # noqa: S101 - the kinds left
            condition = fragment.type_condition
            if condition is None or self._applies(condition.name.value, named):
                yield from self._collect_fields(fragment.selection_set, named)

    def _applies(self, condition: str, named: FieldsType) -> bool:
        wanted = self.schema.type_map[condition]
        return wanted is named or (is_abstract_type(wanted) and self.schema.is_sub_type(wanted, named))

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                value = directive.arguments[0].value
                truth = self.truths[value.name.value] if isinstance(value, VariableNode) else value.value
                if truth is not (directive.name.value == "include"):
                    return False
        return True


def _unwrap_non_null(of: GraphQLType) -> tuple[GraphQLType, bool]:
    return (of.of_type, True) if isinstance(of, GraphQLNonNull) else (of, False)


def _find_fitting_types(of: GraphQLType) -> frozenset[type]:
    return SCALARS.get(of.name, NO_TYPES) if is_leaf_type(of) else NO_TYPES
