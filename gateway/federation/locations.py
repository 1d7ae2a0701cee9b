"""Finds the line and column in the subgraphs' SDL that an error or hint is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DirectiveDefinitionNode,
    DocumentNode,
    GraphQLError,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    get_location,
    parse,
)

from gateway.federation.hints import CompositionError, Hint, SubgraphLocation

_COORDINATE: Final = re.compile(r"^@?(\w+)(?:\.(\w+))?(?:\((\w+):\))?$")
_MAX_SUBGRAPHS: Final = 10
"""Subgraphs for which a problem lists locations: with hundreds of subgraphs, more would not help."""


@dataclass(slots=True)
class LocationFinder:
    """Finds locations in the subgraphs' SDL. Parses an SDL the first time that a problem names its subgraph."""

    sdls: Mapping[str, str]
    """SDL by subgraph name."""
    _documents: dict[str, DocumentNode | None] = field(default_factory=dict)

    def find(self, problem: CompositionError | Hint) -> tuple[SubgraphLocation, ...]:
        """Returns the problem's own locations; else the locations of its coordinate in the subgraphs that it names."""
        if problem.locations or not problem.coordinate:
            return problem.locations
        return tuple(
            location
            for subgraph in problem.subgraphs[:_MAX_SUBGRAPHS]
            for location in self._find_in_subgraph(subgraph, problem.coordinate)
        )

    def _find_in_subgraph(self, subgraph: str, coordinate: str) -> list[SubgraphLocation]:
        if subgraph not in self._documents:
            self._documents[subgraph] = _parse_sdl(self.sdls.get(subgraph, ""))
        document = self._documents[subgraph]
        locations: list[SubgraphLocation] = []
        for node in [] if document is None else _find_nodes(document, coordinate):
            if node.loc is not None:
                line, column = get_location(node.loc.source, node.loc.start)
                locations.append(SubgraphLocation(subgraph, line, column))
        return locations


def _parse_sdl(sdl: str) -> DocumentNode | None:
    """Returns None for an SDL that is not valid: its own errors have locations already."""
    try:
        return parse(sdl)
    except (GraphQLError, RecursionError):
        return None


def _find_nodes(document: DocumentNode, coordinate: str) -> list[Any]:
    """Returns the narrowest nodes that the coordinate names: the argument, else the field, else the type.

    A type with extensions has several nodes. `Agency.name(in:)` falls back to `Agency.name` in a subgraph where the
    field has no such argument.
    """
    if coordinate == "schema":
        return [node for node in document.definitions if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)]
    match = _COORDINATE.match(coordinate)
    if match is None:
        return []
    owner, *inner = match.groups()
    is_directive = coordinate.startswith("@")
    nodes: list[Any] = [
        node
        for node in document.definitions
        if isinstance(node, DirectiveDefinitionNode) == is_directive and _is_named(node, owner)
    ]
    parts = (("fields", "values"), ("arguments",))
    for name, keys in zip(inner, parts, strict=True):
        if name is not None:
            narrower = [
                row for node in nodes for key in keys for row in getattr(node, key, None) or () if _is_named(row, name)
            ]
            nodes = narrower or nodes
    return [getattr(node, "name", node) for node in nodes]


def _is_named(node: Any, name: str | None) -> bool:
    named = getattr(node, "name", None)
    return named is not None and named.value == name
