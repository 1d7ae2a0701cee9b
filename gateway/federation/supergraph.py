"""The supergraph's model: the composed schema and, for each field, the subgraphs that resolve it.

Composition builds it from subgraphs' SDL; `join` reads it from a supergraph's SDL. The planner works on this
model alone.
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
    """A `@key` of a type in one subgraph; only a `resolvable` one is accepted by its `_entities` field."""

    fields: SelectionSetNode
    resolvable: bool = True


class ContextArgument(NamedTuple):
    """An argument that a subgraph takes from a context; clients do not see it.

    `selection` is applied to the object that sets the context and gives the argument's value.

    Source: specs.apollo.dev/context.
    """

    context: str
    name: str
    type: str
    selection: str


@dataclass(slots=True)
class SubgraphField:
    """A field in one subgraph; `type` is written as there: `[Product!]!`."""

    type: str
    external: bool = False
    requires: SelectionSetNode | None = None
    provides: SelectionSetNode | None = None
    overridden: bool = False
    """Whether another subgraph has taken over the field: this one resolves it only while `label` is inactive."""
    label: str | None = None
    """The label of a progressive `@override`: on the new field it must be active, on the overridden one inactive."""
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def named_type(self) -> str:
        return self.type.strip("[]!")

    @property
    def needs_more(self) -> bool:
        """Whether its subgraph needs more than the object's key to resolve it."""
        return self.requires is not None or bool(self.contexts)


@dataclass(slots=True)
class SubgraphType:
    """An object, interface or union in one subgraph."""

    keys: list[Key] = field(default_factory=list)
    fields: dict[str, SubgraphField] = field(default_factory=dict)
    is_interface_object: bool = False
    possible_types: set[str] = field(default_factory=set)
    """Names of the interface's object types, or the union's members, in this subgraph."""


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A subgraph: its name, its URL, and its types by name."""

    name: str
    url: str
    types: dict[str, SubgraphType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may read a type or field. The caller needs every scope of one set in `scopes`, and likewise for policies."""

    authenticated: bool = False
    scopes: tuple[frozenset[str], ...] = ()
    policies: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Supergraph:
    """A supergraph. `schema` has every element; `api_schema` leaves out `@inaccessible` ones, as clients see it."""

    subgraphs: Mapping[str, Subgraph]
    schema: GraphQLSchema
    api_schema: GraphQLSchema
    rules: Mapping[str, AccessRule] = field(default_factory=dict)
    """By coordinate: `Type` or `Type.field`."""
    contexts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Types that have `@context`, by the context's name."""

    @cached_property
    def context_setters(self) -> dict[str, frozenset[str]]:
        """The object types that set each context, by the context's name.

        Without the roots of mutations and subscriptions: fields selected there would be executed as actions.
        """
        acting = {name for kind, name in self.root_types.items() if kind != "query"}
        return {
            context: frozenset(possible for name in names for possible in self.possible_types(name)) - acting
            for context, names in self.contexts.items()
        }

    def type_in(self, subgraph: str, type_name: str) -> SubgraphType | None:
        """Returns the type in a subgraph; None where the subgraph does not have it."""
        return self.subgraphs[subgraph].types.get(type_name)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels of all progressive `@override`s."""
        types = (local for subgraph in self.subgraphs.values() for local in subgraph.types.values())
        return frozenset(row.label for local in types for row in local.fields.values() if row.label is not None)

    @cached_property
    def subgraphs_by_field(self) -> dict[tuple[str, str], list[str]]:
        """Names of the subgraphs that declare a field, also as external, by (type, field)."""
        subgraphs: dict[tuple[str, str], list[str]] = {}
        for subgraph in self.subgraphs.values():
            for type_name, local in subgraph.types.items():
                for field_name in local.fields:
                    subgraphs.setdefault((type_name, field_name), []).append(subgraph.name)
        return subgraphs

    @cached_property
    def subgraphs_by_type(self) -> dict[str, list[Subgraph]]:
        """Subgraphs that have a type, by the type's name."""
        subgraphs: dict[str, list[Subgraph]] = {}
        for subgraph in self.subgraphs.values():
            for type_name in subgraph.types:
                subgraphs.setdefault(type_name, []).append(subgraph)
        return subgraphs

    @cached_property
    def _possible(self) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(possible.name for possible in self.schema.get_possible_types(named))
            for name, named in self.schema.type_map.items()
            if is_abstract_type(named)
        }

    def possible_types(self, type_name: str) -> frozenset[str]:
        """Returns the object types that a value of the type may have, in any subgraph."""
        return self._possible.get(type_name) or frozenset((type_name,))

    @cached_property
    def _subtypes(self) -> dict[str, frozenset[str]]:
        subtypes: dict[str, set[str]] = {name: set(types) for name, types in self._possible.items()}
        for name, named in self.schema.type_map.items():
            if isinstance(named, GraphQLInterfaceType):
                for interface in named.interfaces:
                    subtypes[interface.name].add(name)
        return {name: frozenset(types) for name, types in subtypes.items()}

    def subtypes(self, type_name: str) -> frozenset[str]:
        """Returns the objects and interfaces that implement an interface, or the members of a union."""
        return self._subtypes.get(type_name, frozenset())

    def is_abstract(self, type_name: str) -> bool:
        return type_name in self._possible

    def interfaces_of(self, type_name: str) -> Iterable[str]:
        """Returns the interfaces that an object type implements; an empty list for other types."""
        named = self.schema.type_map.get(type_name)
        return [interface.name for interface in named.interfaces] if isinstance(named, GraphQLObjectType) else []

    def field_type(self, type_name: str, field_name: str) -> str | None:
        """Returns the name of a field's type, without lists and non-null marks; None for an unknown field."""
        named = self.schema.type_map.get(type_name)
        field = getattr(named, "fields", {}).get(field_name)
        return None if field is None else get_named_type(field.type).name

    @property
    def root_types(self) -> dict[str, str]:
        """Names of the existing root types by operation: `query`, `mutation`, `subscription`."""
        roots = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }
        return {operation: root.name for operation, root in roots.items() if root is not None}
