"""Plan nodes and their printer: which requests are sent, in which order, with what in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.federation.planner.fetches import Path, Representation, Selection
from gateway.federation.planner.selection import Conditions


@dataclass(frozen=True, slots=True)
class Entities:
    """One `_entities` field of a fetch: which objects it is about, and what identifies them."""

    alias: str
    path: Path
    type_name: str
    representation: tuple[Representation, ...]
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph; `path` and `entities` say where its answer belongs."""

    subgraph: str
    kind: str
    document: str
    variables: tuple[str, ...]
    entities: tuple[Entities, ...]
    path: Path
    conditions: Conditions
    after: tuple[int, ...]
    """Positions in the plan of the fetches that must have answered."""

    @property
    def is_entity(self) -> bool:
        return bool(self.entities)


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The fetches of an operation in an order in which they can be sent; `in_series` for mutations."""

    kind: str
    fetches: tuple[Fetch, ...]


def printed_selection(selection: Selection) -> str:
    """`{ id name … on User { email } }`, as it stands in a request."""
    return "{ " + " ".join(_parts(selection)) + " }"


def _parts(selection: Selection) -> Iterator[str]:
    for asked in selection.fields.values():
        alias = "" if asked.key == asked.name else f"{asked.key}: "
        arguments = f"({asked.arguments})" if asked.arguments else ""
        inside = "" if asked.inside is None else " " + printed_selection(_filled(asked.inside))
        yield _conditional(f"{alias}{asked.name}{arguments}", asked.conditions, inside)
    for type_name, narrowed in selection.fragments.items():
        yield f"... on {type_name} {printed_selection(_filled(narrowed))}"


def _conditional(field: str, conditions: Conditions, inside: str) -> str:
    """The field with its directives; of each kind it takes one, so that more are said by fragments around it."""
    included = [f"@include(if: ${variable})" for variable, wanted in sorted(conditions) if wanted]
    skipped = [f"@skip(if: ${variable})" for variable, wanted in sorted(conditions) if not wanted]
    printed = " ".join([field, *included[:1], *skipped[:1]]) + inside
    for directive in (*included[1:], *skipped[1:]):
        printed = f"... {directive} {{ {printed} }}"
    return printed


def _filled(selection: Selection) -> Selection:
    """A selection set must not be empty."""
    if not selection.fields and not selection.fragments:
        selection.ask_typename()
    return selection


def printed(plan: QueryPlan) -> str:
    """The plan for people: fetches by the wave in which they are sent."""
    lines = ["QueryPlan {"]
    for number, fetch in enumerate(plan.fetches):
        after = f", after: {', '.join(map(str, fetch.after))}" if fetch.after else ""
        lines.append(f"  Fetch #{number}(service: {fetch.subgraph!r}{after}) {{")
        lines += [f"    Flatten(path: {_path(entities.path)})" for entities in fetch.entities]
        lines += [f"    {fetch.document}", "  }"]
    return "\n".join([*lines, "}"])


def as_json(plan: QueryPlan) -> dict[str, Any]:
    """The plan for `extensions.queryPlan`."""
    fetches = [
        {
            "kind": "Fetch",
            "serviceName": fetch.subgraph,
            "operation": fetch.document,
            "variableUsages": list(fetch.variables),
            "paths": [_path(entities.path) for entities in fetch.entities],
            "after": list(fetch.after),
        }
        for fetch in plan.fetches
    ]
    return {"kind": "QueryPlan", "operation": plan.kind, "fetches": fetches}


def _path(path: Path) -> str:
    return ".".join(element if isinstance(element, str) else f"|[{','.join(sorted(element))}]" for element in path)
