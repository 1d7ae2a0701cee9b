"""A mutation's parts, which are done one after the other, each once.

Fields of one response key are one part, done where the first of them is included. Where conditions decide which one
that is, there is a part for each case, of which one holds.
Source: GraphQL specification, Collecting Fields.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from gateway.federation.planner.selection import Conditions, Field, Item

EVALUATIONS_PER_CASE: Final = 100
"""Each is planned by itself."""


class Part(NamedTuple):
    """What is done together, under the conditions."""

    conditions: Conditions
    items: tuple[Item, ...]


def in_series(items: Iterable[Item], spend: Callable[[float], None]) -> list[Part]:
    """The parts in the order in which they are done; `spend` ends too many cases before any is planned."""
    parts: list[Part] = []
    fields = [item for item in items if isinstance(item, Field)]
    under: dict[str, list[Field]] = {}
    for item in fields:
        under.setdefault(item.apart, []).append(item)
    for item in fields:
        mentions = under[item.apart]
        position = mentions.index(item)
        cases = _cases(item.conditions, [row.conditions for row in mentions[:position]], spend)
        spend(EVALUATIONS_PER_CASE * max(len(cases) - 1, 0))
        for case in cases:
            spend(len(mentions) - position)
            included = (replace(row, conditions=case | row.conditions) for row in mentions[position:])
            parts.append(Part(case, tuple(row for row in included if not _contradicts(row.conditions))))
    return parts


def _cases(wanted: Conditions, unwanted: Iterable[Conditions], spend: Callable[[float], None]) -> list[Conditions]:
    """Conditions of which exactly one holds where the wanted ones hold, and none of the unwanted."""
    cases = [wanted]
    for excluded in unwanted:
        cases = [narrower for case in cases for narrower in _without(case, excluded)]
        spend(len(cases))
    return cases


def _without(case: Conditions, excluded: Conditions) -> Iterator[Conditions]:
    if _contradicts(case | excluded):
        yield case
        return
    for variable, wanted in sorted(excluded - case):
        yield case | {(variable, not wanted)}
        case |= {(variable, wanted)}


def _contradicts(conditions: Conditions) -> bool:
    return len({variable for variable, _ in conditions}) < len(conditions)
