"""What objects take from their contexts: from the nearest object above that has it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from gateway.federation.executor.merge import Build, Object, builder, is_one_of
from gateway.federation.planner.fetches import ContextualValue, Path

Chain = tuple[Object, ...]
"""An object with those above it, from the root; the object itself is the last."""

_MISSING: Final[Any] = object()


class Taking(NamedTuple):
    """How one contextual value is read: at which places of a chain, by which builders."""

    is_nullable: bool
    sources: tuple[tuple[int, Build], ...]


class Sharing(NamedTuple):
    """Objects that take the same values, each value in JSON."""

    values: tuple[bytes, ...]
    objects: list[Object]


def taking(value: ContextualValue) -> Taking:
    return Taking(not value.type.endswith("!"), tuple((depth, builder(parts, None)) for depth, parts in value.sources))


def shared(data: Object, path: Path, values: Sequence[Taking]) -> list[Sharing]:
    """The objects at a path by what they take; without those for which something that must be known is not."""
    found: dict[tuple[bytes, ...], list[Object]] = {}
    for chain in _chains(data, path):
        taken = tuple(_encoded(_taken(chain, value), value) for value in values)
        if None not in taken:
            found.setdefault(tuple(row for row in taken if row is not None), []).append(chain[-1])
    return [Sharing(*row) for row in found.items()]


def _chains(data: Object, path: Path) -> list[Chain]:
    found: list[Chain] = [(data,)]
    for element in path:
        if isinstance(element, str):
            found = [(*chain, row) for chain in found for row in _objects(chain[-1].get(element))]
        else:
            found = [chain for chain in found if is_one_of(chain[-1].get("__typename"), element)]
    return found


def _objects(value: Any) -> Iterable[Object]:
    if type(value) is dict:
        yield value
    elif type(value) is list:
        for row in value:
            yield from _objects(row)


def _taken(chain: Chain, value: Taking) -> Any:
    for depth, build in value.sources:
        made = build(chain[depth])
        if made is None:
            return _MISSING
        # Empty where the object is of a type that does not set the context.
        if made:
            return _leaf(made)
    return _MISSING


def _leaf(value: Any) -> Any:
    """The one thing that is selected, through lists too."""
    if type(value) is list:
        return [_leaf(row) for row in value]
    if type(value) is dict:
        return next((_leaf(inner) for name, inner in value.items() if name != "__typename"), None)
    return value


def _encoded(taken: Any, value: Taking) -> bytes | None:
    if taken is _MISSING or (taken is None and not value.is_nullable):
        return None
    return orjson.dumps(taken)
