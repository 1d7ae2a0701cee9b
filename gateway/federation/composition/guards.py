"""Whether a field that requires guarded fields is itself guarded as they are."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final, NamedTuple

from graphql import ConstDirectiveNode, FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.federation.composition.merge_directives import argument_of, contexts_set
from gateway.federation.composition.merged import MergedElement, MergedType, Merging
from gateway.federation.fields import parse_fields

Alternatives = frozenset[frozenset[str]]
NO_DEMAND: Final[Alternatives] = frozenset((frozenset(),))


class Demand(NamedTuple):
    """What one must have: all of any one set of scopes, and of policies, and whether to be known at all."""

    authenticated: bool = False
    scopes: Alternatives = NO_DEMAND
    policies: Alternatives = NO_DEMAND

    def and_of(self, other: "Demand") -> "Demand":
        return Demand(
            self.authenticated or other.authenticated,
            _both(self.scopes, other.scopes),
            _both(self.policies, other.policies),
        )

    def implies(self, other: "Demand") -> bool:
        return (
            (self.authenticated or not other.authenticated)
            and _imply(self.scopes, other.scopes)
            and _imply(self.policies, other.policies)
        )


def _both(one: Alternatives, other: Alternatives) -> Alternatives:
    return one if other == NO_DEMAND else frozenset(left | right for left, right in product(one, other))


def _imply(have: Alternatives, needed: Alternatives) -> bool:
    return needed == NO_DEMAND or all(any(row <= held for row in needed) for held in have)


def check_guards(merging: Merging) -> None:
    """Adds an error for each `@requires` and `@fromContext` that would let out what is guarded elsewhere."""
    if not any(demand_of(row) != Demand() for dest in merging.types.values() for row in (dest, *dest.fields.values())):
        return
    setters = contexts_set(merging)
    for dest in merging.types.values():
        for field in dest.fields.values():
            needs = list(_needs(dest, field, setters))
            have = demand_of(dest).and_of(demand_of(field)) if needs else Demand()
            for graph, type_name, fields in needs:
                coordinate = f"{dest.name}.{field.name}"
                missing = [
                    selected
                    for selected, demand in _demands(merging, type_name, parse_fields(fields))
                    if not have.implies(demand)
                ]
                if missing:
                    merging.error(
                        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                        f'[{graph}] Field "{coordinate}" does not specify the @authenticated, @requiresScopes and/or '
                        f'@policy that "{missing[0]}", which it requires, is guarded with.',
                        (graph,),
                        coordinate,
                    )


def _needs(
    dest: MergedType, field: MergedElement, setters: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str, str]]:
    """What the field is told before it answers: by which subgraph, on which type, which fields."""
    for join in field.joins:
        if join.requires:
            yield str(join.graph), dest.name, join.requires
        for argument in join.context_arguments:
            for setter in sorted(setters.get(argument.context, ())):
                yield str(join.graph), setter, argument.selection


def demand_of(element: MergedElement) -> Demand:
    """Of the guards that the merged element carries itself."""
    made = Demand()
    for directive in element.directives:
        name = directive.name.value
        if name == "authenticated":
            made = made._replace(authenticated=True)
        elif name == "requiresScopes":
            made = made._replace(scopes=_alternatives(directive))
        elif name == "policy":
            made = made._replace(policies=_alternatives(directive))
    return made


def _alternatives(directive: ConstDirectiveNode) -> Alternatives:
    rows = argument_of(directive)
    return frozenset(frozenset(row) for row in rows) or NO_DEMAND


def _demands(merging: Merging, type_name: str, selection: SelectionSetNode) -> Iterator[tuple[str, Demand]]:
    """Of every field selected: its own, with those of the type that it is in and of the one that it has."""
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = type_name if node.type_condition is None else node.type_condition.name.value
            yield from _demands(merging, condition, node.selection_set)
        elif isinstance(node, FieldNode):
            for owner in _owners(merging, type_name):
                field = merging.types[owner].fields.get(node.name.value)
                if field is None:
                    continue
                demand = demand_of(field).and_of(demand_of(merging.types[owner]))
                named = merging.types.get(field.named_type)
                yield f"{owner}.{field.name}", demand if named is None else demand.and_of(demand_of(named))
                if node.selection_set is not None:
                    yield from _demands(merging, field.named_type, node.selection_set)


def _owners(merging: Merging, type_name: str) -> Iterable[str]:
    return [name for name in (type_name, *sorted(merging.abstract.get(type_name, ()))) if name in merging.types]
