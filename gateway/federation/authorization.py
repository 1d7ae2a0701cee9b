"""Decides which fields a caller may read: `@authenticated`, `@requiresScopes` and `@policy`.

The planner skips denied fields, so no subgraph is asked for them. The answer has null in their place and one error for
each path. A field is denied too if its `@requires` or `@fromContext` selects a denied field: otherwise its value would
leak what it was computed from.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from gateway.federation.fields import parse_fields
from gateway.federation.supergraph import AccessRule, Supergraph

UNAUTHORIZED: Final = "UNAUTHORIZED_FIELD_OR_TYPE"
NOTHING_DENIED: Final[frozenset[str]] = frozenset()
MAX_ERRORS: Final = 100
"""Errors for denied fields in one answer."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the caller has proven: a valid token, scopes, and the policies of the graph that they meet."""

    authenticated: bool = False
    scopes: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()


ANONYMOUS: Final = Claims()

PolicyHook = Callable[[frozenset[str]], Awaitable[frozenset[str]]]
"""A host's hook: returns those of the given policies that the caller of this request meets."""


def find_denied_fields(supergraph: Supergraph, claims: Claims) -> frozenset[str]:
    """Returns `Type.field` of every field that the caller may not read.

    A field is denied by a rule on itself, on its parent type or on the type it returns, or by a denied field that it
    requires.
    """
    if not supergraph.rules:
        return NOTHING_DENIED
    refused = {coordinate for coordinate, rule in supergraph.rules.items() if not _is_met(rule, claims)}
    if not refused:
        return NOTHING_DENIED
    denied = set(_find_guarded_fields(supergraph, refused))
    requirements = list(_read_requirements(supergraph))
    # Requirements form chains: where c requires b and b requires a denied a, the second round denies c.
    while True:
        further = {coordinate for coordinate, needs in requirements if not denied.isdisjoint(needs)} - denied
        if not further:
            return frozenset(denied)
        denied |= further


def _is_met(rule: AccessRule, claims: Claims) -> bool:
    if rule.authenticated and not claims.authenticated:
        return False
    # One whole set is enough: [["a", "b"], ["c"]] means (a and b) or c.
    if rule.scopes and not any(needed <= claims.scopes for needed in rule.scopes):
        return False
    return not rule.policies or any(needed <= claims.policies for needed in rule.policies)


def _find_guarded_fields(supergraph: Supergraph, refused: set[str]) -> Iterator[str]:
    """Yields the fields that a refused rule covers. `refused` holds coordinates: `Type` or `Type.field`."""
    for type_name, named in supergraph.schema.type_map.items():
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field_name, field in named.fields.items():
            coordinate = f"{type_name}.{field_name}"
            lent = {
                f"{interface}.{field_name}" for interface in _find_interface_objects(supergraph, type_name, field_name)
            }
            if not refused.isdisjoint({coordinate, type_name, get_named_type(field.type).name, *lent}):
                yield coordinate


def _find_interface_objects(supergraph: Supergraph, type_name: str, field_name: str) -> Iterator[str]:
    """Yields the interfaces whose `@interfaceObject` adds the field to the type: their rules cover the field."""
    for interface in supergraph.interfaces_of(type_name):
        for subgraph in supergraph.subgraphs_by_field.get((interface, field_name), ()):
            local = supergraph.type_in(subgraph, interface)
            if local is not None and local.is_interface_object:
                yield interface


def _read_requirements(supergraph: Supergraph) -> Iterator[tuple[str, set[str]]]:
    """Yields (field, fields that its `@requires` and `@fromContext` select), as coordinates."""
    for subgraph in supergraph.subgraphs.values():
        for type_name, local in subgraph.types.items():
            for field_name, field in local.fields.items():
                needs = (
                    [] if field.requires is None else list(_collect_coordinates(supergraph, field.requires, type_name))
                )
                for argument in field.contexts:
                    selection = parse_fields(argument.selection)
                    for setter in supergraph.context_setters.get(argument.context, ()):
                        needs += _collect_coordinates(supergraph, selection, setter)
                if needs:
                    yield f"{type_name}.{field_name}", set(needs)


