"""Matches a document in memory against a filter, as MongoDB does; for the operators that lists use.

Subscriptions filter events this way: tests compare each result with the database's.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$eq": operator.eq,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
}


def matches(query: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether the document matches the filter. Raises KeyError for an operator that no list uses."""
    return all(_matches_condition(key, condition, document) for key, condition in query.items())


def collect_keys(query: Mapping[str, Any]) -> frozenset[str]:
    """Returns the document's keys that the filter reads."""
    keys: set[str] = set()
    for key, condition in query.items():
        if key in ("$and", "$or"):
            keys.update(*map(collect_keys, condition))
        else:
            keys.add(key)
    return frozenset(keys)


def _matches_condition(key: str, condition: Any, document: Mapping[str, Any]) -> bool:
    if key == "$and":
        return all(matches(part, document) for part in condition)
    if key == "$or":
        return any(matches(part, document) for part in condition)
    value = document.get(key)
    # {holders: "kab-badung"} matches a list that contains it, as well as the value itself.
    values = value if isinstance(value, list) else [value]
    if not isinstance(condition, dict):
        return condition in values
    return all(_matches_operator(name, operand, values) for name, operand in condition.items())


def _matches_operator(name: str, operand: Any, values: list[Any]) -> bool:
    if name == "$in":
        return any(value in operand for value in values)
    if name == "$nin":
        return not any(value in operand for value in values)
    compared = _COMPARED[name]
    # Null is neither less nor greater than a date or a number.
    return any(compared(value, operand) for value in values if value is not None)
