"""Turns solutions into fetch groups: what each subgraph is asked, for which objects, and after which answers.

A group is one request's worth of selection. A move (solution.py) becomes a group of its own, which waits for the
groups that supply its key:
    # { me { name orders { id } } }
    # group 0: users, root: { me { name id } }        `id` is added for the move
    # group 1: orders, at me, after 0: representation { id }, selection { orders { id } }
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import FieldNode

from gateway.federation.planner.contexts import find_sources
from gateway.federation.planner.graph import Node, QueryGraph, TypeNames
from gateway.federation.planner.selection import (
    ALWAYS,
    Condition,
    Field,
    FieldConditions,
    Fragment,
    SelectionItem,
    make_variant,
    merge_items,
)
from gateway.federation.planner.solution import Move, Solution, SolvedField

PathElement = str | frozenset[str]
"""A response key to descend by, through lists too; or object types: only objects of these are followed further."""

Path = tuple[PathElement, ...]


def strip_types(path: Path) -> tuple[str, ...]:
    """Returns the response keys of a path, without the types that narrow it."""
    return tuple(element for element in path if isinstance(element, str))


@dataclass(slots=True)
class SelectedField:
    """A field in a request, under a response key of the plan."""

    name: str
    key: str
    arguments: str
    variables: frozenset[str]
    conditions: FieldConditions
    inside: "FetchSelection | None"
    contexts: tuple[tuple[str, int], ...] = ()
    """Its contextual arguments: each name, with the position of its value in the group's `contexts`."""


@dataclass(slots=True)
class FetchSelection:
    """The selection set of one object in a request."""

    fields: dict[tuple[str, FieldConditions], SelectedField] = field(default_factory=dict)
    fragments: dict[str, "FetchSelection"] = field(default_factory=dict)
    typename_conditions: list[FieldConditions] = field(default_factory=list)
    """The conditions of each `__typename` that the client or a requirement selects.

    One that the plan adds does not count: it is no reason to send a request whose other fields are all excluded.
    """

    def add_field(self, key: str, item: Field) -> "FetchSelection":
        """Adds a field, if it is not there yet, and returns the selection inside it."""
        position = (key, item.conditions)
        if position not in self.fields:
            inside = FetchSelection() if item.selections else None
            self.fields[position] = SelectedField(
                item.name, key, item.arguments, item.variables, item.conditions, inside
            )
        return self.fields[position].inside or FetchSelection()

    def add_typename(self) -> None:
        self.add_field("__typename", Field("__typename"))

    def narrow(self, type_name: str) -> "FetchSelection":
        """Returns the selection inside the fragment on the type."""
        return self.fragments.setdefault(type_name, FetchSelection())


@dataclass(frozen=True, slots=True)
class RepresentationField:
    """How one field of a representation is read from the merged data.

    `name` is the field's name, `key` its response key in the data, `inside` the fields of its object. `of` are the
    object types that have the field; None: all. If a field that is not `nullable` (a key field) is null, the object
    cannot be identified and is not fetched.
    """

    name: str
    key: str
    inside: "tuple[RepresentationField, ...] | None" = None
    of: frozenset[str] | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class ContextualValue:
    """A value for a contextual argument. `type` is the argument's GraphQL type.

    `sources` say where it is read, the nearest object first: the number of response keys from the root to that
    object, and the fields to read there.
    """

    type: str
    sources: tuple[tuple[int, tuple[RepresentationField, ...]], ...]


@dataclass(slots=True, eq=False)
class FetchGroup:
    """One request's worth of selection: on a root type, or on the entities at `path`."""

    subgraph: str
    operation: str
    path: Path
    type_name: str
    is_entity: bool
    representation: tuple[RepresentationField, ...] = ()
    selection: FetchSelection = field(default_factory=FetchSelection)
    after: set["FetchGroup"] = field(default_factory=set)
    contexts: list[ContextualValue] = field(default_factory=list)
    only_if: FieldConditions = ALWAYS
    """The conditions of the fields that lead to the objects (which may be in the data because of other fields), and
    of the mutation's part."""

    @property
    def conditions(self) -> FieldConditions:
        """The conditions that everything in the request shares: if they do not hold, it need not be sent."""
        found = _collect_conditions(self.selection)
        return self.only_if | (frozenset.intersection(*found) if found else ALWAYS)


def _are_incompatible(one: Iterable[RepresentationField], other: Iterable[RepresentationField]) -> bool:
    """Whether one representation cannot hold both: a field would need two values (it is read from two keys)."""
    rows = list(other)
    return any(
        part.name == row.name
        and (part.of is None or row.of is None or not part.of.isdisjoint(row.of))
        and (part.key != row.key or _are_incompatible(part.inside or (), row.inside or ()))
        for part in one
        for row in rows
    )


