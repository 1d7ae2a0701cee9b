"""Where the fields of an object can be asked for, given where the object has been found."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.federation.supergraph import SubgraphField, Supergraph

Views = frozenset[SelectionSetNode]


class Vertex(NamedTuple):
    """An object in one subgraph; `type_name` differs from the object's where it is an interface object there."""

    type_name: str
    subgraph: str
    view: int = 0
    """Of what a `@provides` promises on the way here; 0 for nothing."""


Closures = frozenset[frozenset[Vertex]]
"""Places that lead to each other, by where the object was found: a key's parts must all be had from one of them."""


class KeyGroup(NamedTuple):
    """All places that one key, as it is written, leads to."""

    selection: SelectionSetNode
    needs_type: bool
    """Whether the object's own type must be known, as it is not in an interface object."""
    places: frozenset[Vertex]


@dataclass(slots=True)
class Reachability:
    """Answers by type and place; every answer is kept."""

    supergraph: Supergraph
    _closed: dict[tuple[str, Vertex], frozenset[Vertex]] = field(default_factory=dict)
    _groups: dict[str, list[KeyGroup]] = field(default_factory=dict)
    _roots: dict[str, frozenset[Vertex]] = field(default_factory=dict)
    _graphs: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _views: dict[int, SelectionSetNode] = field(default_factory=dict)
    _active: set[tuple[str, str, str]] = field(default_factory=set)

    def find_roots(self, type_name: str) -> frozenset[Vertex]:
        if type_name not in self._roots:
            knowing = self.supergraph.subgraphs_by_type.get(type_name, ())
            self._roots[type_name] = frozenset(Vertex(type_name, subgraph.name) for subgraph in knowing)
        return self._roots[type_name]

    def find_closures(self, type_name: str, found: Iterable[Vertex]) -> Closures:
        """Where an object can be asked that was found at these places, without what is told by another of them."""
        closed = {self._find_closure(type_name, place) for place in found}
        if len(closed) == 1:
            return frozenset(closed)
        return frozenset(places for places in closed if not any(places < other for other in closed))

    def _find_closure(self, type_name: str, place: Vertex) -> frozenset[Vertex]:
        """The place, and those that keys lead to from there."""
        if type_name == self.supergraph.root_types.get("query"):
            return frozenset((place,)) | self.find_roots(type_name)
        closed = self._closed.get((type_name, place))
        if closed is not None:
            return closed
        reached = frozenset((place,))
        self._closed[type_name, place] = reached  # What a key on the way to itself may count on.
        left = list(self.list_key_groups(type_name))
        has_moved = True
        while has_moved:
            has_moved = False
            for group in list(left):
                if self._is_usable(type_name, reached, group):
                    left.remove(group)
                    reached, has_moved = reached | group.places, True
        self._closed[type_name, place] = reached
        return reached

    def _is_usable(self, type_name: str, reached: frozenset[Vertex], group: KeyGroup) -> bool:
        if group.needs_type and all(place.type_name != type_name for place in reached):
            return False
        return self.can_resolve(type_name, frozenset((reached,)), group.selection)

    def list_key_groups(self, type_name: str) -> list[KeyGroup]:
        known = self._groups.get(type_name)
        if known is not None:
            return known
        found: dict[tuple[int, bool], tuple[SelectionSetNode, set[Vertex]]] = {}
        for name in (type_name, *self.supergraph.interfaces_of(type_name)):
            for subgraph in self.supergraph.subgraphs_by_type.get(name, ()):
                here = subgraph.types[name]
                for key in here.keys:
                    if not key.resolvable:
                        continue
                    landing = name if name == type_name or here.is_interface_object else type_name
                    if landing in subgraph.types:
                        row = found.setdefault((id(key.fields), name == type_name), (key.fields, set()))
                        row[1].add(Vertex(landing, subgraph.name))
        groups = [
            KeyGroup(selection, needs_type, frozenset(places)) for (_, needs_type), (selection, places) in found.items()
        ]
        self._groups[type_name] = groups
        return groups

    def can_resolve(self, type_name: str, known: Closures, selection: SelectionSetNode) -> bool:
        """Whether everything selected can be had of the object."""
        for node in selection.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else type_name
                is_possible = type_name in self.supergraph.possible_types(condition)
                if is_possible and not self.can_resolve(type_name, known, node.selection_set):
                    return False
            elif isinstance(node, FieldNode) and not self._can_resolve_field(type_name, known, node):
                return False
        return True

    def _can_resolve_field(self, type_name: str, known: Closures, node: FieldNode) -> bool:
        name = node.name.value
        if name == "__typename":
            return True
        sources = self.find_sources(type_name, known, name)
        if not sources or node.selection_set is None:
            return bool(sources)
        declared = self.supergraph.field_type(type_name, name)
        for possible in self.supergraph.possible_types(declared) if declared else ():
            found = self.find_entries(sources, name, possible)
            if found and not self.can_resolve(possible, self.find_closures(possible, found), node.selection_set):
                return False
        return True

    def find_sources(self, type_name: str, known: Closures, name: str) -> list[tuple[Vertex, SubgraphField]]:
        """Places where the object's field can be asked for."""
        having = {
            local: self._find_owners(local, name) for local in (type_name, *self.supergraph.interfaces_of(type_name))
        }
        found: dict[Vertex, SubgraphField] = {}
        for places in known:
            for place in self._select_vertices(places, having):
                source = self._find_field(type_name, places, place, name)
                if source is not None:
                    found[place] = source
        return list(found.items())

    def _find_owners(self, type_name: str, name: str) -> frozenset[str]:
        """Subgraphs that have the field."""
        if (type_name, name) not in self._graphs:
            self._graphs[type_name, name] = frozenset(self.supergraph.subgraphs_by_field.get((type_name, name), ()))
        return self._graphs[type_name, name]

    def _select_vertices(self, places: frozenset[Vertex], having: Mapping[str, frozenset[str]]) -> list[Vertex]:
        """Those whose subgraph has the field, by whichever are fewer: with hundreds of subgraphs, both can be many."""
        if sum(map(len, having.values())) < len(places):
            views = (0, *self._views)
            possible = (
                Vertex(local, graph, view) for local, graphs in having.items() for graph in graphs for view in views
            )
            return [place for place in possible if place in places]
        return [place for place in places if place.subgraph in having.get(place.type_name, ())]

    def _find_field(self, type_name: str, places: frozenset[Vertex], place: Vertex, name: str) -> SubgraphField | None:
        here = self.supergraph.subgraphs[place.subgraph].types[place.type_name]
        found = here.fields[name]
        promised = any(True for _ in self._find_provided(place, type_name, name))
        if promised:
            return found
        if (found.overridden and found.label is None) or found.external:
            return None
        if found.requires is not None and not self._can_require(type_name, places, place, name, found.requires):
            return None
        return found

    def _can_require(
        self, type_name: str, places: frozenset[Vertex], place: Vertex, name: str, requires: SelectionSetNode
    ) -> bool:
        """Whether what a field requires can be had, and be brought to its subgraph by a key."""
        here = self.supergraph.subgraphs[place.subgraph].types[place.type_name]
        active = (type_name, name, place.subgraph)
        if active in self._active or not any(key.resolvable for key in here.keys):
            return False
        self._active.add(active)
        try:
            return self.can_resolve(type_name, frozenset((places,)), requires)
        finally:
            self._active.discard(active)

    def _find_provided(self, place: Vertex, type_name: str, name: str) -> Iterator[FieldNode]:
        view = self._views.get(place.view)
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
        """Where an object of the possible type may come from when the sources answer the field."""
        found: set[Vertex] = set()
        for place, source in sources:
            local = self._find_local_type(place.subgraph, source.named_type, possible)
            if local is None:
                continue
            found.add(Vertex(local, place.subgraph))
            for selection in self._list_provided_selections(place, source, name):
                self._views[id(selection)] = selection
                found.add(Vertex(local, place.subgraph, id(selection)))
        return frozenset(found)

    def _list_provided_selections(self, place: Vertex, source: SubgraphField, name: str) -> Iterator[SelectionSetNode]:
        if source.provides is not None:
            yield source.provides
        for node in self._find_provided(place, place.type_name, name):
            if node.selection_set is not None:
                yield node.selection_set

    def _find_local_type(self, subgraph: str, named_type: str, possible: str) -> str | None:
        here = self.supergraph.type_in(subgraph, named_type)
        if here is None:
            return None
        if named_type == possible:
            return possible
        if here.is_interface_object:
            return named_type if possible in self.supergraph.possible_types(named_type) else None
        return possible if possible in here.possible_types else None
