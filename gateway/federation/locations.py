"""Where in the subgraphs' SDL an error or hint has its cause."""

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
_TOLD_SUBGRAPHS: Final = 10
"""With hundreds of subgraphs the rest of the places says the same."""


@dataclass(slots=True)
class LocationFinder:
    """Finds places in SDLs, by subgraph; an SDL is read when first asked for."""

    sdls: Mapping[str, str]
    _documents: dict[str, DocumentNode | None] = field(default_factory=dict)

    def find(self, problem: CompositionError | Hint) -> tuple[SubgraphLocation, ...]:
        """Those it has already, or else those of its coordinate in its subgraphs."""
        if problem.locations or not problem.coordinate:
            return problem.locations
        return tuple(
            place
            for subgraph in problem.subgraphs[:_TOLD_SUBGRAPHS]
            for place in self._find_in_subgraph(subgraph, problem.coordinate)
        )

    def _find_in_subgraph(self, subgraph: str, coordinate: str) -> list[SubgraphLocation]:
        if subgraph not in self._documents:
            self._documents[subgraph] = _parse_sdl(self.sdls.get(subgraph, ""))
        document = self._documents[subgraph]
        found: list[SubgraphLocation] = []
        for node in [] if document is None else _find_nodes(document, coordinate):
            if node.loc is not None:
                line, column = get_location(node.loc.source, node.loc.start)
                found.append(SubgraphLocation(subgraph, line, column))
        return found


def _parse_sdl(sdl: str) -> DocumentNode | None:
    try:
        return parse(sdl)
    except (GraphQLError, RecursionError):
        return None


def _find_nodes(document: DocumentNode, coordinate: str) -> list[Any]:
    """The narrowest nodes that the coordinate names: its argument, else its field, else its type."""
    if coordinate == "schema":
        return [node for node in document.definitions if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)]
    told = _COORDINATE.match(coordinate)
    if told is None:
        return []
    owner, *inner = told.groups()
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
