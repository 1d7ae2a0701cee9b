"""Authorisation in the graph: `@authenticated`, `@requiresScopes`, `@policy`.

What the caller may not have is left out before planning and null in the answer, with one error for each place where
it was asked for. A field whose `@requires` names what is denied is denied too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from gateway.federation.supergraph import Rule, Supergraph

UNAUTHORIZED: Final = "UNAUTHORIZED_FIELD_OR_TYPE"
NOTHING_DENIED: Final[frozenset[str]] = frozenset()

MAX_ERRORS: Final = 100


@dataclass(frozen=True, slots=True)
class Claims:
    """Who asks: whether known at all, with which scopes, and which of the graph's policies hold for them."""

    authenticated: bool = False
    scopes: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()


ANONYMOUS: Final = Claims()


def denied_coordinates(supergraph: Supergraph, claims: Claims) -> frozenset[str]:
    """`Type.field` of every field that the caller may not have: by its own rule, its type's, or what it requires."""
    if not supergraph.rules:
        return NOTHING_DENIED
    refused = {coordinate for coordinate, rule in supergraph.rules.items() if not _holds(rule, claims)}
    if not refused:
        return NOTHING_DENIED
    denied = set(_by_rule(supergraph, refused))
    requiring = list(_requiring(supergraph))
    while True:
        further = {coordinate for coordinate, needs in requiring if not denied.isdisjoint(needs)} - denied
        if not further:
            return frozenset(denied)
        denied |= further


def _holds(rule: Rule, claims: Claims) -> bool:
    if rule.authenticated and not claims.authenticated:
        return False
    if rule.scopes and not any(needed <= claims.scopes for needed in rule.scopes):
        return False
    return not rule.policies or any(needed <= claims.policies for needed in rule.policies)


def _by_rule(supergraph: Supergraph, refused: set[str]) -> Iterator[str]:
    for type_name, named in supergraph.schema.type_map.items():
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field_name, field in named.fields.items():
            coordinate = f"{type_name}.{field_name}"
            if {coordinate, type_name, get_named_type(field.type).name} & refused:
                yield coordinate


def _requiring(supergraph: Supergraph) -> Iterator[tuple[str, set[str]]]:
    for subgraph in supergraph.subgraphs.values():
        for type_name, here in subgraph.types.items():
            for field_name, field in here.fields.items():
                if field.requires is not None:
                    yield f"{type_name}.{field_name}", set(_coordinates(supergraph, field.requires, type_name))


def _coordinates(supergraph: Supergraph, selection_set: SelectionSetNode, type_name: str) -> Iterator[str]:
    for selection in selection_set.selections:
        if isinstance(selection, InlineFragmentNode):
            narrowed = type_name if selection.type_condition is None else selection.type_condition.name.value
            yield from _coordinates(supergraph, selection.selection_set, narrowed)
        elif isinstance(selection, FieldNode):
            yield f"{type_name}.{selection.name.value}"
            inside = supergraph.field_type(type_name, selection.name.value)
            if selection.selection_set is not None and inside is not None:
                yield from _coordinates(supergraph, selection.selection_set, inside)


def refusals(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    denied: frozenset[str],
) -> list[dict[str, Any]]:
    """One error for each place in the operation that asks for what is denied; at most a hundred."""
    if not denied:
        return []
    places = _Places(supergraph, fragments, denied)
    root = supergraph.root_types[operation.operation.value]
    found: list[dict[str, Any]] = []
    for path in dict.fromkeys(places.of(operation.selection_set, root, ())):
        found.append({"message": "Not authorised.", "path": list(path), "extensions": {"code": UNAUTHORIZED}})
        if len(found) == MAX_ERRORS:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    supergraph: Supergraph
    fragments: Mapping[str, FragmentDefinitionNode]
    denied: frozenset[str]

    def of(self, selection_set: SelectionSetNode, type_name: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield from self._of_field(selection, type_name, path)
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
            condition = fragment.type_condition
            yield from self.of(fragment.selection_set, type_name if condition is None else condition.name.value, path)

    def _of_field(self, field_node: FieldNode, type_name: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        name = field_node.name.value
        here = (*path, (field_node.alias or field_node.name).value)
        if any(f"{owner}.{name}" in self.denied for owner in self._owners(type_name)):
            yield here
            return
        inside = self.supergraph.field_type(type_name, name)
        if field_node.selection_set is not None and inside is not None:
            yield from self.of(field_node.selection_set, inside, here)

    def _owners(self, type_name: str) -> Iterable[str]:
        return {type_name, *self.supergraph.possible_types(type_name)}
