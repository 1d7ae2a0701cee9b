"""Paths to a graph of fetches: what each subgraph is asked, for which objects, and after which answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import FieldNode

from gateway.federation.planner.contexts import Types, sources
from gateway.federation.planner.graph import Graph, Node
from gateway.federation.planner.paths import Move, Placed, Solution
from gateway.federation.planner.selection import (
    ALWAYS,
    Condition,
    Conditions,
    Field,
    Fragment,
    Item,
    apart_key,
    merged,
)

PathElement = str | frozenset[str]
"""A key to descend by, through lists too; or the object types that are followed further."""

Path = tuple[PathElement, ...]


def keys_of(path: Path) -> tuple[str, ...]:
    """The path without the types that narrow it."""
    return tuple(element for element in path if isinstance(element, str))


@dataclass(slots=True)
class Asked:
    """A field in a subgraph's selection, under our own response key."""

    name: str
    key: str
    arguments: str
    variables: frozenset[str]
    conditions: Conditions
    inside: "Selection | None"
    contexts: tuple[tuple[str, int], ...] = ()
    """Its contextual arguments: the name of each, and which of the group's contextual values it takes."""


@dataclass(slots=True)
class Selection:
    """What is asked of an object in one subgraph."""

    fields: dict[tuple[str, Conditions], Asked] = field(default_factory=dict)
    fragments: dict[str, "Selection"] = field(default_factory=dict)
    type_wanted: list[Conditions] = field(default_factory=list)
    """When the objects' type itself is asked for, not only as a part of the answer's form."""

    def ask(self, key: str, item: Field) -> "Selection":
        """The selection inside the field, which is asked for once."""
        place = (key, item.conditions)
        if place not in self.fields:
            inside = Selection() if item.selections else None
            self.fields[place] = Asked(item.name, key, item.arguments, item.variables, item.conditions, inside)
        return self.fields[place].inside or Selection()

    def ask_typename(self) -> None:
        self.ask("__typename", Field("__typename"))

    def on(self, type_name: str) -> "Selection":
        return self.fragments.setdefault(type_name, Selection())


@dataclass(frozen=True, slots=True)
class Representation:
    """How a part of a representation is read from an answer: the field's name, our key, and what stands inside.

    `of` names the object types that have it; None: all. What is not `nullable` identifies the object: without it
    nothing can be asked.
    """

    name: str
    key: str
    inside: "tuple[Representation, ...] | None" = None
    of: frozenset[str] | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class ContextualValue:
    """A value that a request takes from above its objects, by its GraphQL type there.

    `sources` says on which objects: how many keys lead to them from the root, and what to read; the first that has it.
    """

    type: str
    sources: tuple[tuple[int, tuple[Representation, ...]], ...]


@dataclass(slots=True, eq=False)
class Group:
    """One request's worth of selection: a root's, or of the objects at `path`."""

    subgraph: str
    operation: str
    path: Path
    type_name: str
    is_entity: bool
    representation: tuple[Representation, ...] = ()
    selection: Selection = field(default_factory=Selection)
    after: set["Group"] = field(default_factory=set)
    contexts: list[ContextualValue] = field(default_factory=list)
    only: Conditions = ALWAYS
    """When it is asked at all: the conditions of the fields that lead to its objects, which may be there for another
    selection's sake, and of the part of a mutation that it belongs to."""

    @property
    def conditions(self) -> Conditions:
        """Conditions that all that is asked shares."""
        found = _conditions(self.selection)
        return self.only | (frozenset.intersection(*found) if found else ALWAYS)


def _differ(one: Iterable[Representation], other: Iterable[Representation]) -> bool:
    """Whether one object cannot be represented both ways: a name would have to hold two values."""
    rows = list(other)
    return any(
        part.name == row.name
        and (part.of is None or row.of is None or not part.of.isdisjoint(row.of))
        and (part.key != row.key or _differ(part.inside or (), row.inside or ()))
        for part in one
        for row in rows
    )


