"""Finds requirements that a null elsewhere in the operation could destroy, and keeps them separate.

A field is fetched once for everyone who selects it: the client and every `@requires`. If a subgraph fails at a
non-null field inside it, GraphQL nulls the object around it, and with it the part that a `@requires` needs:
    # client:  { product { dim { weight } } }     Dim.weight: Int!, which fails → dim is null
    # @requires(fields: "dim { size }") on Product.shipping: loses `size`, although only `weight` failed
Then the requirement is fetched again under a response key of its own (Field.variant).
Source: GraphQL specification, Handling Execution Errors.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from gateway.federation.planner.graph import QueryGraph, TypeNames
from gateway.federation.planner.selection import Field, Fragment, SelectionItem
from gateway.federation.supergraph import SubgraphField

SelectionsByField = dict[tuple[str, str, str], list[tuple[SelectionItem, ...]]]
"""The selections inside a field, by the field's object type, name and arguments."""


@dataclass
class NullPropagation:
    """Decides for one operation (`items` on `root_type`) which requirements must be fetched separately."""

    graph: QueryGraph
    items: tuple[SelectionItem, ...]
    root_type: str
    _requirements: dict[object, tuple[SelectionItem, ...]] = field(default_factory=dict)

    def protect(
        self, requirement: tuple[SelectionItem, ...], type_name: str, key: Iterable[SelectionItem]
    ) -> tuple[SelectionItem, ...]:
        """Returns the requirement with a variant on each field that could be lost; the same objects each time.

        Fields of the `key` get no variant: a representation holds each field once, and an object whose key is null
        is not fetched.
        """
        names = frozenset(item.name for item in key if isinstance(item, Field))
        known = (requirement, type_name, names)
        if known not in self._requirements:
            types = self.graph.supergraph.possible_types(type_name)
            self._requirements[known] = tuple(self._separate(requirement, types, names))
        return self._requirements[known]

    def _separate(
        self, requirement: Iterable[SelectionItem], types: TypeNames, names: frozenset[str]
    ) -> Iterator[SelectionItem]:
        for item in requirement:
            if isinstance(item, Fragment):
                narrowed = types & self.graph.supergraph.possible_types(item.type_name)
                yield Fragment(item.type_name, tuple(self._separate(item.selections, narrowed, names)))
            elif item.name not in names and any(self._may_be_lost(item, type_name) for type_name in types):
                yield replace(item, variant=_print_items(item.selections))
            else:
                yield item

    def _may_be_lost(self, item: Field, type_name: str) -> bool:
        others = self._selections.get((type_name, item.name, item.arguments), ()) if item.selections else ()
        types, owners = self._find_inner_types(type_name, item.name), self._find_owners(type_name, item.name)
        return any(self._may_null(other, item.selections, types, owners) for other in others)

    def _may_null(
        self,
        selected: tuple[SelectionItem, ...],
        required: tuple[SelectionItem, ...],
        types: TypeNames,
        owners: frozenset[str],
    ) -> bool:
        """Whether a failure among the `selected` fields may null an object that holds something `required`.

        Only fields of one request share their nulls. A request to any of the `owners` may have both: the subgraphs
        that resolve the object, or one of the required fields.
        """
        for type_name in types:
            own = {(row.name, row.arguments): row for row in self.graph.flatten(type_name, required)}
            all_owners = owners.union(*(self._find_owners(type_name, row.name) for row in own.values()))
            for item in self.graph.flatten(type_name, selected):
                same = own.get((item.name, item.arguments))
                if same is None:
                    if self._is_non_null(type_name, item.name, all_owners):
                        return True
                elif item.selections:
                    inside = self._find_inner_types(type_name, item.name)
                    if self._may_null(item.selections, same.selections, inside, all_owners):
                        return True
        return False

    def _is_non_null(self, type_name: str, name: str, owners: frozenset[str]) -> bool:
        """Whether an owner declares the field as non-null. Keys do not count: a subgraph that cannot give an object's
        key does not have the object."""
        return any(
            subgraph in owners and here.type.endswith("!") and not self.graph.is_key_field(subgraph, type_name, name)
            for subgraph, here in self._find_fields(type_name, name)
        )

    def _find_owners(self, type_name: str, name: str) -> frozenset[str]:
        return frozenset(subgraph for subgraph, _ in self._find_fields(type_name, name))

    def _find_fields(self, type_name: str, name: str) -> Iterator[tuple[str, SubgraphField]]:
        """Yields the field in each subgraph: on the type itself, or on an interface object that stands for it."""
        supergraph = self.graph.supergraph
        for known_as in (type_name, *supergraph.interfaces_of(type_name)):
            for subgraph in supergraph.subgraphs_by_field.get((known_as, name), ()):
                yield subgraph, supergraph.subgraphs[subgraph].types[known_as].fields[name]

    def _find_inner_types(self, type_name: str, name: str) -> TypeNames:
        named = self.graph.supergraph.field_type(type_name, name)
        return frozenset() if named is None else self.graph.supergraph.possible_types(named)

    @cached_property
    def _selections(self) -> SelectionsByField:
        """What the client selects, and what the `@requires` of those fields select, and so on."""
        found: SelectionsByField = {}
        seen: set[object] = set()
        waiting: list[tuple[tuple[SelectionItem, ...], TypeNames]] = [(self.items, frozenset((self.root_type,)))]
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
                        inside |= self._find_inner_types(type_name, item.name)
                    for _, here in self._find_fields(type_name, item.name):
                        if here.requires is not None and (id(here.requires), type_name) not in seen:
                            seen.add((id(here.requires), type_name))
                            waiting.append((self.graph.parse_items(here.requires, type_name), frozenset((type_name,))))
                if item.selections:
                    waiting.append((item.selections, frozenset(inside)))
        return found


def _print_items(items: Iterable[SelectionItem]) -> str:
    """Returns the items as text, sorted: equal requirements share one variant, and so one fetch."""
    return f"{{ {' '.join(sorted(_print_item(item) for item in items))} }}"


def _print_item(item: SelectionItem) -> str:
    name = f"... on {item.type_name}" if isinstance(item, Fragment) else f"{item.name}({item.arguments})"
    return f"{name} {_print_items(item.selections)}" if item.selections else name
