"""Completes single values of a response: scalars, enums and lists, with the faults that are found in them.

Source: GraphQL specification, Value Completion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from graphql import GraphQLEnumType

from gateway.federation.executor.subgraphs import Object

MAX_PLACES: Final = 100
"""Most paths under which one error is reported: a subgraph that returns one wrong value often returns a thousand."""


@dataclass(slots=True)
class Faults:
    """Values that do not fit the schema, and nulls where the schema allows none: the paths by message."""

    wrong: dict[str, list[list[str | int]]] = field(default_factory=dict)
    nulls: dict[str, list[list[str | int]]] = field(default_factory=dict)
    path: list[str | int] = field(default_factory=list)
    """The path of the value that is being completed; stays empty unless the shape is traced."""

    def note(self, message: str) -> None:
        _add_place(self.wrong, message, [*self.path])

    def note_null(self, coordinate: str, element: str | int) -> None:
        """Notes a forbidden null, unless it was caused by a fault below it, which is noted already."""
        path = [*self.path, element]
        noted = chain(*self.wrong.values(), *self.nulls.values())
        if not any(place[: len(path)] == path for place in noted):
            _add_place(self.nulls, f"Cannot return null for non-nullable field {coordinate}.", path)

    def to_errors(self) -> list[Object]:
        """Returns the wrong values as errors; if there are none, the forbidden nulls."""
        extensions = {"code": "INVALID_SUBGRAPH_RESPONSE"}
        return [
            {"message": message, "path": path, "extensions": extensions}
            for message, places in (self.wrong or self.nulls).items()
            for path in places
        ]


def _add_place(places_by_message: dict[str, list[list[str | int]]], message: str, path: list[str | int]) -> None:
    places = places_by_message.setdefault(message, [])
    if len(places) < MAX_PLACES:
        places.append(path)


CompleteValue = Callable[[Any, Faults], Any]
"""Returns a value as the client sees it, and adds to the faults. May return null: the caller checks non-null types."""

NULL: Final = type(None)
SCALARS: Final[Mapping[str, frozenset[type]]] = {
    "String": frozenset((str, NULL)),
    "ID": frozenset((str, int, NULL)),
    "Int": frozenset((int, NULL)),
    "Float": frozenset((float, int, NULL)),
    "Boolean": frozenset((bool, NULL)),
}
"""The Python types that a subgraph's JSON may hold for each built-in scalar. Custom scalars may hold anything."""
NO_TYPES: Final[frozenset[type]] = frozenset()


def trace(complete: CompleteValue, element: str | int) -> CompleteValue:
    """Wraps a function so that the faults know the path of the value while it is completed."""

    def complete_at(value: Any, faults: Faults) -> Any:
        faults.path.append(element)
        completed = complete(value, faults)
        faults.path.pop()
        return completed

    return complete_at


def compile_list(
    complete: CompleteValue | None, fits: frozenset[type], coordinate: str, *, is_required: bool, is_traced: bool
) -> CompleteValue:
    """`complete` and `fits` are those of the rows; the whole list is null if a required row is null."""

    def complete_list(value: Any, faults: Faults) -> Any:
        if type(value) is not list:
            if value is not None:
                faults.note(f"{coordinate} must be a list, but the subgraph returned another value.")
            return None
        rows = value
        # `map(type, …)` runs in C: a list of a thousand good strings costs no Python call per row.
        if complete is not None and not fits.issuperset(map(type, value)):
            if is_traced:
                rows = [trace(complete, index)(row, faults) for index, row in enumerate(value)]
            else:
                rows = [complete(row, faults) for row in value]
        if is_required and None in rows:
            faults.note_null(coordinate, rows.index(None))
            return None
        return rows

    return complete_list


def compile_scalar(name: str, coordinate: str) -> CompleteValue:
    """Completes a built-in scalar. An Int may come as 3.0, as some JSON encoders write it."""
    fits, is_whole = SCALARS[name], name == "Int"
    message = f"{coordinate} must be of type {name}, but the subgraph returned another value."

    def complete_scalar(value: Any, faults: Faults) -> Any:
        if type(value) in fits:
            return value
        if is_whole and type(value) is float and value.is_integer():
            return int(value)
        faults.note(message)
        return None

    return complete_scalar


def compile_enum(of: GraphQLEnumType, supergraph_type: Any) -> CompleteValue:
    """An `@inaccessible` value becomes null without an error; a value that the supergraph does not have is an error."""

    def complete_enum(value: Any, faults: Faults) -> Any:
        if value is None or (type(value) is str and value in of.values):
            return value
        if type(value) is not str or value not in supergraph_type.values:
            faults.note(f"Enum {of.name} cannot represent the value that the subgraph returned.")
        return None

    return complete_enum
