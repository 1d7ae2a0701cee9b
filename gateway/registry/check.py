"""Checks a subgraph before publication: ownership rules, composition, breaking changes, and the cost of plans."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from graphql import GraphQLSchema, build_schema, find_breaking_changes, parse

from gateway.federation.composition import CompositionResult, IncrementalComposer, SubgraphSource, compose
from gateway.federation.join import InvalidSupergraph, read_supergraph
from gateway.federation.subgraph import SubgraphSchema, parse_subgraph
from gateway.federation.supergraph import Supergraph
from gateway.registry import national_diff
from gateway.registry.ownership import LOCAL_CASE, Violation, find_violations
from gateway.registry.plans import PlanChange, compare_plans
from gateway.registry.prefixes import Prefix, PrefixIndex
from resolvers.request.composer import NO_GRAPH, PublishedGraph

NATIONAL: Final = "national"
_FIELD: Final = re.compile(r"\b[A-Za-z_]\w*\.[A-Za-z_]\w*")


class Finding(NamedTuple):
    """`kind` is RULE, COMPOSITION, BREAKING or HINT. A finding of the first two kinds prevents publication."""

    kind: str
    code: str
    message: str
    coordinate: str | None = None


class CheckResult(NamedTuple):
    """The outcome of a check. Both SDLs are empty if a finding prevents publication."""

    findings: tuple[Finding, ...]
    supergraph_sdl: str = ""
    api_schema: str = ""
    plans: tuple[PlanChange, ...] = ()

    @property
    def ok(self) -> bool:
        return bool(self.supergraph_sdl)


class PublishedSubgraph(NamedTuple):
    """An agency's subgraph, with the prefix of the names that it may define."""

    source: SubgraphSource
    prefix: Prefix


@dataclass(slots=True)
class Checker:
    """Checks publications one after the other. Unchanged subgraphs are not parsed again."""

    _composer: IncrementalComposer = field(default_factory=IncrementalComposer)
    _last: tuple[str, Supergraph] | None = None
    """SDL and supergraph of the last successful check. Once published, they are the graph before the next check."""

    def check(
        self,
        national: SubgraphSource,
        published: Sequence[PublishedSubgraph],
        candidate: PublishedSubgraph | None,
        before: PublishedGraph = NO_GRAPH,
    ) -> CheckResult:
        """Checks the graph in which the candidate replaces the published subgraph of its name.

        Without a candidate, checks that the published subgraphs still compose. `before` is the live graph.
        """
        after = [row for row in published if candidate is None or row.source.name != candidate.source.name]
        if candidate is not None:
            findings = tuple(_check_rules(national, candidate))
            if findings:
                return CheckResult(findings)
            after.append(candidate)
        composed = self._composer.compose([add_local_cases(national, after), *(row.source for row in after)])
        findings = tuple(_list_composition(composed))
        if composed.supergraph is None:
            return CheckResult(findings)
        changed = tuple(_check_unchanged(national, composed.supergraph, after))
        if changed:
            return CheckResult(findings + changed)
        standing = self._read_supergraph(before.supergraph) if before.supergraph else None
        plans = tuple(compare_plans(standing, composed.supergraph, before.uses)) if before.uses else ()
        broken = tuple(self._find_breaking(before, composed.supergraph.api_schema))
        self._last = (composed.supergraph_sdl, composed.supergraph)
        return CheckResult(broken + findings, composed.supergraph_sdl, composed.api_schema, plans)

    def _read_supergraph(self, sdl: str) -> Supergraph | None:
        if self._last is not None and self._last[0] == sdl:
            return self._last[1]
        try:
            return read_supergraph(sdl)
        except InvalidSupergraph:
            return None

    def _find_breaking(self, before: PublishedGraph, after: GraphQLSchema) -> Iterator[Finding]:
        if before.api_schema:
            is_last = self._last is not None and self._last[0] == before.supergraph
            known = self._last[1].api_schema if self._last and is_last else build_schema(before.api_schema)
            yield from list_breaking_changes(known, after)


def list_breaking_changes(before: GraphQLSchema, after: GraphQLSchema) -> list[Finding]:
    """Lists the changes that can break clients of the API schema `before`."""
    return [
        Finding("BREAKING", change.type.name, change.description, _find_coordinate(change.description))
        for change in find_breaking_changes(before, after)
    ]


def _find_coordinate(description: str) -> str | None:
    """Returns the `Type.field` that a change's description names; None if it is about a type or an enum value."""
    found = _FIELD.search(description)
    return None if found is None else found.group()


def add_local_cases(national: SubgraphSource, published: Iterable[PublishedSubgraph]) -> SubgraphSource:
    """Adds to the national subgraph a stub of each agency's LocalCase type; the national graph knows only its id."""
    names = sorted(name for row in published if (name := find_local_case(row)) is not None)
    stubs = "".join(
        f'\ntype {name} implements {LOCAL_CASE} @key(fields: "id", resolvable: false) '
        "{ id: ID! number: String @federation__external unit: String @federation__external "
        "url: String @federation__external }"
        for name in names
    )
    return national._replace(sdl=national.sdl + stubs)


@lru_cache(2_000)
def find_local_case(published: PublishedSubgraph) -> str | None:
    """Returns the name of the agency's LocalCase type, or None if its subgraph has none."""
    name = f"{published.prefix.type}{LOCAL_CASE}"
    if name not in published.source.sdl:
        return None
    definitions = parse(published.source.sdl, no_location=True).definitions
    names = (getattr(node, "name", None) for node in definitions)
    return name if any(node is not None and node.value == name for node in names) else None


@lru_cache(2)
def _compose_national(national: SubgraphSource) -> tuple[SubgraphSchema, Supergraph]:
    schema, supergraph = parse_subgraph(*national).schema, compose([national]).supergraph
    assert schema is not None  # noqa: S101 - the national subgraph is our own
    assert supergraph is not None  # noqa: S101
    return schema, supergraph


def _check_rules(national: SubgraphSource, candidate: PublishedSubgraph) -> Iterator[Finding]:
    own = parse_subgraph(*candidate.source)
    if own.schema is None:
        yield from (Finding("COMPOSITION", error.code, error.message) for error in own.errors)
        return
    for violation in find_violations(own.schema, _compose_national(national)[0], candidate.prefix):
        yield _to_finding(violation)


def _to_finding(violation: Violation) -> Finding:
    return Finding("RULE", violation.rule, violation.message, violation.coordinate)


def _list_composition(composed: CompositionResult) -> Iterator[Finding]:
    yield from (Finding("COMPOSITION", error.code, error.message) for error in composed.errors)
    yield from (Finding("HINT", hint.code, hint.message) for hint in composed.hints)


def _check_unchanged(
    national: SubgraphSource, composed: Supergraph, published: Iterable[PublishedSubgraph]
) -> Iterator[Finding]:
    prefixes = PrefixIndex.of(row.prefix for row in published)
    for sentence in national_diff.find_changes(_compose_national(national)[1], composed, prefixes, NATIONAL):
        yield Finding("RULE", "national-graph-unchanged", sentence)
