"""Merges the description and the directives of an element, which every kind of element may have."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from graphql import ConstDirectiveNode, NameNode, parse, print_ast, value_from_ast_untyped

from gateway.federation.composition.agreement import group_by_value
from gateway.federation.composition.merge_state import MergedElement, Merging
from gateway.federation.directives import MERGED_DIRECTIVES
from gateway.federation.subgraph import AppliedDirective, Element

_LISTS: Final = {"requiresScopes": "scopes", "policy": "policies"}
_COMBINED: Final = frozenset({*_LISTS, "cost", "listSize"})
"""Directives that merge argument by argument."""


def merge_common(merging: Merging, named: Sequence[tuple[str, Element]], dest: MergedElement, coordinate: str) -> None:
    """Merges descriptions and directives into `dest`. `named` holds (subgraph, its element)."""
    dest.graphs = [graph for graph, _ in named]
    _merge_description(merging, named, dest, coordinate)
    if any(element.directives for _, element in named):
        for name in MERGED_DIRECTIVES:
            rows = [(graph, applied) for graph, element in named for applied in element.list_applied(name)]
            if rows:
                dest.directives += _merge_applications(merging, name, rows, coordinate)
        dest.directives += _build_context_directives(named)
    if merging.composed and any(element.custom for _, element in named):
        _add_composed_directives(merging, named, dest, coordinate)


def _add_composed_directives(
    merging: Merging, named: Sequence[tuple[str, Element]], dest: MergedElement, coordinate: str
) -> None:
    """Adds directives of `@composeDirective`: every application if repeatable, else the most frequent one."""
    for name in merging.composed:
        rows = [(graph, node) for graph, element in named for node in element.custom if node.name.value == name]
        graphs_by_printed = group_by_value((graph, print_ast(node)) for graph, node in rows)
        distinct = {print_ast(node): node for _, node in rows}
        is_repeatable = any(
            name in member.schema.directive_definitions and member.schema.directive_definitions[name].repeatable
            for member in merging.members
        )
        if is_repeatable or len(distinct) < 2:
            dest.directives += distinct.values()
            continue
        message = f'Non-repeatable directive @{name} is applied to "{coordinate}" with different arguments.'
        graphs = [graph for graph, _ in rows]
        merging.add_hint("INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, graphs, coordinate)
        dest.directives.append(distinct[max(distinct, key=lambda printed: len(graphs_by_printed[printed]))])


def _build_context_directives(named: Sequence[tuple[str, Element]]) -> list[ConstDirectiveNode]:
    """Builds `@context` with the subgraph's name as a prefix: a context is visible only in its own subgraph."""
    return [
        _build_directive("context", {"name": f"{graph}__{applied.arguments.get('name')}"})
        for graph, element in named
        for applied in element.list_applied("context")
    ]


def _merge_description(
    merging: Merging, named: Sequence[tuple[str, Element]], dest: MergedElement, coordinate: str
) -> None:
    """Takes the description that most subgraphs have."""
    counted = Counter(element.description for _, element in named if element.description)
    if not counted:
        return
    # The text decides between equally frequent ones, so that the order of the subgraphs does not.
    dest.description = max(counted, key=lambda text: (counted[text], text))
    if len(counted) > 1:
        graphs = [graph for graph, element in named if element.description]
        message = f'"{coordinate}" has inconsistent descriptions across subgraphs: the most frequent is used.'
        merging.add_hint("INCONSISTENT_DESCRIPTION", message, graphs, coordinate)