def _collect_coordinates(
    supergraph: Supergraph,
    selection_set: SelectionSetNode,
    type_name: str,
    fragments: Mapping[str, FragmentDefinitionNode] = MappingProxyType({}),
) -> Iterator[str]:
    """Yields `Type.field` of every selected field: on the type itself and on each type that an object may have."""
    for selection in selection_set.selections:
        if not isinstance(selection, FieldNode):
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = fragments[selection.name.value]
            narrowed = type_name if fragment.type_condition is None else fragment.type_condition.name.value
            yield from _collect_coordinates(supergraph, fragment.selection_set, narrowed, fragments)
        else:
            yield f"{type_name}.{selection.name.value}"
            # A field of an interface reads the objects' fields, whose own rules and requirements count too.
            yield from (f"{name}.{selection.name.value}" for name in supergraph.possible_types(type_name))
            inside = supergraph.field_type(type_name, selection.name.value)
            if selection.selection_set is not None and inside is not None:
                yield from _collect_coordinates(supergraph, selection.selection_set, inside, fragments)


def find_policies(
    supergraph: Supergraph, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str]:
    """Returns the policies that cover a field of the operation, or a field that one of its fields requires."""
    if not any(rule.policies for rule in supergraph.rules.values()):
        return frozenset()
    root = supergraph.root_types[operation.operation.value]
    fields = set(_collect_coordinates(supergraph, operation.selection_set, root, fragments))
    requirements = list(_read_requirements(supergraph))
    while further := {row for coordinate, needs in requirements if coordinate in fields for row in needs} - fields:
        fields |= further
    deciding = set(fields)
    for coordinate in fields:
        type_name, field_name = coordinate.split(".")
        deciding |= {type_name, supergraph.field_type(type_name, field_name) or type_name}
        deciding |= {
            f"{interface}.{field_name}" for interface in _find_interface_objects(supergraph, type_name, field_name)
        }
    rules = (rule for coordinate, rule in supergraph.rules.items() if coordinate in deciding)
    return frozenset(policy for rule in rules for row in rule.policies for policy in row)


async def decide_policies(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    claims: Claims,
    policies: PolicyHook,
) -> Claims:
    """Returns the claims with the policies that the caller meets.

    Asks the host about the operation's policies alone, so that plans differ only by policies that matter to them.
    """
    relevant = find_policies(supergraph, operation, fragments)
    return replace(claims, policies=(await policies(relevant)) & relevant) if relevant else claims


def list_refusals(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    denied: frozenset[str],
) -> list[dict[str, Any]]:
    """Builds one error for each path of the operation that selects a denied field, at most MAX_ERRORS."""
    if not denied:
        return []
    paths = _DeniedPaths(supergraph, fragments, denied)
    root = supergraph.root_types[operation.operation.value]
    errors: list[dict[str, Any]] = []
    # Two fragments may select the same path: it gets one error.
    for path in dict.fromkeys(paths.find(operation.selection_set, root, ())):
        errors.append({"message": "Not authorised.", "path": list(path), "extensions": {"code": UNAUTHORIZED}})
        if len(errors) == MAX_ERRORS:
            break
    return errors


@dataclass(frozen=True, slots=True)
class _DeniedPaths:
    """Finds the response paths of denied fields in one operation."""

    supergraph: Supergraph
    fragments: Mapping[str, FragmentDefinitionNode]
    denied: frozenset[str]

    def find(self, selection_set: SelectionSetNode, type_name: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield from self._find_at_field(selection, type_name, path)
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
            condition = fragment.type_condition
            yield from self.find(fragment.selection_set, type_name if condition is None else condition.name.value, path)

    def _find_at_field(self, field_node: FieldNode, type_name: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        name = field_node.name.value
        field_path = (*path, (field_node.alias or field_node.name).value)
        if any(f"{owner}.{name}" in self.denied for owner in self._list_owners(type_name)):
            yield field_path
            return
        inside = self.supergraph.field_type(type_name, name)
        if field_node.selection_set is not None and inside is not None:
            yield from self.find(field_node.selection_set, inside, field_path)

    def _list_owners(self, type_name: str) -> Iterable[str]:
        return {type_name, *self.supergraph.possible_types(type_name)}
