"""Composes subgraphs into a supergraph, or returns the errors that prevent it.

The phases, in order: read each SDL, check it, upgrade Federation 1 to 2, merge by name, apply a contract, build the
planner's model, check that every query can be answered, print. A phase with errors is the last one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from graphql import print_schema

from gateway.federation.composition.contract import Contract, apply_contract
from gateway.federation.composition.guards import check_guards
from gateway.federation.composition.join_printer import list_features, print_supergraph
from gateway.federation.composition.merge import merge_subgraphs
from gateway.federation.composition.merge_state import Member, Merging
from gateway.federation.composition.model import build_supergraph
from gateway.federation.composition.roles import find_roles
from gateway.federation.composition.satisfiability import check_satisfiability
from gateway.federation.composition.upgrade import (
    OwnerDeclarations,
    check_bases,
    collect_owner_declarations,
    upgrade_subgraph,
)
from gateway.federation.composition.validation import validate_subgraph
from gateway.federation.directives import OWN_SPECIFICATIONS, find_first_version
from gateway.federation.hints import CompositionError, Hint
from gateway.federation.subgraph import SubgraphSchema, parse_subgraph
from gateway.federation.supergraph import Supergraph

__all__ = [
    "CompositionError",
    "CompositionResult",
    "Contract",
    "Hint",
    "IncrementalComposer",
    "SubgraphSource",
    "compose",
]

_NAME: Final = re.compile(r"^[a-zA-Z][\w\-]*$", re.ASCII)


class SubgraphSource(NamedTuple):
    """A subgraph's name, URL and SDL."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True, slots=True)
class CompositionResult:
    """The outcome of a composition. With errors there is no supergraph, and both SDLs are empty."""

    errors: tuple[CompositionError, ...] = ()
    hints: tuple[Hint, ...] = ()
    supergraph: Supergraph | None = None
    supergraph_sdl: str = ""
    api_schema: str = ""
    features: tuple[dict[str, str], ...] = ()
    """Linked features that a router must enforce: `url` and `for` of each."""

    @property
    def ok(self) -> bool:
        return self.supergraph is not None


class _CheckedSubgraph(NamedTuple):
    """A subgraph after reading and checking; `owners` is what it was upgraded with, if it is Federation 1."""

    schema: SubgraphSchema | None
    errors: tuple[CompositionError, ...]
    member: Member | None = None
    owners: OwnerDeclarations | None = None


@dataclass(slots=True)
class IncrementalComposer:
    """Composes repeatedly; reuses the checked model of each subgraph that has not changed since the last time."""

    _checked: dict[SubgraphSource, _CheckedSubgraph] = field(default_factory=dict)

    def compose(self, subgraphs: Sequence[SubgraphSource], contract: Contract | None = None) -> CompositionResult:
        """Composes the subgraphs. Their order and earlier compositions do not influence the outcome."""
        # By name: the order of the subgraphs must not show in messages or in the SDL.
        sources = sorted(subgraphs)
        errors = list(_check_names(sources))
        if errors:
            return CompositionResult(tuple(errors))
        earlier, self._checked = self._checked, {}
        for source in sources:
            self._checked[source] = earlier.get(source) or _CheckedSubgraph(*parse_subgraph(*source))
        # Federation 1 subgraphs come second: their upgrade reads what the subgraphs that own their types declare.
        self._check_subgraphs(lambda schema: not schema.is_fed1)
        errors = self._list_errors() or check_bases(
            [row.schema for row in self._checked.values() if row.schema is not None]
        )
        if not errors:
            self._check_subgraphs(lambda schema: schema.is_fed1)
        errors = errors or self._list_errors()
        if errors:
            return CompositionResult(tuple(errors))
        return _compose_members([row.member for row in self._checked.values() if row.member is not None], contract)

    def _check_subgraphs(self, is_selected: Callable[[SubgraphSchema], bool]) -> None:
        all_owners = collect_owner_declarations(
            [row.schema for row in self._checked.values() if row.schema is not None]
        )
        for source, row in self._checked.items():
            if row.schema is not None and is_selected(row.schema):
                self._checked[source] = _check_subgraph(source, row, all_owners)

    def _list_errors(self) -> list[CompositionError]:
        return [error for row in self._checked.values() for error in row.errors]


def compose(subgraphs: Sequence[SubgraphSource], contract: Contract | None = None) -> CompositionResult:
    """Composes the subgraphs once. Their order does not influence the outcome."""
    return IncrementalComposer().compose(subgraphs, contract)


def _check_subgraph(source: SubgraphSource, row: _CheckedSubgraph, all_owners: OwnerDeclarations) -> _CheckedSubgraph:
    """Upgrades a Federation 1 subgraph and checks any subgraph; returns `row` where its result is still valid.

    An upgrade changes the model in place: if the owners of the subgraph's types have changed since, the SDL is read
    again.
    """
    schema = row.schema
    if schema is None:
        return row
    declarations = all_owners.select_for(schema) if schema.is_fed1 else None
    if row.member is not None and row.owners == declarations:
        return row
    if row.member is not None:
        schema = parse_subgraph(*source).schema
    if schema is None:
        return row
    errors = upgrade_subgraph(schema, declarations) if declarations is not None else ()
    member = Member(schema, find_roles(schema))
    return _CheckedSubgraph(schema, errors or validate_subgraph(schema, member.roles), member, declarations)


def _compose_members(members: list[Member], contract: Contract | None) -> CompositionResult:
    merging = merge_subgraphs(members)
    _hint_on_upgrades(merging)
    if not merging.errors:
        check_guards(merging)
        if contract is not None:
            apply_contract(merging, contract)
    supergraph = None if merging.errors else build_supergraph(merging)
    if supergraph is not None:
        check_satisfiability(supergraph, merging)
    if supergraph is None or merging.errors:
        return CompositionResult(tuple(dict.fromkeys(merging.errors)), tuple(merging.hints))
    return CompositionResult(
        (),
        tuple(merging.hints),
        supergraph,
        print_supergraph(merging),
        print_schema(supergraph.api_schema),
        list_features(merging),
    )


def _hint_on_upgrades(merging: Merging) -> None:
    """Adds a hint for each subgraph that links a specification newer than its version of Federation."""
    for member in merging.members:
        version = member.schema.links.version
        for link in member.schema.links.entries if version is not None else ():
            needed = (
                find_first_version(OWN_SPECIFICATIONS[link.specification][0]) if link.is_own_specification else (2, 0)
            )
            if version is not None and needed > version:
                versions = f"v{version[0]}.{version[1]} to v{needed[0]}.{needed[1]}"
                message = f"Subgraph {member.name} has been implicitly upgraded from federation {versions}."
                merging.add_hint("IMPLICITLY_UPGRADED_FEDERATION_VERSION", message, (member.name,), "schema")


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
