"""Finds the objects that a fetch is about, and puts what was fetched at their places."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from gateway.federation.planner.fetches import Path, Representation

Object = dict[str, Any]
Places = list[tuple[Object, tuple[str | int, ...]]]


def objects_at(data: Object, path: Path) -> list[Object]:
    """The objects at a path, through lists and past what is null."""
    found: list[Object] = [data]
    for element in path:
        if isinstance(element, str):
            inner: list[Object] = []
            for row in found:
                value = row.get(element)
                if type(value) is dict:
                    inner.append(value)
                elif type(value) is list:
                    _flatten(value, inner)
            found = inner
        else:
            found = [row for row in found if is_one_of(row.get("__typename"), element)]
    return found


def is_one_of(type_name: Any, types: frozenset[str]) -> bool:
    """Whether it is one of the types, whatever a subgraph has given as a name."""
    return type(type_name) is str and type_name in types


def _flatten(rows: list[Any], into: list[Object]) -> None:
    for row in rows:
        if type(row) is dict:
            into.append(row)
        elif type(row) is list:
            _flatten(row, into)


def places_at(data: Object, path: Path) -> Places:
    """As objects_at, with where in the data each object stands: only looked up where there is an error to place."""
    found: list[tuple[Any, tuple[str | int, ...]]] = [(data, ())]
    for element in path:
        if isinstance(element, str):
            found = [(row[element], (*at, element)) for row, at in found if row.get(element) is not None]
            while any(type(value) is list for value, _ in found):
                found = [
                    inner
                    for value, at in found
                    for inner in (
                        [(row, (*at, index)) for index, row in enumerate(value)]
                        if type(value) is list
                        else [(value, at)]
                    )
                    if inner[0] is not None
                ]
            found = [(value, at) for value, at in found if type(value) is dict]
        else:
            found = [(row, at) for row, at in found if is_one_of(row.get("__typename"), element)]
    return found


def merge(into: Object, fetched: Object) -> None:
    """Adds what was fetched; objects that both have become one, and what one of them has stays."""
    for key, value in fetched.items():
        present = into.get(key)
        if present is None:
            into[key] = value
        elif type(present) is dict and type(value) is dict:
            if present is not value:
                merge(present, value)
        elif type(present) is list and type(value) is list:
            _merge_lists(present, value)


def _merge_lists(into: list[Any], fetched: list[Any]) -> None:
    for index, value in enumerate(fetched[: len(into)]):
        present = into[index]
        if type(present) is dict and type(value) is dict:
            if present is not value:
                merge(present, value)
        elif type(present) is list and type(value) is list:
            _merge_lists(present, value)
        elif present is None:
            into[index] = value


Build = Callable[[Object], Object | None]


def builder(parts: Sequence[Representation], type_name: str | None) -> Build:
    """Makes an object's representation; None where what identifies it is unknown."""
    rows = [
        (part.name, part.key, None if part.inside is None else builder(part.inside, None), part.of, part.nullable)
        for part in parts
    ]

    def build(source: Object) -> Object | None:
        made: Object = {} if type_name is None else {"__typename": type_name}
        own = source.get("__typename")
        for name, key, inside, of, nullable in rows:
            if of is not None and own is not None and not is_one_of(own, of):
                continue
            value = source.get(key, _MISSING)
            if value is _MISSING:
                value = source.get(f"{key}__{own}", _MISSING)
            if value is _MISSING or (value is None and not nullable):
                return None
            if inside is not None and value is not None:
                value = _inside(value, inside)
                if value is _MISSING:
                    return None
                if name in made:
                    value = _united(made[name], value)
            made[name] = value
        return made

    return build


_MISSING: Any = object()


def _united(one: Any, other: Any) -> Any:
    """Two parts of the same value: each says of it what the other leaves out."""
    if type(one) is dict and type(other) is dict:
        return one | {name: _united(one[name], value) if name in one else value for name, value in other.items()}
    if type(one) is list and type(other) is list:
        return [_united(row, value) for row, value in zip(one, other, strict=True)]
    return other


def _inside(value: Any, build: Build) -> Any:
    if type(value) is list:
        rows = [None if row is None else _inside(row, build) for row in value]
        return _MISSING if any(row is _MISSING for row in rows) else rows
    made = build(value)
    return _MISSING if made is None else made


def representations(objects: Sequence[Object], build: Build) -> tuple[list[Object], list[list[Object]]]:
    """Each representation once, with the objects that it stands for."""
    position: dict[bytes, int] = {}
    made: list[Object] = []
    owners: list[list[Object]] = []
    for row in objects:
        found = build(row)
        if found is None:
            continue
        try:
            encoded = orjson.dumps(found)
        except orjson.JSONEncodeError:
            # Nested deeper than JSON goes: no subgraph knows an object by that.
            continue
        at = position.get(encoded)
        if at is None:
            position[encoded] = len(made)
            made.append(found)
            owners.append([row])
        else:
            owners[at].append(row)
    return made, owners


def merge_entities(rows: Sequence[Any], owners: Sequence[Sequence[Object]]) -> None:
    """What was fetched of each representation, to the objects that it stands for."""
    for row, objects in zip(rows, owners, strict=False):
        if type(row) is dict:
            for owner in objects:
                merge(owner, row)
