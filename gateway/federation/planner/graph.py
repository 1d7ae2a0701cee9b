"""The supergraph as nodes (a type in a subgraph) and edges (a field, a key): what can be asked where."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from graphql import SelectionSetNode

from gateway.federation.planner.selection import Field, Fragment, Item, Normaliser, merged
from gateway.federation.supergraph import SubgraphField, Supergraph

NO_LABELS: Final[frozenset[str]] = frozenset()


class Node(NamedTuple):
    """A type in a subgraph; `provided` is what `@provides` on the way here has made available besides."""

    subgraph: str
    type_name: str
    provided: tuple[Item, ...] = ()


@dataclass
class Graph:
    """A supergraph with the override labels that are active for the operation."""

    supergraph: Supergraph
    labels: frozenset[str] = NO_LABELS
    asked_labels: set[str] = field(default_factory=set)
    """Those that made a difference: with the others active or not, the plan is the same."""
    _conflicts: dict[tuple[str, str], bool] = field(default_factory=dict)
    _parsed: dict[Any, tuple[Item, ...]] = field(default_factory=dict)

    def is_interface_object(self, node: Node) -> bool:
        here = self.supergraph.type_in(node.subgraph, node.type_name)
        return here is not None and here.is_interface_object

    def is_abstract(self, node: Node) -> bool:
        """Whether values at the node are of several object types that the subgraph itself tells apart."""
        return self.supergraph.is_abstract(node.type_name) and not self.is_interface_object(node)

    def possible_types(self, node: Node) -> list[str]:
        """The object types that the subgraph can return at an abstract node."""
        here = self.supergraph.type_in(node.subgraph, node.type_name)
        known = self.supergraph.subgraphs[node.subgraph].types
        # A supergraph may claim that a type implements the interface in a subgraph that has no such type.
        return [] if here is None else sorted(name for name in here.possible_types if name in known)

    def resolvable(self, node: Node, name: str) -> SubgraphField | None:
        """The field, where the subgraph resolves it at this node."""
        here = self.supergraph.type_in(node.subgraph, node.type_name)
        found = None if here is None else here.fields.get(name)
        if found is None or not self._is_active(found):
            return None
        is_key = self.is_key_field(node.subgraph, node.type_name, name)
        return None if found.external and not is_key and self._provides(node, name) is None else found

    def _is_active(self, found: SubgraphField) -> bool:
        if found.label is None:
            return not found.overridden
        self.asked_labels.add(found.label)
        return (found.label in self.labels) != found.overridden

    def child(self, node: Node, found: SubgraphField, name: str) -> Node:
        """The node that the field leads to."""
        inherited = self._provides(node, name) or ()
        own = () if found.provides is None else self.parsed(found.provides, found.named_type)
        return Node(node.subgraph, found.named_type, inherited + own)

    def _provides(self, node: Node, name: str) -> tuple[Item, ...] | None:
        if not node.provided:
            return None
        provided = [item for item in self.flat(node.type_name, node.provided) if item.name == name]
        return tuple(selection for item in provided for selection in item.selections) if provided else None

    def is_key_field(self, subgraph: str, type_name: str, name: str) -> bool:
        """Whether a key has the field, of the type or around it."""
        return (subgraph, type_name, name) in self._key_fields

    @cached_property
    def _key_fields(self) -> set[tuple[str, str, str]]:
        found: set[tuple[str, str, str]] = set()
        for subgraph in self.supergraph.subgraphs.values():
            for type_name, here in subgraph.types.items():
                for key in here.keys:
                    self._note(subgraph.name, type_name, self.parsed(key.fields, type_name), found)
        return found

    def _note(self, subgraph: str, type_name: str, items: tuple[Item, ...], found: set[tuple[str, str, str]]) -> None:
        for item in items:
            if isinstance(item, Fragment):
                self._note(subgraph, item.type_name, item.selections, found)
                continue
            found.add((subgraph, type_name, item.name))
            named = self.supergraph.field_type(type_name, item.name)
            if item.selections and named is not None:
                self._note(subgraph, named, item.selections, found)

    def parsed(self, fields: SelectionSetNode, type_name: str) -> tuple[Item, ...]:
        """The items of a `fields` argument, the same objects each time."""
        key = (id(fields), type_name)
        if key not in self._parsed:
            self._parsed[key] = Normaliser(self.supergraph).items(fields, type_name)
        return self._parsed[key]

    def flat(self, type_name: str, items: tuple[Item, ...]) -> tuple[Field, ...]:
        """The fields that the items ask of an object of this very type."""
        found = tuple(self._flat(type_name, items))
        return found if len(found) < 2 else tuple(item for item in merged(found) if isinstance(item, Field))

    def _flat(self, type_name: str, items: tuple[Item, ...]) -> Iterator[Field]:
        for item in items:
            if isinstance(item, Field):
                yield item
            elif type_name in self.supergraph.possible_types(item.type_name):
                yield from self._flat(type_name, item.selections)

    def conflicts(self, static: str, name: str) -> bool:
        """Whether the field has several types in an abstract type and its object types, so that GraphQL refuses to
        have it, or what stands inside it, under one response key."""
        if not self.supergraph.is_abstract(static):
            return False
        key = (static, name)
        if key not in self._conflicts:
            self._conflicts[key] = len(set(self._shapes(static, name))) > 1
        return self._conflicts[key]

    def _shapes(self, static: str, name: str) -> Iterator[str]:
        for type_name in (static, *self.supergraph.possible_types(static)):
            for subgraph in self.supergraph.subgraphs_by_field.get((type_name, name), ()):
                here = self.supergraph.type_in(subgraph, type_name)
                if here is not None:
                    yield here.fields[name].type