def _written_by(parts: Iterable[Representation], above: Path) -> Iterator[Path]:
    for part in parts:
        yield (*above, part.key)
        yield from _written_by(part.inside or (), (*above, part.key))


def _waits_for(group: Group, other: Group) -> bool:
    return group is other or any(_waits_for(earlier, other) for earlier in group.after)


def _conditions(selection: Selection) -> list[frozenset[Condition]]:
    own = [asked.conditions for asked in selection.fields.values() if asked.name != "__typename"]
    own += selection.type_wanted
    return own + [found for inside in selection.fragments.values() for found in _conditions(inside)]


@dataclass(slots=True)
class Keys:
    """Response keys of an operation: the field's name, told apart where arguments or shapes differ."""

    graph: Graph
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def of(self, static: str, type_name: str, item_name: str, arguments: str, apart: str = "") -> str:
        """The key of a field of an object whose static type is `static` and whose own is `type_name`.

        Of an abstract type it is the key before it is told apart; its objects have it with their type behind it.
        """
        arguments = f"{arguments} {apart}"
        number = self._numbers.setdefault(item_name, {}).setdefault(arguments, len(self._numbers[item_name]))
        key = f"{item_name}__{number}" if number else item_name
        is_abstract = self.graph.supergraph.is_abstract(type_name)
        return f"{key}__{type_name}" if not is_abstract and self.graph.conflicts(static, item_name) else key

    def apart(self, type_name: str, field_node: FieldNode) -> str:
        return apart_key(self.graph.supergraph, type_name, field_node)


@dataclass(slots=True)
class Place:
    """Where a solution is written: a group's selection for the object at `path`."""

    group: Group
    selection: Selection
    path: Path
    static: str
    moves: dict[object, list[Group]]
    """The groups that ask other subgraphs about the same object."""
    levels: tuple[tuple[str, Types], ...]
    """The objects from the root to this one: the static type of each, and the types that it may have here."""
    only: Conditions = ALWAYS
    """Those of the fields that lead here."""

    def narrowed(self, type_name: str) -> "Place":
        """The same object where it is of the type."""
        types = frozenset((type_name,))
        levels = (*self.levels[:-1], (self.static, types))
        path, selection = (*self.path, types), self.selection.on(type_name)
        return replace(self, selection=selection, path=path, levels=levels)


