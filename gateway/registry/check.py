"""What publishing a subgraph would do: the rules of ownership, composition, what would break, what plans would cost."""

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
from gateway.registry import unchanged
from gateway.registry.ownership import LOCAL_CASE, Violation, violations
from gateway.registry.plans import PlanCost, plan_costs
from gateway.registry.prefixes import Owners, Prefix
from resolvers.request.composer import NOTHING_STANDS, Standing

NATIONAL: Final = "national"
_FIELD: Final = re.compile(r"\b[A-Za-z_]\w*\.[A-Za-z_]\w*")


class Finding(NamedTuple):
    """`kind` is RULE, COMPOSITION, BREAKING or HINT; only the last two let the subgraph be published."""

    kind: str
    code: str
    message: str
    coordinate: str | None = None


class Checked(NamedTuple):
    """The outcome; both SDLs are empty where something stands against it."""

    findings: tuple[Finding, ...]
    supergraph_sdl: str = ""
    api_schema: str = ""
    plans: tuple[PlanCost, ...] = ()

    @property
    def ok(self) -> bool:
        return bool(self.supergraph_sdl)


class Published(NamedTuple):
    """An agency's subgraph with the prefix that is its own."""

    source: SubgraphSource
    prefix: Prefix


@dataclass(slots=True)
class Checker:
    """Checks again and again: subgraphs that have not changed since the last time are not read again."""

    _composer: IncrementalComposer = field(default_factory=IncrementalComposer)
    _last: tuple[str, Supergraph] | None = None
    """What was composed last, mostly what is live the next time."""

    def check(
        self,
        national: SubgraphSource,
        published: Sequence[Published],
        candidate: Published | None,
        before: Standing = NOTHING_STANDS,
    ) -> Checked:
        """What becomes of the graph with the candidate in place of the published one of its name.

        Without a candidate, whether what is published still fits together.
        """
        after = [row for row in published if candidate is None or row.source.name != candidate.source.name]
        if candidate is not None:
            findings = tuple(_rules(national, candidate))
            if findings:
                return Checked(findings)
            after.append(candidate)
        composed = self._composer.compose([with_local_cases(national, after), *(row.source for row in after)])
        findings = tuple(_composition(composed))
        if composed.supergraph is None:
            return Checked(findings)
        changed = tuple(_unlike(national, composed.supergraph, after))
        if changed:
            return Checked(findings + changed)
        standing = self._read(before.supergraph) if before.supergraph else None
        plans = tuple(plan_costs(standing, composed.supergraph, before.uses)) if before.uses else ()
        broken = tuple(self._broken(before, composed.supergraph.api_schema))
        self._last = (composed.supergraph_sdl, composed.supergraph)
        return Checked(broken + findings, composed.supergraph_sdl, composed.api_schema, plans)

    def _read(self, sdl: str) -> Supergraph | None:
        if self._last is not None and self._last[0] == sdl:
            return self._last[1]
        try:
            return read_supergraph(sdl)
        except InvalidSupergraph:
            return None

    def _broken(self, before: Standing, after: GraphQLSchema) -> Iterator[Finding]:
        if before.api_schema:
            is_last = self._last is not None and self._last[0] == before.supergraph
            known = self._last[1].api_schema if self._last and is_last else build_schema(before.api_schema)
            yield from breaking_changes(known, after)


def breaking_changes(before: GraphQLSchema, after: GraphQLSchema) -> list[Finding]:
    """What clients of the API schema `before` would miss in `after`."""
    return [
        Finding("BREAKING", change.type.name, change.description, _coordinate(change.description))
        for change in find_breaking_changes(before, after)
    ]


def _coordinate(description: str) -> str | None:
    """The field that a change's sentence names; None where it is a type or a value that changes."""
    found = _FIELD.search(description)
    return None if found is None else found.group()


def with_local_cases(national: SubgraphSource, published: Iterable[Published]) -> SubgraphSource:
    """The national subgraph with a stub of each agency's type of LocalCase, which it names by id alone."""
    names = sorted(name for row in published if (name := local_case(row)) is not None)
    stubs = "".join(
        f'\ntype {name} implements {LOCAL_CASE} @key(fields: "id", resolvable: false) '
        "{ id: ID! number: String @federation__external unit: String @federation__external "
        "url: String @federation__external }"
        for name in names
    )
    return national._replace(sdl=national.sdl + stubs)


@lru_cache(2_000)
def local_case(published: Published) -> str | None:
    """The name of the agency's type of LocalCase, where its subgraph has one."""
    name = f"{published.prefix.type}{LOCAL_CASE}"
    if name not in published.source.sdl:
        return None
    definitions = parse(published.source.sdl, no_location=True).definitions
    names = (getattr(node, "name", None) for node in definitions)
    return name if any(node is not None and node.value == name for node in names) else None


@lru_cache(2)
def _alone(national: SubgraphSource) -> tuple[SubgraphSchema, Supergraph]:
    schema, supergraph = parse_subgraph(*national).schema, compose([national]).supergraph
    assert schema is not None  # noqa: S101 - the national subgraph is our own
    assert supergraph is not None  # noqa: S101
    return schema, supergraph


def _rules(national: SubgraphSource, candidate: Published) -> Iterator[Finding]:
    own = parse_subgraph(*candidate.source)
    if own.schema is None:
        yield from (Finding("COMPOSITION", error.code, error.message) for error in own.errors)
        return
    for violation in violations(own.schema, _alone(national)[0], candidate.prefix):
        yield _of_rule(violation)


def _of_rule(violation: Violation) -> Finding:
    return Finding("RULE", violation.rule, violation.message, violation.coordinate)


def _composition(composed: CompositionResult) -> Iterator[Finding]:
    yield from (Finding("COMPOSITION", error.code, error.message) for error in composed.errors)
    yield from (Finding("HINT", hint.code, hint.message) for hint in composed.hints)


def _unlike(national: SubgraphSource, composed: Supergraph, published: Iterable[Published]) -> Iterator[Finding]:
    owners = Owners.of(row.prefix for row in published)
    for sentence in unchanged.changes(_alone(national)[1], composed, owners, NATIONAL):
        yield Finding("RULE", "national-graph-unchanged", sentence)
