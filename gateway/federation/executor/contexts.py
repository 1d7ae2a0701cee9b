"""Reads the context values of objects (`@fromContext`), and groups objects that have the same values.

A value is read from the nearest object above that has it:
    # {agency {locale case {title(locale: @fromContext)}}} → each case reads `locale` of its agency
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from gateway.federation.executor.merge import BuildRepresentation, compile_representation, is_one_of
from gateway.federation.executor.subgraphs import Object
from gateway.federation.planner.fetches import ContextualValue, Path

ObjectChain = tuple[Object, ...]
"""The objects from the root down to one object, which is the last."""

_MISSING: Final[Any] = object()


class ContextReader(NamedTuple):
    """How one context value is read: each source is an index in an ObjectChain and a builder; nearest source first."""

    is_nullable: bool
    sources: tuple[tuple[int, BuildRepresentation], ...]


class ContextGroup(NamedTuple):
    """Objects that have the same context values; the values are in the order of the readers."""

    values: tuple[Any, ...]
    objects: list[Object]


def compile_context_reader(value: ContextualValue) -> ContextReader:
    sources = tuple((depth, compile_representation(parts, None)) for depth, parts in value.sources)
    return ContextReader(not value.type.endswith("!"), sources)


def group_by_context(data: Object, path: Path, readers: Sequence[ContextReader]) -> list[ContextGroup]:
    """Groups the objects at a path by their context values. Leaves out objects without a value that is non-null."""
    # Values may be lists, which cannot be keys: their JSON is the key.
    groups: dict[tuple[bytes | None, ...], ContextGroup] = {}
    for chain in _find_chains(data, path):
        values = tuple(_read_value(chain, reader) for reader in readers)
        key = tuple(_encode_value(value, reader) for value, reader in zip(values, readers, strict=True))
        if None not in key:
            groups.setdefault(key, ContextGroup(values, [])).objects.append(chain[-1])
    return list(groups.values())


def _find_chains(data: Object, path: Path) -> list[ObjectChain]:
    chains: list[ObjectChain] = [(data,)]
    for element in path:
        if isinstance(element, str):
            chains = [(*chain, row) for chain in chains for row in _flatten_objects(chain[-1].get(element))]
        else:
            chains = [chain for chain in chains if is_one_of(chain[-1].get("__typename"), element)]
    return chains


def _flatten_objects(value: Any) -> Iterable[Object]:
    if type(value) is dict:
        yield value
    elif type(value) is list:
        for row in value:
            yield from _flatten_objects(row)


def _read_value(chain: ObjectChain, reader: ContextReader) -> Any:
    for depth, build in reader.sources:
        built = build(chain[depth])
        if built is None:
            return _MISSING
        # An empty result means that this object's type does not set the context: look further up.
        if built:
            return _unwrap_leaf(built)
    return _MISSING


def _unwrap_leaf(value: Any) -> Any:
    """Returns the single leaf of a selection, through lists: {"agency": {"locale": "id"}} → "id"."""
    if type(value) is list:
        return [_unwrap_leaf(row) for row in value]
    if type(value) is dict:
        return next((_unwrap_leaf(inner) for name, inner in value.items() if name != "__typename"), None)
    return value


def _encode_value(value: Any, reader: ContextReader) -> bytes | None:
    """Returns the value as JSON; None if it is missing, null for a non-null argument, or nested too deeply."""
    if value is _MISSING or (value is None and not reader.is_nullable):
        return None
    try:
        # In a list, because it is sent inside the object of variables: one level deeper.
        return orjson.dumps([value])
    except orjson.JSONEncodeError:
        return None
