"""What publishing a subgraph would do: the rules of ownership, composition, and what would break."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from graphql import (
    DefinitionNode,
    DocumentNode,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    lexicographic_sort_schema,
    parse,
    print_schema,
)
from graphql.utilities import build_ast_schema

from gateway.federation.composition import Composed, SubgraphSource, compose
from gateway.federation.subgraph import parse_subgraph
from gateway.registry.ownership import LOCAL_CASE, Prefix, Violation, violations

NATIONAL: Final = "national"
_FIELD: Final = re.compile(r"\b[A-Za-z_]\w*\.[A-Za-z_]\w*")


class Finding(NamedTuple):
    """`kind` is RULE, COMPOSITION, BREAKING or HINT; only a hint lets the subgraph be published."""

    kind: str
    code: str
    message: str
    coordinate: str | None = None


class Checked(NamedTuple):
    """The outcome; both SDLs are empty where something stands against it."""

    findings: tuple[Finding, ...]
    supergraph_sdl: str = ""
    api_schema: str = ""

    @property
    def ok(self) -> bool:
        return bool(self.supergraph_sdl)


class Published(NamedTuple):
    """An agency's subgraph with the prefix that is its own."""

    source: SubgraphSource
    prefix: Prefix


def check(
    national: SubgraphSource, published: Sequence[Published], candidate: Published | None, before: str = ""
) -> Checked:
    """What becomes of the graph with the candidate in place of the published one of its name.

    Without a candidate, whether what is published still fits together. `before` is the API schema that clients know.
    """
    after = [row for row in published if candidate is None or row.source.name != candidate.source.name]
    if candidate is not None:
        findings = tuple(_rules(national, candidate))
        if findings:
            return Checked(findings)
        after.append(candidate)
    sources = [with_local_cases(national, after), *(row.source for row in after)]
    composed = compose(sources)
    findings = tuple(_composition(composed))
    if not composed.ok:
        return Checked(findings)
    alone = compose([national]).api_schema
    changed = tuple(_unlike(alone, composed.api_schema, [row.prefix for row in after]))
    if changed:
        return Checked(findings + changed)
    broken = tuple(breaking_changes(before, composed.api_schema)) if before else ()
    return Checked(broken + findings, composed.supergraph_sdl, composed.api_schema)


def breaking_changes(before: str, after: str) -> list[Finding]:
    """What clients of the API schema `before` would miss in `after`."""
    changes = find_breaking_changes(build_schema(before), build_schema(after))
    return [
        Finding("BREAKING", change.type.name, change.description, _coordinate(change.description)) for change in changes
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


def local_case(published: Published) -> str | None:
    """The name of the agency's type of LocalCase, where its subgraph has one."""
    name = f"{published.prefix.type}{LOCAL_CASE}"
    definitions = parse(published.source.sdl, no_location=True).definitions
    return name if any(_name(node) == name for node in definitions) else None


def _rules(national: SubgraphSource, candidate: Published) -> Iterator[Finding]:
    own = parse_subgraph(*candidate.source)
    if own.schema is None:
        yield from (Finding("COMPOSITION", error.code, error.message) for error in own.errors)
        return
    there = parse_subgraph(*national).schema
    assert there is not None  # noqa: S101 - the national subgraph is our own
    for violation in violations(own.schema, there, candidate.prefix):
        yield _of_rule(violation)


def _of_rule(violation: Violation) -> Finding:
    return Finding("RULE", violation.rule, violation.message, violation.coordinate)


def _composition(composed: Composed) -> Iterator[Finding]:
    yield from (Finding("COMPOSITION", error.code, error.message) for error in composed.errors)
    yield from (Finding("HINT", hint.code, hint.message) for hint in composed.hints)


def _unlike(before: str, after: str, prefixes: Sequence[Prefix]) -> Iterator[Finding]:
    """The proof of ownership: what the composed graph holds besides prefixed elements is the national graph.

    It does not depend on the rules: a rule that were missing or wrong would show here.
    """
    expected, found = _printed(build_schema(before)), _printed(_without_added(after, prefixes))
    if expected != found:
        lines = set(found.splitlines()) ^ set(expected.splitlines())
        yield Finding(
            "RULE",
            "national-graph-unchanged",
            f"The national graph would not be as it was: {'; '.join(sorted(line.strip() for line in lines)[:5])}.",
        )


def _printed(schema: GraphQLSchema) -> str:
    return print_schema(lexicographic_sort_schema(schema))


def _without_added(api_schema: str, prefixes: Sequence[Prefix]) -> GraphQLSchema:
    kept = [
        _without_fields(node, prefixes)
        for node in parse(api_schema, no_location=True).definitions
        if not any(prefix.owns_type(_name(node)) for prefix in prefixes)
    ]
    return build_ast_schema(DocumentNode(definitions=tuple(kept)), assume_valid=True, assume_valid_sdl=True)


def _without_fields(node: DefinitionNode, prefixes: Sequence[Prefix]) -> DefinitionNode:
    fields: Any = getattr(node, "fields", None)
    if not fields:
        return node
    kept = tuple(row for row in fields if not any(prefix.owns_field(row.name.value) for prefix in prefixes))
    return type(node)(**{key: getattr(node, key) for key in node.keys} | {"fields": kept})


def _name(node: DefinitionNode) -> str:
    name = getattr(node, "name", None)
    return "" if name is None else str(name.value)
