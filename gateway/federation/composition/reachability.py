"""Finds where an object's fields can be resolved, given the subgraphs where a query has found the object.

The graph has a vertex for each type of each subgraph. A key is an edge: from a vertex that resolves the key's fields to
every vertex that accepts the key. An object that is found at one vertex can be asked at all vertices of its closure,
which are those that keys lead to:

# a: type User @key(fields: "id") { id name }     b: type User @key(fields: "id") { id posts }
# {(User, a)} → closure {(User, a), (User, b)} → `name` and `posts` can both be resolved
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.federation.supergraph import SubgraphField, Supergraph


class Vertex(NamedTuple):
    """A type in one subgraph. `type_name` is an interface where the subgraph has the object as an interface object."""

    type_name: str
    subgraph: str
    view: int = 0
    """The selection that a `@provides` on the way here adds, as a key of `Reachability._views`; 0 for none."""


Closures = frozenset[frozenset[Vertex]]
"""The closure of each vertex where an object may be found.

They stay apart: an object comes from one of the vertices, and all parts of a composite key must come from its
closure.
"""


class KeyGroup(NamedTuple):
    """A key with the vertices that accept it; the same field set in several subgraphs is one group."""

    selection: SelectionSetNode
    needs_type: bool
    """Whether the object's own type must be known. A subgraph with an interface object does not know it."""
    vertices: frozenset[Vertex]


