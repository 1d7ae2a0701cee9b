"""Whether a document in hand is what a filter asks for, as the database says: for the operators that lists use."""

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
    """Raises KeyError for an operator that no list uses."""
    return all(_holds(key, condition, document) for key, condition in query.items())


def keys(query: Mapping[str, Any]) -> frozenset[str]:
    """What must be known of a document to say so."""
    found: set[str] = set()
    for key, condition in query.items():
        if key in ("$and", "$or"):
            found.update(*map(keys, condition))
        else:
            found.add(key)
    return frozenset(found)


def _holds(key: str, condition: Any, document: Mapping[str, Any]) -> bool:
    if key == "$and":
        return all(matches(part, document) for part in condition)
    if key == "$or":
        return any(matches(part, document) for part in condition)
    value = document.get(key)
    values = value if isinstance(value, list) else [value]
    if not isinstance(condition, dict):
        return condition in values
    return all(_is(name, operand, values) for name, operand in condition.items())


def _is(name: str, operand: Any, values: list[Any]) -> bool:
    if name == "$in":
        return any(value in operand for value in values)
    if name == "$nin":
        return not any(value in operand for value in values)
    compared = _COMPARED[name]
    # Values of another kind compare with nothing.
    return any(compared(value, operand) for value in values if value is not None)
