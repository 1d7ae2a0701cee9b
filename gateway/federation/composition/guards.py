"""Checks that a field which requires guarded fields has at least their guards itself.

# { a @requires(b) } where b has @authenticated → a needs @authenticated too, or a's value would leak b's.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final, NamedTuple

from graphql import ConstDirectiveNode, FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.federation.composition.merge_directives import find_context_types, read_argument
from gateway.federation.composition.merge_state import MergedElement, MergedType, Merging
from gateway.federation.fields import parse_fields

Alternatives = frozenset[frozenset[str]]
"""Sets of scopes or policies: the caller needs all of one set. `{{a, b}, {c}}` is "a and b, or c"."""

NO_DEMAND: Final[Alternatives] = frozenset((frozenset(),))


class Demand(NamedTuple):
    """What a caller needs: a valid token, one set of `scopes`, and one set of `policies`."""

    authenticated: bool = False
    scopes: Alternatives = NO_DEMAND
    policies: Alternatives = NO_DEMAND

    def combine(self, other: "Demand") -> "Demand":
        """Returns the demand of a caller who must meet both."""
        return Demand(
            self.authenticated or other.authenticated,
            _combine_alternatives(self.scopes, other.scopes),
            _combine_alternatives(self.policies, other.policies),
        )

    def implies(self, other: "Demand") -> bool:
        """Whether every caller who meets this demand also meets the other."""
        return (
            (self.authenticated or not other.authenticated)
            and _covers(self.scopes, other.scopes)
            and _covers(self.policies, other.policies)
        )


def _combine_alternatives(one: Alternatives, other: Alternatives) -> Alternatives:
    """(a or b) and (c or d) → ac or ad or bc or bd."""
    return one if other == NO_DEMAND else frozenset(left | right for left, right in product(one, other))


def _covers(own: Alternatives, needed: Alternatives) -> bool:
    """Whether each set of `own` contains a set of `needed`."""
    return needed == NO_DEMAND or all(any(need <= row for need in needed) for row in own)


def check_guards(merging: Merging) -> None:
    """Adds an error for each field whose `@requires` or `@fromContext` selects a field with a guard it lacks."""
    if not any(
        read_demand(row) != Demand() for dest in merging.types.values() for row in (dest, *dest.fields.values())
    ):
        return
    setters = find_context_types(merging)
    for dest in merging.types.values():
        for field in dest.fields.values():
            needs = list(_list_needs(dest, field, setters))
            own = read_demand(dest).combine(read_demand(field)) if needs else Demand()
            for graph, type_name, fields in needs:
                coordinate = f"{dest.name}.{field.name}"
                missing = [
                    selected
                    for selected, demand in _list_demands(merging, type_name, parse_fields(fields))
                    if not own.implies(demand)
                ]
                if missing:
                    merging.add_error(
                        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                        f'[{graph}] Field "{coordinate}" requires "{missing[0]}" and must specify the same '
                        "@authenticated, @requiresScopes and/or @policy.",
                        (graph,),
                        coordinate,
                    )


def _list_needs(
    dest: MergedType, field: MergedElement, setters: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str, str]]:
    """Yields what the field requires: (subgraph that declares it, type, field set on that type)."""
    for join in field.joins:
        if join.requires:
            yield str(join.graph), dest.name, join.requires
        for argument in join.context_arguments:
            for setter in sorted(setters.get(argument.context, ())):
                yield str(join.graph), setter, argument.selection


def read_demand(element: MergedElement) -> Demand:
    """Reads the guards on the merged element itself, without those of its type."""
    demand = Demand()
    for directive in element.directives:
        name = directive.name.value
        if name == "authenticated":
            demand = demand._replace(authenticated=True)
        elif name == "requiresScopes":
            demand = demand._replace(scopes=_read_alternatives(directive))
        elif name == "policy":
            demand = demand._replace(policies=_read_alternatives(directive))
    return demand


def _read_alternatives(directive: ConstDirectiveNode) -> Alternatives:
    rows = read_argument(directive)
    return frozenset(frozenset(row) for row in rows) or NO_DEMAND


def _list_demands(merging: Merging, type_name: str, selection: SelectionSetNode) -> Iterator[tuple[str, Demand]]:
    """Yields each selected field with its demand: its own guards, its parent type's and its own type's."""
    for node in selection.selections:
        if isinstance(node, InlineFragmentNode):
            condition = type_name if node.type_condition is None else node.type_condition.name.value
            yield from _list_demands(merging, condition, node.selection_set)
        elif isinstance(node, FieldNode):
            for owner in _list_owners(merging, type_name):
                field = merging.types[owner].fields.get(node.name.value)
                if field is None:
                    continue
                demand = read_demand(field).combine(read_demand(merging.types[owner]))
                named = merging.types.get(field.named_type)
                yield f"{owner}.{field.name}", demand if named is None else demand.combine(read_demand(named))
                if node.selection_set is not None:
                    yield from _list_demands(merging, field.named_type, node.selection_set)


def _list_owners(merging: Merging, type_name: str) -> Iterable[str]:
    """Returns the type and the types that implement it or are its members."""
    return [name for name in (type_name, *sorted(merging.abstract.get(type_name, ()))) if name in merging.types]
