"""Contextual arguments: what is asked of the objects above a field, so that its subgraph can be told.

A context is taken from the nearest object above that sets it; the object's own type does not count.
Source: specs.apollo.dev/context.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from gateway.federation.fields import parse_fields
from gateway.federation.planner.graph import Graph
from gateway.federation.planner.selection import Conditions, Field, Fragment, Item, merged
from gateway.federation.supergraph import ContextArgument

Types = frozenset[str]
"""The types that an object may have at a place of the operation."""

_NOBODY: Final[Types] = frozenset()


class Source(NamedTuple):
    """What is selected on objects that set a context, so many levels above the field."""

    height: int
    items: tuple[Fragment, ...]


def sources(graph: Graph, argument: ContextArgument, above: tuple[Types, ...]) -> Iterator[Source]:
    """Where a field's argument may come from, nearest first; `above` are the objects over it, from the root."""
    setters = graph.supergraph.context_setters.get(argument.context, _NOBODY)
    for height, types in enumerate(reversed(above), start=1):
        setting = sorted(types & setters)
        if setting:
            yield Source(height, tuple(_selected(graph, argument, name) for name in setting))
        if len(setting) == len(types):
            return


def _selected(graph: Graph, argument: ContextArgument, type_name: str) -> Fragment:
    items = graph.parsed(parse_fields(argument.selection), type_name)
    return Fragment(type_name, graph.flat(type_name, items))


@dataclass(frozen=True, slots=True)
class _Need:
    """Something that must be asked of the object so many levels above."""

    height: int
    item: Fragment
    conditions: Conditions


@dataclass(slots=True)
class Supplier:
    """Adds to an operation what its contextual arguments need."""

    graph: Graph
    _requiring: frozenset[tuple[str, str, str]] = frozenset()

    def supplied(self, items: tuple[Item, ...], root_type: str) -> tuple[Item, ...]:
        """The operation's items with those that contexts are taken from."""
        if not self.graph.supergraph.contexts:
            return items
        return self._object(items, frozenset((root_type,)), ())[0]

    def _object(
        self, items: Iterable[Item], types: Types, above: tuple[Types, ...]
    ) -> tuple[tuple[Item, ...], list[_Need]]:
        """The items of an object with what is needed of it, and what is needed of those above."""
        made, needs = self._within(items, types, above)
        own = [_conditioned(need) for need in needs if not need.height]
        return merged((*made, *own)) if own else made, [need for need in needs if need.height]

    def _within(
        self, items: Iterable[Item], types: Types, above: tuple[Types, ...]
    ) -> tuple[tuple[Item, ...], list[_Need]]:
        made: list[Item] = []
        needs: list[_Need] = []
        for item in items:
            if isinstance(item, Fragment):
                narrowed = types & self.graph.supergraph.possible_types(item.type_name)
                inner, found = self._within(item.selections, narrowed, above)
                made.append(Fragment(item.type_name, inner))
            else:
                supplied, found = self._field(item, types, above)
                made.append(supplied)
            needs += found
        return tuple(made), needs

    def _field(self, item: Field, types: Types, above: tuple[Types, ...]) -> tuple[Field, list[_Need]]:
        needs = [
            _Need(source.height, fragment, item.conditions)
            for argument in self._arguments(item, types)
            for source in sources(self.graph, argument, above)
            for fragment in source.items
        ]
        needs += self._of_requirements(item, types, above)
        if not item.selections:
            return item, needs
        inside = frozenset(
            possible
            for type_name in types
            if (named := self.graph.supergraph.field_type(type_name, item.name)) is not None
            for possible in self.graph.supergraph.possible_types(named)
        )
        selections, further = self._object(item.selections, inside, (*above, types))
        needs += [
            replace(need, height=need.height - 1, conditions=need.conditions | item.conditions) for need in further
        ]
        return item.narrowed(selections), needs

    def _arguments(self, item: Field, types: Types) -> Iterator[ContextArgument]:
        supergraph = self.graph.supergraph
        for type_name in types:
            for subgraph in supergraph.subgraphs_by_field.get((type_name, item.name), ()):
                yield from supergraph.subgraphs[subgraph].types[type_name].fields[item.name].contexts

    def _of_requirements(self, item: Field, types: Types, above: tuple[Types, ...]) -> Iterator[_Need]:
        """What is needed for the contextual arguments of fields that `@requires` names."""
        supergraph = self.graph.supergraph
        for type_name in types:
            for subgraph in supergraph.subgraphs_by_field.get((type_name, item.name), ()):
                mark = (subgraph, type_name, item.name)
                requires = supergraph.subgraphs[subgraph].types[type_name].fields[item.name].requires
                if requires is None or mark in self._requiring:
                    continue
                inner = Supplier(self.graph, self._requiring | {mark})
                required = self.graph.parsed(requires, type_name)
                for need in inner._within(required, frozenset((type_name,)), above)[1]:
                    yield replace(need, conditions=need.conditions | item.conditions)


def _conditioned(need: _Need) -> Fragment:
    fields = (replace(row, conditions=need.conditions) for row in need.item.selections if isinstance(row, Field))
    return Fragment(need.item.type_name, tuple(fields))
