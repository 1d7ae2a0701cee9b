"""The supergraph as a graph: a node is a type in a subgraph, an edge is a field or a key.

    # type User in "users" and in "orders", joined by @key(fields: "id"):
    # (users, User) ── name ──▶ leaf          (users, User) ── key id ──▶ (orders, User) ── orders ──▶ (orders, Order)
The graph is not stored: its edges are read from the Supergraph when the solver (paths.py) asks for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from graphql import SelectionSetNode

from gateway.federation.planner.selection import Field, Fragment, Normaliser, SelectionItem, merge_items
from gateway.federation.supergraph import SubgraphField, Supergraph

TypeNames = frozenset[str]
"""Names of object types."""

NO_LABELS: Final[frozenset[str]] = frozenset()


class Node(NamedTuple):
    """A type in a subgraph. `provided` are the items that a `@provides` on the way here makes available as well."""

    subgraph: str
    type_name: str
    provided: tuple[SelectionItem, ...] = ()


@dataclass
class QueryGraph:
    """The graph of one supergraph, for one set of active override labels."""

    supergraph: Supergraph
    labels: frozenset[str] = NO_LABELS
    used_labels: set[str] = field(default_factory=set)
    """The labels that planning has read. The plan does not depend on the others, so the cache ignores them."""
    _conflicts: dict[tuple[str, str], bool] = field(default_factory=dict)
    _items: dict[Any, tuple[SelectionItem, ...]] = field(default_factory=dict)

    def is_interface_object(self, node: Node) -> bool:
        here = self.supergraph.type_in(node.subgraph, node.type_name)
        return here is not None and here.is_interface_object

    def is_abstract(self, node: Node) -> bool:
        """Whether the subgraph itself returns several object types at the node.

        An interface object (`@interfaceObject`) is abstract in the supergraph, but its subgraph knows one type only.
        """
        return self.supergraph.is_abstract(node.type_name) and not self.is_interface_object(node)

    def find_possible_types(self, node: Node) -> list[str]:
        """Returns the object types that the subgraph can return at an abstract node, sorted."""
        here = self.supergraph.type_in(node.subgraph, node.type_name)
        known = self.supergraph.subgraphs[node.subgraph].types
        # A supergraph's SDL may claim that a type implements the interface in a subgraph without that type.
        return [] if here is None else sorted(name for name in here.possible_types if name in known)

    def find_field(self, node: Node, name: str) -> SubgraphField | None:
        """Returns the field if the subgraph can resolve it at this node.

        An `@external` field is resolvable only if it is part of a key, or if a `@provides` on the way promises it.
        """
        here = self.supergraph.type_in(node.subgraph, node.type_name)
        found = None if here is None else here.fields.get(name)
        if found is None or not self._is_active(found):
            return None
        is_key = self.is_key_field(node.subgraph, node.type_name, name)
        return None if found.external and not is_key and self._find_provided(node, name) is None else found

    def _is_active(self, found: SubgraphField) -> bool:
        """Whether `@override` leaves the field to this subgraph. A label swaps the old owner and the new one."""
        if found.label is None:
            return not found.overridden
        self.used_labels.add(found.label)
        return (found.label in self.labels) != found.overridden

    def find_child(self, node: Node, found: SubgraphField, name: str) -> Node:
        """Returns the node that the field leads to, with everything that is provided there."""
        inherited = self._find_provided(node, name) or ()
        own = () if found.provides is None else self.parse_items(found.provides, found.named_type)
        return Node(node.subgraph, found.named_type, inherited + own)

    def _find_provided(self, node: Node, name: str) -> tuple[SelectionItem, ...] | None:
        """Returns the items provided inside the field; None if the field itself is not provided."""
        if not node.provided:
            return None
        provided = [item for item in self.flatten(node.type_name, node.provided) if item.name == name]
        return tuple(selection for item in provided for selection in item.selections) if provided else None

    def is_key_field(self, subgraph: str, type_name: str, name: str) -> bool:
        """Whether the field is part of any key in the subgraph: of its own type, or nested in another type's key."""
        return (subgraph, type_name, name) in self._key_fields

    @cached_property
    def _key_fields(self) -> set[tuple[str, str, str]]:
        found: set[tuple[str, str, str]] = set()
        for subgraph in self.supergraph.subgraphs.values():
            for type_name, here in subgraph.types.items():
                for key in here.keys:
                    self._add_key_fields(subgraph.name, type_name, self.parse_items(key.fields, type_name), found)
        return found

    def _add_key_fields(
        self, subgraph: str, type_name: str, items: tuple[SelectionItem, ...], found: set[tuple[str, str, str]]
    ) -> None:
        for item in items:
            if isinstance(item, Fragment):
                self._add_key_fields(subgraph, item.type_name, item.selections, found)
                continue
            found.add((subgraph, type_name, item.name))
            named = self.supergraph.field_type(type_name, item.name)
            if item.selections and named is not None:
                self._add_key_fields(subgraph, named, item.selections, found)

    def parse_items(self, fields: SelectionSetNode, type_name: str) -> tuple[SelectionItem, ...]:
        """Returns the items of a directive's `fields` argument; the same objects each time, as caches need."""
        key = (id(fields), type_name)
        if key not in self._items:
            self._items[key] = Normaliser(self.supergraph).normalise(fields, type_name)
        return self._items[key]

    def flatten(self, type_name: str, items: tuple[SelectionItem, ...]) -> tuple[Field, ...]:
        """Returns the fields that the items select on an object of exactly this type; fragments are resolved."""
        found = tuple(self._flatten(type_name, items))
        return found if len(found) < 2 else tuple(item for item in merge_items(found) if isinstance(item, Field))

    def _flatten(self, type_name: str, items: tuple[SelectionItem, ...]) -> Iterator[Field]:
        for item in items:
            if isinstance(item, Field):
                yield item
            elif type_name in self.supergraph.possible_types(item.type_name):
                yield from self._flatten(type_name, item.selections)

    def has_conflicting_types(self, static_type: str, name: str) -> bool:
        """Whether the field's type differs between an abstract type and its object types, in any subgraph.

        GraphQL refuses such fields under one response key (FieldsInSetCanMerge), so the plan must alias them:
        # Box.size: Int!, Bag.size: Int → { item { ... on Box { size__Box: size } ... on Bag { size__Bag: size } } }
        """
        if not self.supergraph.is_abstract(static_type):
            return False
        key = (static_type, name)
        if key not in self._conflicts:
            self._conflicts[key] = len(set(self._find_types(static_type, name))) > 1
        return self._conflicts[key]

    def _find_types(self, static_type: str, name: str) -> Iterator[str]:
        for type_name in (static_type, *self.supergraph.possible_types(static_type)):
            for subgraph in self.supergraph.subgraphs_by_field.get((type_name, name), ()):
                here = self.supergraph.type_in(subgraph, type_name)
                if here is not None:
                    yield here.fields[name].type