def _list_paths(parts: Iterable[RepresentationField], above: Path) -> Iterator[Path]:
    for part in parts:
        yield (*above, part.key)
        yield from _list_paths(part.inside or (), (*above, part.key))


def _waits_for(group: FetchGroup, other: FetchGroup) -> bool:
    return group is other or any(_waits_for(earlier, other) for earlier in group.after)


def _collect_conditions(selection: FetchSelection) -> list[frozenset[Condition]]:
    own = [selected.conditions for selected in selection.fields.values() if selected.name != "__typename"]
    own += selection.typename_conditions
    return own + [found for inside in selection.fragments.values() for found in _collect_conditions(inside)]


@dataclass(slots=True)
class ResponseKeys:
    """Chooses the plan's response keys: the field's name, with a suffix where arguments, variants or types differ.

    # comments(limit: 1) → `comments`, comments(limit: 3) → `comments__1`; Box.size of another type → `size__Box`
    All fetches of one operation merge into one tree of data, so a key must mean the same everywhere.
    """

    graph: QueryGraph
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def make_key(self, static_type: str, type_name: str, field_name: str, arguments: str, variant: str = "") -> str:
        """Returns the key of a field on an object of `type_name`, reached by a field of type `static_type`.

        For an abstract `type_name` the key has no type suffix; the data of its objects may have one.
        """
        arguments = f"{arguments} {variant}"
        number = self._numbers.setdefault(field_name, {}).setdefault(arguments, len(self._numbers[field_name]))
        key = f"{field_name}__{number}" if number else field_name
        is_abstract = self.graph.supergraph.is_abstract(type_name)
        if not is_abstract and self.graph.has_conflicting_types(static_type, field_name):
            return f"{key}__{type_name}"
        return key

    def make_variant(self, type_name: str, field_node: FieldNode) -> str:
        return make_variant(self.graph.supergraph, type_name, field_node)


@dataclass(slots=True)
class WritePoint:
    """Where a solution is written: into a group's selection, for the objects at `path`."""

    group: FetchGroup
    selection: FetchSelection
    path: Path
    static_type: str
    moves: dict[object, list[FetchGroup]]
    """The groups that fetch the same objects from other subgraphs, so that a second move there can join one."""
    levels: tuple[tuple[str, TypeNames], ...]
    """The objects from the root to this one: each one's static type, and the types that it may have here."""
    only_if: FieldConditions = ALWAYS
    """The conditions of the fields that lead here."""

    def narrow(self, type_name: str) -> "WritePoint":
        """Returns the point for the objects that are of the type."""
        types = frozenset((type_name,))
        levels = (*self.levels[:-1], (self.static_type, types))
        path, selection = (*self.path, types), self.selection.narrow(type_name)
        return replace(self, selection=selection, path=path, levels=levels)