@dataclass(slots=True)
class Reachability:
    """Computes closures and sources in one supergraph, and remembers them."""

    supergraph: Supergraph
    _closures: dict[tuple[str, Vertex], frozenset[Vertex]] = field(default_factory=dict)
    _groups: dict[str, list[KeyGroup]] = field(default_factory=dict)
    _roots: dict[str, frozenset[Vertex]] = field(default_factory=dict)
    _owners: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _views: dict[int, SelectionSetNode] = field(default_factory=dict)
    """Selections of `@provides` by `id()`, which compares faster than the selections themselves."""
    _active: set[tuple[str, str, str]] = field(default_factory=set)
    """(type, field, subgraph) whose `@requires` is being resolved: a field cannot require itself."""

    def find_roots(self, type_name: str) -> frozenset[Vertex]:
        """Returns the vertices of a root type: every subgraph that has it can be asked directly."""
        if type_name not in self._roots:
            subgraphs = self.supergraph.subgraphs_by_type.get(type_name, ())
            self._roots[type_name] = frozenset(Vertex(type_name, subgraph.name) for subgraph in subgraphs)
        return self._roots[type_name]

    def find_closures(self, type_name: str, starts: Iterable[Vertex]) -> Closures:
        """Returns the closures of the vertices, without any that is a part of another one."""
        closures = {self._find_closure(type_name, vertex) for vertex in starts}
        if len(closures) == 1:
            return frozenset(closures)
        return frozenset(vertices for vertices in closures if not any(vertices < other for other in closures))

    def _find_closure(self, type_name: str, vertex: Vertex) -> frozenset[Vertex]:
        """Returns the vertex and all vertices that keys lead to from it.

        A fixed point: each usable key adds vertices, whose fields may make another key usable.
        """
        if type_name == self.supergraph.root_types.get("query"):
            return frozenset((vertex,)) | self.find_roots(type_name)
        closure = self._closures.get((type_name, vertex))
        if closure is not None:
            return closure
        reached = frozenset((vertex,))
        # Resolving a nested key can come back to this vertex; it then sees the vertex alone and the recursion ends.
        self._closures[type_name, vertex] = reached
        left = list(self.list_key_groups(type_name))
        has_moved = True
        while has_moved:
            has_moved = False
            for group in list(left):
                if self._is_usable(type_name, reached, group):
                    left.remove(group)
                    reached, has_moved = reached | group.vertices, True
        self._closures[type_name, vertex] = reached
        return reached

    def _is_usable(self, type_name: str, reached: frozenset[Vertex], group: KeyGroup) -> bool:
        """Whether the reached vertices can resolve all fields of the key."""
        if group.needs_type and all(vertex.type_name != type_name for vertex in reached):
            return False
        return self.can_resolve(type_name, frozenset((reached,)), group.selection)

    def list_key_groups(self, type_name: str) -> list[KeyGroup]:
        """Returns the resolvable keys of the type and of its interfaces."""
        groups = self._groups.get(type_name)
        if groups is not None:
            return groups
        rows: dict[tuple[int, bool], tuple[SelectionSetNode, set[Vertex]]] = {}
        for name in (type_name, *self.supergraph.interfaces_of(type_name)):
            for subgraph in self.supergraph.subgraphs_by_type.get(name, ()):
                local = subgraph.types[name]
                for key in local.keys:
                    if not key.resolvable:
                        continue
                    # An interface's key leads to the object itself, the key of an interface object to the interface.
                    landing = name if name == type_name or local.is_interface_object else type_name
                    if landing in subgraph.types:
                        row = rows.setdefault((id(key.fields), name == type_name), (key.fields, set()))
                        row[1].add(Vertex(landing, subgraph.name))
        groups = [
            KeyGroup(selection, needs_type, frozenset(vertices))
            for (_, needs_type), (selection, vertices) in rows.items()
        ]
        self._groups[type_name] = groups
        return groups

    def can_resolve(self, type_name: str, closures: Closures, selection: SelectionSetNode) -> bool:
        """Whether every selected field of the object can be resolved."""
        for node in selection.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                is_possible = type_name in self.supergraph.possible_types(condition)
                if is_possible and not self.can_resolve(type_name, closures, node.selection_set):
                    return False
            elif isinstance(node, FieldNode) and not self._can_resolve_field(type_name, closures, node):
                return False
        return True

    def _can_resolve_field(self, type_name: str, closures: Closures, node: FieldNode) -> bool:
        name = node.name.value
        if name == "__typename":
            return True
        sources = self.find_sources(type_name, closures, name)
        if not sources or node.selection_set is None:
            return bool(sources)
        # A value of an abstract type must resolve the selection whichever of its types it has.
        declared = self.supergraph.field_type(type_name, name)
        for possible in self.supergraph.possible_types(declared) if declared else ():
            entries = self.find_entries(sources, name, possible)
            if entries and not self.can_resolve(possible, self.find_closures(possible, entries), node.selection_set):
                return False
        return True

    def find_sources(self, type_name: str, closures: Closures, name: str) -> list[tuple[Vertex, SubgraphField]]:
        """Returns the vertices that resolve the object's field, with the field as each subgraph has it."""
        owners = {
            local: self._find_owners(local, name) for local in (type_name, *self.supergraph.interfaces_of(type_name))
        }
        found: dict[Vertex, SubgraphField] = {}
        for vertices in closures:
            for vertex in self._select_vertices(vertices, owners):
                source = self._find_field(type_name, vertices, vertex, name)
                if source is not None:
                    found[vertex] = source
        return list(found.items())

    def _find_owners(self, type_name: str, name: str) -> frozenset[str]:
        """Returns the subgraphs that declare the field."""
        if (type_name, name) not in self._owners:
            self._owners[type_name, name] = frozenset(self.supergraph.subgraphs_by_field.get((type_name, name), ()))
        return self._owners[type_name, name]

    def _select_vertices(self, vertices: frozenset[Vertex], owners: Mapping[str, frozenset[str]]) -> list[Vertex]:
        """Returns the vertices whose subgraph has the field; `owners` are the subgraphs by type name.

        Walks the smaller of the two sets: with hundreds of subgraphs either can be large.
        """
        if sum(map(len, owners.values())) < len(vertices):
            views = (0, *self._views)
            possible = (
                Vertex(local, graph, view) for local, graphs in owners.items() for graph in graphs for view in views
            )
            return [vertex for vertex in possible if vertex in vertices]
        return [vertex for vertex in vertices if vertex.subgraph in owners.get(vertex.type_name, ())]

    def _find_field(
        self, type_name: str, vertices: frozenset[Vertex], vertex: Vertex, name: str
    ) -> SubgraphField | None:
        """Returns the field at the vertex; None if it is external or overridden, or its requirements cannot be met.

        A field that a `@provides` on the way here names is resolved even if it is external.
        """
        local = self.supergraph.subgraphs[vertex.subgraph].types[vertex.type_name].fields[name]
        is_provided = any(True for _ in self._find_provided(vertex, type_name, name))
        if is_provided:
            return local
        if (local.overridden and local.label is None) or local.external:
            return None
        if local.requires is not None and not self._can_require(type_name, vertices, vertex, name, local.requires):
            return None
        return local

    def _can_require(
        self, type_name: str, vertices: frozenset[Vertex], vertex: Vertex, name: str, requires: SelectionSetNode
    ) -> bool:
        """Whether the required fields can be resolved, and sent to the field's subgraph with a resolvable key."""
        local = self.supergraph.subgraphs[vertex.subgraph].types[vertex.type_name]
        active = (type_name, name, vertex.subgraph)
        if active in self._active or not any(key.resolvable for key in local.keys):
            return False
        self._active.add(active)
        try:
            return self.can_resolve(type_name, frozenset((vertices,)), requires)
        finally:
            self._active.discard(active)

    def _find_provided(self, vertex: Vertex, type_name: str, name: str) -> Iterator[FieldNode]:
        """Yields the nodes of a field in the `@provides` on the way to the vertex."""
        view = self._views.get(vertex.view)
        return self._find_selected(view, type_name, name) if view is not None else iter(())

    def _find_selected(self, selection: SelectionSetNode, type_name: str, name: str) -> Iterator[FieldNode]:
        for node in selection.selections:
            if isinstance(node, FieldNode) and node.name.value == name:
                yield node
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                if type_name in self.supergraph.possible_types(condition):
                    yield from self._find_selected(node.selection_set, type_name, name)

    def find_entries(
        self, sources: Iterable[tuple[Vertex, SubgraphField]], name: str, possible: str
    ) -> frozenset[Vertex]:
        """Returns the vertices where an object of the type `possible` is found after the sources resolve the field.

        A source that provides fields of the object adds a second vertex with this view.
        """
        entries: set[Vertex] = set()
        for vertex, source in sources:
            local = self._find_local_type(vertex.subgraph, source.named_type, possible)
            if local is None:
                continue
            entries.add(Vertex(local, vertex.subgraph))
            for selection in self._list_provided_selections(vertex, source, name):
                self._views[id(selection)] = selection
                entries.add(Vertex(local, vertex.subgraph, id(selection)))
        return frozenset(entries)

    def _list_provided_selections(self, vertex: Vertex, source: SubgraphField, name: str) -> Iterator[SelectionSetNode]:
        """Yields the selections on the field's objects that its own `@provides`, or one above it, adds."""
        if source.provides is not None:
            yield source.provides
        for node in self._find_provided(vertex, vertex.type_name, name):
            if node.selection_set is not None:
                yield node.selection_set

    def _find_local_type(self, subgraph: str, named_type: str, possible: str) -> str | None:
        """Returns the type that an object has in the subgraph; None if a field of `named_type` cannot return it there.

        # named_type Media, possible Book → Book; Media where it is an interface object; None where Book is missing
        """
        local = self.supergraph.type_in(subgraph, named_type)
        if local is None:
            return None
        if named_type == possible:
            return possible
        if local.is_interface_object:
            return named_type if possible in self.supergraph.possible_types(named_type) else None
        return possible if possible in local.possible_types else None
