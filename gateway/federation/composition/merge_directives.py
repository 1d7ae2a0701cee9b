"""Merges what every element may carry: its description and the directives that belong in the supergraph."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from graphql import ConstDirectiveNode, NameNode, parse, print_ast

from gateway.federation.composition.agreement import by_value
from gateway.federation.composition.merged import MergedElement, Merging
from gateway.federation.directives import MERGED
from gateway.federation.subgraph import Applied, Element

_LISTS: Final = {"requiresScopes": "scopes", "policy": "policies"}


def merge_common(merging: Merging, named: Sequence[tuple[str, Element]], dest: MergedElement, coordinate: str) -> None:
    """Of (graph, element there) into the merged element: its description and its directives."""
    dest.graphs = [graph for graph, _ in named]
    _merge_description(merging, named, dest, coordinate)
    if any(element.directives for _, element in named):
        for name in MERGED:
            rows = [(graph, applied) for graph, element in named for applied in element.applied(name)]
            if rows:
                dest.directives += _merged(merging, name, rows, coordinate)
    for _, element in named:
        for node in element.custom:
            if node.name.value in merging.composed and node not in dest.directives:
                dest.directives.append(node)


def _merge_description(
    merging: Merging, named: Sequence[tuple[str, Element]], dest: MergedElement, coordinate: str
) -> None:
    """The description that most subgraphs give."""
    counted = Counter(element.description for _, element in named if element.description)
    if not counted:
        return
    dest.description = max(counted, key=lambda text: (counted[text], text))
    if len(counted) > 1:
        graphs = [graph for graph, element in named if element.description]
        message = f'"{coordinate}" has inconsistent descriptions across subgraphs: the most frequent is used.'
        merging.hint("INCONSISTENT_DESCRIPTION", message, graphs)


def _merged(
    merging: Merging, name: str, rows: list[tuple[str, Applied]], coordinate: str
) -> Iterable[ConstDirectiveNode]:
    applications = [applied for _, applied in rows]
    if name == "tag":
        return [
            _directive("tag", {"name": tag}) for tag in sorted({str(row.arguments["name"]) for row in applications})
        ]
    if name in _LISTS:
        return [_directive(name, {_LISTS[name]: _all_demanded(applications, _LISTS[name])})]
    if name == "cost":
        return [_directive(name, {"weight": max(int(row.arguments["weight"]) for row in applications)})]
    told = by_value((graph, print_ast(_canonical(name, applied.node))) for graph, applied in rows)
    if len(told) > 1:
        message = f'Non-repeatable directive @{name} is applied to "{coordinate}" with different arguments.'
        merging.hint("INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, [graph for graph, _ in rows])
    most_frequent = max(told, key=lambda printed: len(told[printed]))
    chosen = next(row for row in applications if print_ast(_canonical(name, row.node)) == most_frequent)
    return [_canonical(name, chosen.node)]


def _all_demanded(applications: list[Applied], argument: str) -> list[list[str]]:
    """Whatever any subgraph demands is demanded: alternatives of each combined with those of the others."""
    combined: set[frozenset[str]] = {frozenset()}
    for alternatives in {repr(row.arguments[argument]): row.arguments[argument] for row in applications}.values():
        combined = {one | frozenset(other) for one in combined for other in alternatives}
    kept = [row for row in combined if not any(other < row for other in combined)]
    return sorted(sorted(row) for row in kept)


def _canonical(name: str, node: ConstDirectiveNode) -> ConstDirectiveNode:
    if node.name.value == name:
        return node
    return ConstDirectiveNode(name=NameNode(value=name), arguments=node.arguments)


def _directive(name: str, arguments: dict[str, Any]) -> ConstDirectiveNode:
    printed = ", ".join(f"{key}: {_literal(value)}" for key, value in arguments.items())
    definition: Any = parse(f"scalar S @{name}({printed})", no_location=True).definitions[0]
    made: ConstDirectiveNode = definition.directives[0]
    return made


def _literal(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    """A GraphQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