def _merge_applications(
    merging: Merging, name: str, rows: list[tuple[str, AppliedDirective]], coordinate: str
) -> Iterable[ConstDirectiveNode]:
    """Merges all applications of one directive to one element; `rows` holds (subgraph, application).

    # @tag: every distinct name    @cost: the largest weight    @requiresScopes: what all of them demand
    # others: the application that most subgraphs have
    """
    applications = [applied for _, applied in rows]
    if name == "tag":
        return [
            _build_directive("tag", {"name": tag})
            for tag in sorted({str(row.arguments["name"]) for row in applications})
        ]
    if name in _COMBINED and len({repr(row.arguments) for row in applications}) > 1:
        message = f'Directive @{name} is applied to "{coordinate}" with different arguments, which are combined.'
        merging.add_hint("MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, [graph for graph, _ in rows], coordinate)
    if name in _LISTS:
        return [_build_directive(name, {_LISTS[name]: _combine_demands(applications, _LISTS[name])})]
    if name == "cost":
        return [_build_directive(name, {"weight": max(int(row.arguments["weight"]) for row in applications)})]
    if name == "listSize":
        return [_merge_list_sizes(applications)]
    graphs_by_printed = group_by_value(
        (graph, print_ast(_rename_directive(name, applied.node))) for graph, applied in rows
    )
    if len(graphs_by_printed) > 1:
        message = f'Non-repeatable directive @{name} is applied to "{coordinate}" with different arguments.'
        merging.add_hint(
            "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, [graph for graph, _ in rows], coordinate
        )
    most_frequent = max(graphs_by_printed, key=lambda printed: len(graphs_by_printed[printed]))
    chosen = next(row for row in applications if print_ast(_rename_directive(name, row.node)) == most_frequent)
    return [_rename_directive(name, chosen.node)]


def _merge_list_sizes(applications: list[AppliedDirective]) -> ConstDirectiveNode:
    """Takes the largest `assumedSize`, and every name in the two lists: the cost must not be underestimated."""
    arguments: dict[str, Any] = {}
    sizes = [int(row.arguments["assumedSize"]) for row in applications if row.arguments.get("assumedSize") is not None]
    if sizes:
        arguments["assumedSize"] = max(sizes)
    for argument in ("slicingArguments", "sizedFields"):
        names = [row.arguments[argument] for row in applications if row.arguments.get(argument) is not None]
        if names:
            listed = [name for row in names for name in (row if isinstance(row, list) else [row])]
            arguments[argument] = sorted(set(listed))
    arguments["requireOneSlicingArgument"] = all(
        row.arguments.get("requireOneSlicingArgument", True) is not False for row in applications
    )
    return _build_directive("listSize", arguments)


def _combine_demands(applications: list[AppliedDirective], argument: str) -> list[list[str]]:
    """Combines the alternatives of all subgraphs, so that the caller must meet the demand of each.

    # [[a], [b]] and [[c]] → [[a, c], [b, c]]; a set that contains another one is redundant and dropped.
    """
    combined: set[frozenset[str]] = {frozenset()}
    for alternatives in {repr(row.arguments[argument]): row.arguments[argument] for row in applications}.values():
        combined = {one | frozenset(other) for one in combined for other in alternatives}
    kept = [row for row in combined if not any(other < row for other in combined)]
    return sorted(sorted(row) for row in kept)


def _rename_directive(name: str, node: ConstDirectiveNode) -> ConstDirectiveNode:
    """Gives the directive its name in the supergraph instead of its local one."""
    if node.name.value == name:
        return node
    return ConstDirectiveNode(name=NameNode(value=name), arguments=node.arguments)


def _build_directive(name: str, arguments: dict[str, Any]) -> ConstDirectiveNode:
    # Parsing printed text builds the nested value nodes of lists.
    printed = ", ".join(f"{key}: {_print_literal(value)}" for key, value in arguments.items())
    definition: Any = parse(f"scalar S @{name}({printed})", no_location=True).definitions[0]
    directive: ConstDirectiveNode = definition.directives[0]
    return directive


def find_context_types(merging: Merging) -> dict[str, frozenset[str]]:
    """Returns the types that have `@context`, by the context's name in the supergraph."""
    types: dict[str, frozenset[str]] = {}
    for dest in merging.types.values():
        for applied in dest.directives:
            if applied.name.value == "context":
                name = str(read_argument(applied))
                types[name] = types.get(name, frozenset()) | {dest.name}
    return types


def read_argument(directive: ConstDirectiveNode) -> Any:
    """Returns the value of a directive's only argument."""
    return next(value_from_ast_untyped(argument.value) for argument in directive.arguments or ())


def _print_literal(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_print_literal(item) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return quote_string(value) if isinstance(value, str) else str(value)


def quote_string(text: str) -> str:
    """Returns a GraphQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
