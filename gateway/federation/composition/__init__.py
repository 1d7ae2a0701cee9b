"""Composes subgraphs into a supergraph, or says why they cannot be."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from graphql import print_schema

from gateway.federation.composition.inaccessible import check_inaccessible
from gateway.federation.composition.join_print import print_supergraph
from gateway.federation.composition.merge import merge
from gateway.federation.composition.merged import Member, Merging
from gateway.federation.composition.model import supergraph
from gateway.federation.composition.roles import roles
from gateway.federation.composition.satisfiability import check_satisfiability
from gateway.federation.composition.upgrade import first_keys, upgrade
from gateway.federation.composition.validate import validate_subgraph
from gateway.federation.hints import CompositionError, Hint
from gateway.federation.subgraph import Parsed, parse_subgraph
from gateway.federation.supergraph import Supergraph

__all__ = ["Composed", "CompositionError", "Hint", "SubgraphSource", "compose"]

_NAME: Final = re.compile(r"^[a-zA-Z][\w\-]*$", re.ASCII)


class SubgraphSource(NamedTuple):
    """A subgraph as it is registered."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True, slots=True)
class Composed:
    """The outcome; without a supergraph, `errors` says why and both SDLs are empty."""

    errors: tuple[CompositionError, ...] = ()
    hints: tuple[Hint, ...] = ()
    supergraph: Supergraph | None = None
    supergraph_sdl: str = ""
    api_schema: str = ""

    @property
    def ok(self) -> bool:
        return self.supergraph is not None


def compose(subgraphs: Sequence[SubgraphSource]) -> Composed:
    """The outcome does not depend on the order of the subgraphs."""
    sources = sorted(subgraphs)
    errors = list(_check_names(sources))
    if errors:
        return Composed(tuple(errors))
    parsed = [_parsed(source) for source in sources]
    errors = [error for row in parsed for error in row.errors]
    if errors:
        return Composed(tuple(errors))
    members, errors = _members(parsed)
    if errors:
        return Composed(tuple(errors))
    merging = merge(members)
    if not merging.errors:
        check_inaccessible(merging)
    if merging.errors:
        return _refused(merging)
    made = supergraph(merging)
    merging.errors += check_satisfiability(made)
    if merging.errors:
        return _refused(merging)
    return Composed((), tuple(merging.hints), made, print_supergraph(merging), print_schema(made.api_schema))


def _refused(merging: Merging) -> Composed:
    return Composed(tuple(dict.fromkeys(merging.errors)), tuple(merging.hints))


def _check_names(sources: Sequence[SubgraphSource]) -> Iterator[CompositionError]:
    seen: set[str] = set()
    for source in sources:
        if not _NAME.match(source.name):
            message = f'Invalid name "{source.name}" for a subgraph: a letter first, then letters, digits, "_" and "-".'
            yield CompositionError("INVALID_SUBGRAPH_NAME", message, (source.name,))
        if source.name in seen:
            message = f'A subgraph named "{source.name}" exists twice: names must be unique.'
            yield CompositionError("INVALID_SUBGRAPH_NAME", message, (source.name,))
        seen.add(source.name)


def _parsed(source: SubgraphSource) -> Parsed:
    return parse_subgraph(*source)


def _members(parsed: Sequence[Parsed]) -> tuple[list[Member], list[CompositionError]]:
    schemas = [row.schema for row in parsed if row.schema is not None]
    owner_keys = first_keys(schemas)
    members: list[Member] = []
    errors: list[CompositionError] = []
    for schema in schemas:
        upgrade(schema, owner_keys)
        member = Member(schema, roles(schema))
        errors += validate_subgraph(schema, member.roles)
        members.append(member)
    return members, errors
