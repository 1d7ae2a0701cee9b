"""Nulls where none may be: which of them would take along what a `@requires` names inside an object.

A field is fetched once for all who ask for it. Where a subgraph fails at something inside that is never null, the
object around it is null for all: what is required there is then asked for apart, under a key of its own.
Source: GraphQL specification, Handling Execution Errors.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from gateway.federation.planner.graph import Graph
from gateway.federation.planner.selection import Field, Fragment, Item
from gateway.federation.supergraph import SubgraphField

Types = frozenset[str]
"""The object types that are looked at."""

Inside = dict[tuple[str, str, str], list[tuple[Item, ...]]]
"""What is asked inside a field, by its object's type, its name and its arguments."""


@dataclass
class Nulls:
    """Of one operation: its `items`, asked of `root_type`."""

    graph: Graph
    items: tuple[Item, ...]
    root_type: str
    _kept: dict[object, tuple[Item, ...]] = field(default_factory=dict)

    def kept(self, requirement: tuple[Item, ...], type_name: str, key: Iterable[Item]) -> tuple[Item, ...]:
        """The requirement with what could be lost asked for apart, the same objects each time.

        What stands in the `key` too is not: one representation has it, and whose key is lost is not asked about.
        """
        names = frozenset(item.name for item in key if isinstance(item, Field))
        known = (requirement, type_name, names)
        if known not in self._kept:
            types = self.graph.supergraph.possible_types(type_name)
            self._kept[known] = tuple(self._apart(requirement, types, names))
        return self._kept[known]

    def _apart(self, requirement: Iterable[Item], types: Types, names: frozenset[str]) -> Iterator[Item]:
        for item in requirement:
            if isinstance(item, Fragment):
                narrowed = types & self.graph.supergraph.possible_types(item.type_name)
                yield Fragment(item.type_name, tuple(self._apart(item.selections, narrowed, names)))
            elif item.name not in names and any(self._may_be_lost(item, type_name) for type_name in types):
                yield replace(item, apart=_text(item.selections))
            else:
                yield item

    def _may_be_lost(self, item: Field, type_name: str) -> bool:
        others = self._asked.get((type_name, item.name, item.arguments), ()) if item.selections else ()
        types, near = self._inside(type_name, item.name), self._owners(type_name, item.name)
        return any(self._takes_along(other, item.selections, types, near) for other in others)

    def _takes_along(
        self, asked: tuple[Item, ...], required: tuple[Item, ...], types: Types, near: frozenset[str]
    ) -> bool:
        """Whether what is asked besides may null an object in which something is required.

        It may where the same request asks for both: of the subgraphs that are `near`, or that have something required.
        """
        for type_name in types:
            own = {(row.name, row.arguments): row for row in self.graph.flat(type_name, required)}
            nearer = near.union(*(self._owners(type_name, row.name) for row in own.values()))
            for item in self.graph.flat(type_name, asked):
                same = own.get((item.name, item.arguments))
                if same is None:
                    if self._is_never_null(type_name, item.name, nearer):
                        return True
                elif item.selections:
                    inside = self._inside(type_name, item.name)
                    if self._takes_along(item.selections, same.selections, inside, nearer):
                        return True
        return False

    def _is_never_null(self, type_name: str, name: str, near: frozenset[str]) -> bool:
        """A key is not counted: who cannot tell it does not have the object."""
        return any(
            subgraph in near and here.type.endswith("!") and not self.graph.is_key_field(subgraph, type_name, name)
            for subgraph, here in self._fields(type_name, name)
        )

    def _owners(self, type_name: str, name: str) -> frozenset[str]:
        return frozenset(subgraph for subgraph, _ in self._fields(type_name, name))

    def _fields(self, type_name: str, name: str) -> Iterator[tuple[str, SubgraphField]]:
        """The field in each subgraph, as the type's own or of an interface that stands for it."""
        supergraph = self.graph.supergraph
        for known_as in (type_name, *supergraph.interfaces_of(type_name)):
            for subgraph in supergraph.subgraphs_by_field.get((known_as, name), ()):
                yield subgraph, supergraph.subgraphs[subgraph].types[known_as].fields[name]

    def _inside(self, type_name: str, name: str) -> Types:
        named = self.graph.supergraph.field_type(type_name, name)
        return frozenset() if named is None else self.graph.supergraph.possible_types(named)

    @cached_property
    def _asked(self) -> Inside:
        """By the client, and by whatever its fields require."""
        found: Inside = {}
        noted: set[object] = set()
        waiting: list[tuple[tuple[Item, ...], Types]] = [(self.items, frozenset((self.root_type,)))]
        while waiting:
            items, types = waiting.pop()
            for item in items:
                if isinstance(item, Fragment):
                    waiting.append((item.selections, types & self.graph.supergraph.possible_types(item.type_name)))
                    continue
                inside: set[str] = set()
                for type_name in types:
                    if item.selections:
                        found.setdefault((type_name, item.name, item.arguments), []).append(item.selections)
                        inside |= self._inside(type_name, item.name)
                    for _, here in self._fields(type_name, item.name):
                        if here.requires is not None and (id(here.requires), type_name) not in noted:
                            noted.add((id(here.requires), type_name))
                            waiting.append((self.graph.parsed(here.requires, type_name), frozenset((type_name,))))
                if item.selections:
                    waiting.append((item.selections, frozenset(inside)))
        return found


def _text(items: Iterable[Item]) -> str:
    """Two requirements for the same have one text."""
    return f"{{ {' '.join(sorted(_item(item) for item in items))} }}"


def _item(item: Item) -> str:
    name = f"... on {item.type_name}" if isinstance(item, Fragment) else f"{item.name}({item.arguments})"
    return f"{name} {_text(item.selections)}" if item.selections else name