@dataclass(slots=True)
class FetchGraph:
    """The groups of one operation, in the order in which they were made."""

    graph: Graph
    keys: Keys
    groups: list[Group] = field(default_factory=list)
    _written: dict[Path, set[Group]] = field(default_factory=dict)
    """Who asks for what, by the keys that lead there; kept where contexts may be taken from it."""

    def add_root(self, operation: str, root_type: str, solution: Solution, only: Conditions = ALWAYS) -> list[Group]:
        """The groups for a solved root selection: one for each subgraph that is asked, and what follows."""
        start = len(self.groups)
        for move in solution.moves:
            group = Group(move.node.subgraph, operation, (), root_type, is_entity=False)
            self.groups.append(group)
            levels = ((root_type, frozenset((root_type,))),)
            self._write(move.solution, Place(group, group.selection, (), root_type, {}, levels), move.node)
        added = self.groups[start:]
        for group in added:
            group.only |= only
            self._wait_for_contexts(group)
        return added

    def _write(self, solution: Solution, place: Place, node: Node) -> set[Group]:
        """Writes a solution into the place; gives every group that must have answered for it to be complete."""
        touched = {place.group}
        if self.graph.supergraph.is_abstract(place.static) and not self.graph.is_interface_object(node):
            place.selection.ask_typename()
        for placed in solution.fields:
            touched |= self._write_field(placed, place, node)
        for narrowed in solution.fragments:
            touched |= self._write(narrowed.solution, place.narrowed(narrowed.node.type_name), narrowed.node)
        for move in solution.moves:
            touched |= self._write_move(move, place, node)
        return touched

    def _write_field(self, placed: Placed, place: Place, node: Node) -> set[Group]:
        item = placed.field
        if item.name == "__typename":
            place.selection.ask_typename()
            place.selection.type_wanted.append(item.conditions)
            return set()
        key = self.keys.of(place.static, node.type_name, item.name, item.arguments, item.apart)
        inside = place.selection.ask(key, item)
        if self.graph.supergraph.contexts:
            self._written.setdefault((*keys_of(place.path), key), set()).add(place.group)
            self._take(place, place.selection.fields[key, item.conditions], node)
        if placed.inside is None or placed.node is None:
            return set()
        static = self.graph.supergraph.field_type(node.type_name, item.name) or placed.node.type_name
        levels = (*place.levels, (static, self.graph.supergraph.possible_types(static)))
        only = place.only | item.conditions
        inner = Place(place.group, inside, (*place.path, key), static, {}, levels, only)
        return self._write(placed.inside, inner, placed.node)

    def _write_move(self, move: Move, place: Place, node: Node) -> set[Group]:
        after = {place.group}
        for required in move.required:
            after |= self._write(required, place, node)
        if not place.selection.fields and not self.graph.is_interface_object(node):
            place.selection.ask_typename()
        names = {item.name for item in move.key if isinstance(item, Field)}
        items = merged((*move.key, *move.requirement))
        representation = tuple(
            replace(part, nullable=part.name not in names)
            for part in self._representation(items, place.static, node.type_name)
        )
        types = place.path[-1] if place.path and isinstance(place.path[-1], frozenset) else None
        signature = (move.node, types, representation if move.alone else None)
        groups = place.moves.setdefault(signature, [])
        group = next((row for row in groups if not _differ(row.representation, representation)), None)
        if group is None:
            about, is_entity = move.node, bool(move.key)
            group = Group(about.subgraph, "query", place.path, about.type_name, is_entity, only=place.only)
            groups.append(group)
            self.groups.append(group)
        group.representation = tuple(dict.fromkeys((*group.representation, *representation)))
        group.after |= after - {group}
        inner = replace(place, group=group, selection=group.selection, moves={})
        return after | {group} | self._write(move.solution, inner, move.node)

    def _take(self, place: Place, asked: Asked, node: Node) -> None:
        """Gives the field its contextual arguments."""
        here = self.graph.resolvable(node, asked.name)
        above = place.levels[:-1]
        contexts = place.group.contexts
        for argument in here.contexts if here is not None and not asked.contexts else ():
            found = []
            for source in sources(self.graph, argument, tuple(types for _, types in above)):
                depth = len(above) - source.height
                static = above[depth][0]
                found.append((depth, tuple(self._representation(source.items, static, static))))
            value = ContextualValue(argument.type, tuple(found))
            if value not in contexts:
                contexts.append(value)
            asked.contexts += ((argument.name, contexts.index(value)),)

    def _wait_for_contexts(self, group: Group) -> None:
        """What is taken from a context must have been answered."""
        keys = keys_of(group.path)
        for value in group.contexts:
            for depth, parts in value.sources:
                for written in _written_by(parts, keys[:depth]):
                    group.after |= {row for row in self._written.get(written, ()) if not _waits_for(row, group)}

    def _representation(
        self, items: Iterable[Item], static: str, type_name: str, of: frozenset[str] | None = None
    ) -> Iterator[Representation]:
        supergraph = self.graph.supergraph
        for item in items:
            if isinstance(item, Fragment):
                possible = supergraph.possible_types(item.type_name)
                yield from self._representation(item.selections, static, item.type_name, possible)
                continue
            key = self.keys.of(static, type_name, item.name, item.arguments, item.apart)
            inside: Any = None
            if item.selections:
                named = supergraph.field_type(type_name, item.name) or type_name
                inside = tuple(self._representation(item.selections, named, named))
                if supergraph.is_abstract(named):
                    inside = (Representation("__typename", "__typename"), *inside)
            yield Representation(item.name, key, inside, of)
