"""The composed schema with, for each field, the subgraphs that resolve it.

Composition makes it from subgraphs' SDL, `join` reads it from a supergraph's; the planner asks it and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)


@dataclass(frozen=True, slots=True)
class Key:
    """A `@key` of a type in one subgraph; `resolvable` says whether `_entities` there takes it."""

    fields: SelectionSetNode
    resolvable: bool = True


class ContextArgument(NamedTuple):
    """An argument that a subgraph takes from a context, by a selection on what sets it; clients do not see it.

    Source: specs.apollo.dev/context.
    """

    context: str
    name: str
    type: str
    selection: str


@dataclass(slots=True)
class SubgraphField:
    """A field as one subgraph has it; `type` as it is printed there: `[Product!]!`."""

    type: str
    external: bool = False
    requires: SelectionSetNode | None = None
    provides: SelectionSetNode | None = None
    overridden: bool = False
    """Another subgraph has taken it over: asked from here only while `label` is not active."""
    label: str | None = None
    """The label of a progressive `@override`: on the new field it must be active, on the overridden one inactive."""
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def named_type(self) -> str:
        return self.type.strip("[]!")

    @property
    def needs_more(self) -> bool:
        """Whether its subgraph must be told more than which object it is."""
        return self.requires is not None or bool(self.contexts)


@dataclass(slots=True)
class SubgraphType:
    """An object, interface or union as one subgraph has it."""

    keys: list[Key] = field(default_factory=list)
    fields: dict[str, SubgraphField] = field(default_factory=dict)
    is_interface_object: bool = False
    possible_types: set[str] = field(default_factory=set)
    """The object types of this subgraph that implement the interface, or the union's members here."""


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A subgraph: its name, its URL, and its types by name."""

    name: str
    url: str
    types: dict[str, SubgraphType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may have a type or field; of `scopes` and `policies`, all of any one set."""

    authenticated: bool = False
    scopes: tuple[frozenset[str], ...] = ()
    policies: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Supergraph:
    """`schema` holds every element, `api_schema` what clients see: without what is `@inaccessible`."""

    subgraphs: Mapping[str, Subgraph]
    schema: GraphQLSchema
    api_schema: GraphQLSchema
    rules: Mapping[str, AccessRule] = field(default_factory=dict)
    """By coordinate: `Type` or `Type.field`."""
    contexts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By context: the types that have `@context` with its name."""

    @cached_property
    def context_setters(self) -> dict[str, frozenset[str]]:
        """The object types that set each context.

        None is set where a mutation or subscription starts: what is asked there is done.
        """
        acting = {name for kind, name in self.root_types.items() if kind != "query"}
        return {
            context: frozenset(possible for name in names for possible in self.possible_types(name)) - acting
            for context, names in self.contexts.items()
        }

    def type_in(self, subgraph: str, type_name: str) -> SubgraphType | None:
        return self.subgraphs[subgraph].types.get(type_name)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels of all progressive `@override`s."""
        types = (row for subgraph in self.subgraphs.values() for row in subgraph.types.values())
        return frozenset(found.label for row in types for found in row.fields.values() if found.label is not None)

    @cached_property
    def subgraphs_by_field(self) -> dict[tuple[str, str], list[str]]:
        """Subgraphs that have a field of a type, external ones included, by (type, field)."""
        found: dict[tuple[str, str], list[str]] = {}
        for subgraph in self.subgraphs.values():
            for type_name, type_here in subgraph.types.items():
                for field_name in type_here.fields:
                    found.setdefault((type_name, field_name), []).append(subgraph.name)
        return found

    @cached_property
    def subgraphs_by_type(self) -> dict[str, list[Subgraph]]:
        """Subgraphs that know a type."""
        found: dict[str, list[Subgraph]] = {}
        for subgraph in self.subgraphs.values():
            for type_name in subgraph.types:
                found.setdefault(type_name, []).append(subgraph)
        return found

    @cached_property
    def _possible(self) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(possible.name for possible in self.schema.get_possible_types(named))
            for name, named in self.schema.type_map.items()
            if is_abstract_type(named)
        }

    def possible_types(self, type_name: str) -> frozenset[str]:
        """Object types that a value of the type may have, in any subgraph."""
        return self._possible.get(type_name) or frozenset((type_name,))

    @cached_property
    def _subtypes(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {name: set(types) for name, types in self._possible.items()}
        for name, named in self.schema.type_map.items():
            if isinstance(named, GraphQLInterfaceType):
                for interface in named.interfaces:
                    found[interface.name].add(name)
        return {name: frozenset(types) for name, types in found.items()}

    def subtypes(self, type_name: str) -> frozenset[str]:
        """Objects and interfaces of which each value is one of the abstract type."""
        return self._subtypes.get(type_name, frozenset())

    def is_abstract(self, type_name: str) -> bool:
        return type_name in self._possible

    def interfaces_of(self, type_name: str) -> Iterable[str]:
        named = self.schema.type_map.get(type_name)
        return [interface.name for interface in named.interfaces] if isinstance(named, GraphQLObjectType) else []

    def field_type(self, type_name: str, field_name: str) -> str | None:
        """The named type that a field has in the supergraph; None for a field that it has not."""
        named = self.schema.type_map.get(type_name)
        found = getattr(named, "fields", {}).get(field_name)
        return None if found is None else get_named_type(found.type).name

    @property
    def root_types(self) -> dict[str, str]:
        """Names of the root types by operation: `query`, `mutation`, `subscription`."""
        roots = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }
        return {operation: root.name for operation, root in roots.items() if root is not None}
