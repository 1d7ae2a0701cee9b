"""Finds the objects that a fetch asks about, builds their representations, and merges the answers into the data."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from gateway.federation.executor.subgraphs import Object
from gateway.federation.planner.fetches import Path, RepresentationField

LocatedObjects = list[tuple[Object, tuple[str | int, ...]]]
"""Objects, each with its path of response keys and list indexes."""

_MISSING: Final[Any] = object()


def find_objects(data: Object, path: Path) -> list[Object]:
    """Returns the objects at a path, through lists; null values are skipped.

    # {"a": [{"b": {…}}, null, {"b": null}]} at ("a", "b") → the one object under b
    """
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
    """Whether `type_name`, which a subgraph gave and may be any JSON value, is the name of one of the types."""
    return type(type_name) is str and type_name in types


def _flatten(rows: list[Any], into: list[Object]) -> None:
    for row in rows:
        if type(row) is dict:
            into.append(row)
        elif type(row) is list:
            _flatten(row, into)


def locate_objects(data: Object, path: Path) -> LocatedObjects:
    """Like find_objects, with the path of each object. It is slower, and only called when there are errors."""
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
    """Adds a subgraph's fields to an object of the data, recursively. A value that is already there stays.

    Lists are merged by index: fetches of the same field describe the same elements in the same order.
    """
    for key, value in fetched.items():
        present = into.get(key)
        if present is None:
            into[key] = value
        elif type(present) is dict and type(value) is dict:
            # Objects of one representation share parts of its answer; those are then merged into themselves.
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


BuildRepresentation = Callable[[Object], Object | None]
"""Builds an object's representation for `_entities`; None if a part that must be known is null or missing."""


def compile_representation(parts: Sequence[RepresentationField], type_name: str | None) -> BuildRepresentation:
    """Returns the function that builds representations with these fields. `type_name` becomes their `__typename`.

    # parts id, dim {w} of a Product → {"__typename": "Product", "id": "7", "dim": {"w": 3}}
    """
    rows = [
        (
            part.name,
            part.key,
            None if part.inside is None else compile_representation(part.inside, None),
            part.of,
            part.nullable,
        )
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
                # A field whose types conflict between object types has its object's type in the key (ResponseKeys).
                value = source.get(f"{key}__{own}", _MISSING)
            if value is _MISSING or (value is None and not nullable):
                return None
            if inside is not None and value is not None:
                value = _build_inside(value, inside)
                if value is _MISSING:
                    return None
                if name in made:
                    value = _unite(made[name], value)
            elif value.__class__ is dict or value.__class__ is list:
                value = _copy_json(value)
                if value is _MISSING:
                    return None
            made[name] = value
        return made

    return build


def _copy_json(value: Any) -> Any:
    """Copies a custom scalar's list or object; _MISSING if it is nested deeper than orjson encodes.

    Answers of other subgraphs are merged into the data while a subgraph in this process still reads its variables.
    """
    try:
        return orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError:
        return _MISSING


def _unite(one: Any, other: Any) -> Any:
    """Merges two parts of the same value: {"w": 1} and {"h": 2} → {"w": 1, "h": 2}."""
    if type(one) is dict and type(other) is dict:
        return one | {name: _unite(one[name], value) if name in one else value for name, value in other.items()}
    if type(one) is list and type(other) is list:
        return [_unite(row, value) for row, value in zip(one, other, strict=True)]
    return other


def _build_inside(value: Any, build: BuildRepresentation) -> Any:
    if type(value) is list:
        rows = [None if row is None else _build_inside(row, build) for row in value]
        return _MISSING if any(row is _MISSING for row in rows) else rows
    made = build(value)
    return _MISSING if made is None else made


def build_representations(
    objects: Sequence[Object], build: BuildRepresentation
) -> tuple[list[Object], list[list[Object]]]:
    """Returns the distinct representations, and for each the objects that it stands for.

    Distinct means: different JSON bytes. A page of 50 complaints of one agency sends that agency once.
    """
    position: dict[bytes, int] = {}
    representations: list[Object] = []
    owners: list[list[Object]] = []
    for row in objects:
        representation = build(row)
        if representation is None:
            continue
        try:
            # In two lists: the body nests it as deeply, in the object of variables and the list of representations.
            encoded = orjson.dumps([[representation]])
        except orjson.JSONEncodeError:
            # Nested deeper than orjson encodes: it cannot be sent, so its fields stay null.
            continue
        at = position.get(encoded)
        if at is None:
            position[encoded] = len(representations)
            representations.append(representation)
            owners.append([row])
        else:
            owners[at].append(row)
    return representations, owners


def merge_entities(rows: Sequence[Any], owners: Sequence[Sequence[Object]]) -> None:
    """Merges each row of an `_entities` answer into the objects of its representation.

    A subgraph may return too few or too many rows: those without a partner are ignored.
    """
    for row, objects in zip(rows, owners, strict=False):
        if type(row) is dict:
            for owner in objects:
                merge(owner, row)