@dataclass(slots=True)
class FetchGraph:
    """The groups of one operation, in the order in which they were made; `after` links them to a graph."""

    graph: QueryGraph
    keys: ResponseKeys
    groups: list[FetchGroup] = field(default_factory=list)
    _writers: dict[Path, set[FetchGroup]] = field(default_factory=dict)
    """The groups that fetch each path (response keys only). Filled only if the supergraph has contexts."""

    def add_root(
        self, operation: str, root_type: str, solution: Solution, only_if: FieldConditions = ALWAYS
    ) -> list[FetchGroup]:
        """Adds the groups of a solved root selection, and returns them: one per root request, and all that follow."""
        start = len(self.groups)
        for move in solution.moves:
            group = FetchGroup(move.node.subgraph, operation, (), root_type, is_entity=False)
            self.groups.append(group)
            levels = ((root_type, frozenset((root_type,))),)
            self._write(move.solution, WritePoint(group, group.selection, (), root_type, {}, levels), move.node)
        added = self.groups[start:]
        for group in added:
            group.only_if |= only_if
            self._wait_for_contexts(group)
        return added

    def _write(self, solution: Solution, point: WritePoint, node: Node) -> set[FetchGroup]:
        """Writes a solution, and returns every group that must have answered before its data are complete."""
        touched = {point.group}
        if self.graph.supergraph.is_abstract(point.static_type) and not self.graph.is_interface_object(node):
            # The executor needs the type to choose the fields of a fragment.
            point.selection.add_typename()
        for solved in solution.fields:
            touched |= self._write_field(solved, point, node)
        for narrowed in solution.fragments:
            touched |= self._write(narrowed.solution, point.narrow(narrowed.node.type_name), narrowed.node)
        for move in solution.moves:
            touched |= self._write_move(move, point, node)
        return touched

    def _write_field(self, solved: SolvedField, point: WritePoint, node: Node) -> set[FetchGroup]:
        item = solved.field
        if item.name == "__typename":
            point.selection.add_typename()
            point.selection.typename_conditions.append(item.conditions)
            return set()
        key = self.keys.make_key(point.static_type, node.type_name, item.name, item.arguments, item.variant)
        inside = point.selection.add_field(key, item)
        if self.graph.supergraph.contexts:
            self._writers.setdefault((*strip_types(point.path), key), set()).add(point.group)
            self._add_contextual_arguments(point, point.selection.fields[key, item.conditions], node)
        if solved.inside is None or solved.node is None:
            return set()
        static_type = self.graph.supergraph.field_type(node.type_name, item.name) or solved.node.type_name
        levels = (*point.levels, (static_type, self.graph.supergraph.possible_types(static_type)))
        only_if = point.only_if | item.conditions
        inner = WritePoint(point.group, inside, (*point.path, key), static_type, {}, levels, only_if)
        return self._write(solved.inside, inner, solved.node)

    def _write_move(self, move: Move, point: WritePoint, node: Node) -> set[FetchGroup]:
        # {a @requires(b)} → `required` writes the fetch of b first; the group for a then waits for all of `after`.
        after = {point.group}
        for required in move.required:
            after |= self._write(required, point, node)
        if not point.selection.fields and not self.graph.is_interface_object(node):
            point.selection.add_typename()
        key_names = {item.name for item in move.key if isinstance(item, Field)}
        items = merge_items((*move.key, *move.requirement))
        representation = tuple(
            replace(part, nullable=part.name not in key_names)
            for part in self._build_representation(items, point.static_type, node.type_name)
        )
        types = point.path[-1] if point.path and isinstance(point.path[-1], frozenset) else None
        signature = (move.node, types, representation if move.alone else None)
        groups = point.moves.setdefault(signature, [])
        group = next((row for row in groups if not _are_incompatible(row.representation, representation)), None)
        if group is None:
            target, is_entity = move.node, bool(move.key)
            group = FetchGroup(target.subgraph, "query", point.path, target.type_name, is_entity, only_if=point.only_if)
            groups.append(group)
            self.groups.append(group)
        group.representation = tuple(dict.fromkeys((*group.representation, *representation)))
        group.after |= after - {group}
        inner = replace(point, group=group, selection=group.selection, moves={})
        return after | {group} | self._write(move.solution, inner, move.node)

    def _add_contextual_arguments(self, point: WritePoint, selected: SelectedField, node: Node) -> None:
        here = self.graph.find_field(node, selected.name)
        above = point.levels[:-1]
        contexts = point.group.contexts
        for argument in here.contexts if here is not None and not selected.contexts else ():
            sources = []
            for source in find_sources(self.graph, argument, tuple(types for _, types in above)):
                depth = len(above) - source.height
                static_type = above[depth][0]
                sources.append((depth, tuple(self._build_representation(source.items, static_type, static_type))))
            value = ContextualValue(argument.type, tuple(sources))
            if value not in contexts:
                contexts.append(value)
            selected.contexts += ((argument.name, contexts.index(value)),)

    def _wait_for_contexts(self, group: FetchGroup) -> None:
        """Makes the group wait for the groups that fetch its context values."""
        keys = strip_types(group.path)
        for value in group.contexts:
            for depth, parts in value.sources:
                for path in _list_paths(parts, keys[:depth]):
                    # A group that waits for this one cannot be waited for.
                    group.after |= {row for row in self._writers.get(path, ()) if not _waits_for(row, group)}

    def _build_representation(
        self, items: Iterable[SelectionItem], static_type: str, type_name: str, of: frozenset[str] | None = None
    ) -> Iterator[RepresentationField]:
        supergraph = self.graph.supergraph
        for item in items:
            if isinstance(item, Fragment):
                possible = supergraph.possible_types(item.type_name)
                yield from self._build_representation(item.selections, static_type, item.type_name, possible)
                continue
            key = self.keys.make_key(static_type, type_name, item.name, item.arguments, item.variant)
            inside: Any = None
            if item.selections:
                named = supergraph.field_type(type_name, item.name) or type_name
                inside = tuple(self._build_representation(item.selections, named, named))
                if supergraph.is_abstract(named):
                    inside = (RepresentationField("__typename", "__typename"), *inside)
            yield RepresentationField(item.name, key, inside, of)
