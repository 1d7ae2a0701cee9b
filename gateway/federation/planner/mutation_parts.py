"""Splits a mutation into parts that are executed one after the other, each exactly once.

Fields with the same response key are one part, executed where the first included field stands. If conditions decide
which field that is, there is one part per case, and exactly one case holds:
    # mutation { a: pay @include(if: $x) { id }  b: log  a: pay { sum } }
    # → [if $x: a (id, sum)], [b], [if not $x: a (sum)]
Source: GraphQL specification, Collecting Fields.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from gateway.federation.planner.selection import Field, FieldConditions, SelectionItem

EVALUATIONS_PER_CASE: Final = 100
"""The planning cost of each further case: every case is planned separately."""


class MutationPart(NamedTuple):
    """Items that are executed together if the conditions hold."""

    conditions: FieldConditions
    items: tuple[SelectionItem, ...]


def split_mutation(items: Iterable[SelectionItem], spend: Callable[[float], None]) -> list[MutationPart]:
    """Returns the parts in the order of their execution.

    `spend` counts planning effort and raises TooComplex; it is called before the cases are planned.
    """
    parts: list[MutationPart] = []
    fields = [item for item in items if isinstance(item, Field)]
    by_response_key: dict[str, list[Field]] = {}
    for item in fields:
        by_response_key.setdefault(item.variant, []).append(item)
    for item in fields:
        same_key = by_response_key[item.variant]
        position = same_key.index(item)
        # The part belongs here if this field is included and no earlier one of its key is.
        cases = _enumerate_cases(item.conditions, [row.conditions for row in same_key[:position]], spend)
        spend(EVALUATIONS_PER_CASE * max(len(cases) - 1, 0))
        for case in cases:
            spend(len(same_key) - position)
            included = (replace(row, conditions=case | row.conditions) for row in same_key[position:])
            parts.append(MutationPart(case, tuple(row for row in included if not _is_contradiction(row.conditions))))
    return parts


def _enumerate_cases(
    wanted: FieldConditions, unwanted: Iterable[FieldConditions], spend: Callable[[float], None]
) -> list[FieldConditions]:
    """Returns disjoint cases that together mean: `wanted` holds and none of `unwanted` does."""
    cases = [wanted]
    for excluded in unwanted:
        cases = [narrower for case in cases for narrower in _subtract(case, excluded)]
        spend(len(cases))
    return cases


def _subtract(case: FieldConditions, excluded: FieldConditions) -> Iterator[FieldConditions]:
    """Yields disjoint cases for `case` without `excluded`: without {x, y} → {not x}, {x, not y}."""
    if _is_contradiction(case | excluded):
        yield case
        return
    for variable, wanted in sorted(excluded - case):
        yield case | {(variable, not wanted)}
        case |= {(variable, wanted)}


def _is_contradiction(conditions: FieldConditions) -> bool:
    return len({variable for variable, _ in conditions}) < len(conditions)
