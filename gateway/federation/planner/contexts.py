"""Adds the fields to an operation whose values become contextual arguments (`@context`, `@fromContext`).

The value comes from the nearest object above the field that sets the context; the field's own object does not count:
    # type User @context(name: "user"); Kid.grown(by: String @fromContext(field: "$user { name }"))
    # { users { kids { grown } } } → { users { kids { grown } name } }
Source: specs.apollo.dev/context.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from gateway.federation.fields import parse_fields
from gateway.federation.planner.graph import QueryGraph, TypeNames
from gateway.federation.planner.selection import Field, FieldConditions, Fragment, SelectionItem, merge_items
from gateway.federation.supergraph import ContextArgument

_NO_TYPES: Final[TypeNames] = frozenset()


class ContextSource(NamedTuple):
    """What is selected on the objects that set a context, `height` levels above the field's own object."""

    height: int
    items: tuple[Fragment, ...]


def find_sources(graph: QueryGraph, argument: ContextArgument, above: tuple[TypeNames, ...]) -> Iterator[ContextSource]:
    """Yields the places that an argument's value may come from, nearest first.

    `above` are the possible types of each object above the field's, from the root down.
    """
    setters = graph.supergraph.context_setters.get(argument.context, _NO_TYPES)
    for height, types in enumerate(reversed(above), start=1):
        setting = sorted(types & setters)
        if setting:
            yield ContextSource(height, tuple(_select_value(graph, argument, name) for name in setting))
        # If every possible type here sets the context, no object further up can be the source.
        if len(setting) == len(types):
            return


def _select_value(graph: QueryGraph, argument: ContextArgument, type_name: str) -> Fragment:
    items = graph.parse_items(parse_fields(argument.selection), type_name)
    return Fragment(type_name, graph.flatten(type_name, items))


@dataclass(frozen=True, slots=True)
class _Need:
    """An item that must be added to the object `height` levels above; 0 is the object itself."""

    height: int
    item: Fragment
    conditions: FieldConditions


@dataclass(slots=True)
class ContextSupplier:
    """Walks an operation down, collects what contextual arguments need, and adds it on the way up."""

    graph: QueryGraph
    _requiring: frozenset[tuple[str, str, str]] = frozenset()
    """The `@requires` fields that the walk is inside of (subgraph, type, name): they may require each other."""

    def add_context_values(self, items: tuple[SelectionItem, ...], root_type: str) -> tuple[SelectionItem, ...]:
        """Returns the operation's items, with those that context values are read from."""
        if not self.graph.supergraph.contexts:
            return items
        return self._supply_object(items, frozenset((root_type,)), ())[0]

    def _supply_object(
        self, items: Iterable[SelectionItem], types: TypeNames, above: tuple[TypeNames, ...]
    ) -> tuple[tuple[SelectionItem, ...], list[_Need]]:
        """Returns the object's items with those that it must supply, and the needs of objects further up."""
        supplied, needs = self._supply_items(items, types, above)
        own = [_apply_conditions(need) for need in needs if not need.height]
        return merge_items((*supplied, *own)) if own else supplied, [need for need in needs if need.height]

    def _supply_items(
        self, items: Iterable[SelectionItem], types: TypeNames, above: tuple[TypeNames, ...]
    ) -> tuple[tuple[SelectionItem, ...], list[_Need]]:
        supplied: list[SelectionItem] = []
        needs: list[_Need] = []
        for item in items:
            if isinstance(item, Fragment):
                narrowed = types & self.graph.supergraph.possible_types(item.type_name)
                inner, further = self._supply_items(item.selections, narrowed, above)
                supplied.append(Fragment(item.type_name, inner))
            else:
                field, further = self._supply_field(item, types, above)
                supplied.append(field)
            needs += further
        return tuple(supplied), needs

    def _supply_field(self, item: Field, types: TypeNames, above: tuple[TypeNames, ...]) -> tuple[Field, list[_Need]]:
        needs = [
            _Need(source.height, fragment, item.conditions)
            for argument in self._find_arguments(item, types)
            for source in find_sources(self.graph, argument, above)
            for fragment in source.items
        ]
        needs += self._find_needs_of_requirements(item, types, above)
        if not item.selections:
            return item, needs
        inside = frozenset(
            possible
            for type_name in types
            if (named := self.graph.supergraph.field_type(type_name, item.name)) is not None
            for possible in self.graph.supergraph.possible_types(named)
        )
        selections, further = self._supply_object(item.selections, inside, (*above, types))
        needs += [
            replace(need, height=need.height - 1, conditions=need.conditions | item.conditions) for need in further
        ]
        return item.narrow(selections), needs

    def _find_arguments(self, item: Field, types: TypeNames) -> Iterator[ContextArgument]:
        supergraph = self.graph.supergraph
        for type_name in types:
            for subgraph in supergraph.subgraphs_by_field.get((type_name, item.name), ()):
                yield from supergraph.subgraphs[subgraph].types[type_name].fields[item.name].contexts

    def _find_needs_of_requirements(
        self, item: Field, types: TypeNames, above: tuple[TypeNames, ...]
    ) -> Iterator[_Need]:
        """Yields the needs of fields that the client did not select, but a `@requires` of the item does."""
        supergraph = self.graph.supergraph
        for type_name in types:
            for subgraph in supergraph.subgraphs_by_field.get((type_name, item.name), ()):
                mark = (subgraph, type_name, item.name)
                requires = supergraph.subgraphs[subgraph].types[type_name].fields[item.name].requires
                if requires is None or mark in self._requiring:
                    continue
                inner = ContextSupplier(self.graph, self._requiring | {mark})
                required = self.graph.parse_items(requires, type_name)
                for need in inner._supply_items(required, frozenset((type_name,)), above)[1]:
                    yield replace(need, conditions=need.conditions | item.conditions)


def _apply_conditions(need: _Need) -> Fragment:
    fields = (replace(row, conditions=need.conditions) for row in need.item.selections if isinstance(row, Field))
    return Fragment(need.item.type_name, tuple(fields))
