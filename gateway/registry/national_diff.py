"""Proves that a composed graph changes nothing of the national graph except names that agencies own.

The proof compares the graphs and does not use the ownership rules, so it also finds a rule that is missing or wrong.
"""

from collections.abc import Iterator
from typing import Any, Final

from graphql import GraphQLNamedType, GraphQLSchema, is_introspection_type, print_ast, specified_directives
from graphql.type import is_specified_scalar_type

from gateway.federation.supergraph import Supergraph
from gateway.registry.prefixes import PrefixIndex

_SORTED: Final = ("arguments", "fields", "interfaces", "types", "values")
_TOLD_LINES: Final = 5


def find_changes(national: Supergraph, composed: Supergraph, prefixes: PrefixIndex, subgraph: str) -> Iterator[str]:
    """Yields a sentence for each difference: in the API schema, and in the subgraphs that resolve national fields.

    If the national subgraph still resolves all its fields, a national operation gets no additional fetch.
    """
    known = national.api_schema
    expected, found = (
        _print_definitions(known, known, prefixes),
        _print_definitions(composed.api_schema, known, prefixes),
    )
    if expected != found:
        lines = set("\n".join(expected).splitlines()) ^ set("\n".join(found).splitlines())
        told = "; ".join(sorted(line.strip() for line in lines)[:_TOLD_LINES])
        yield f"The national graph would not be as it was: {told}."
    alone, among = national.subgraphs[subgraph].types, composed.subgraphs[subgraph].types
    moved = [
        f"{type_name}.{name}"
        for type_name, here in alone.items()
        for name, field in here.fields.items()
        if type_name not in among or among[type_name].fields.get(name) != field
    ]
    if moved:
        yield f"Others would be asked for national fields: {', '.join(moved[:_TOLD_LINES])}."


def _print_definitions(schema: GraphQLSchema, national: GraphQLSchema, prefixes: PrefixIndex) -> list[str]:
    """Prints every definition of a schema, without additions that agencies own. Order does not matter."""
    rows = [
        _print_canonical(_drop_added(named.ast_node, national.type_map.get(name), prefixes))
        for name, named in sorted(schema.type_map.items())
        if not is_introspection_type(named) and not is_specified_scalar_type(named)
        if name in national.type_map or not prefixes.owns_type(name)
    ]
    own = sorted((row for row in schema.directives if row not in specified_directives), key=lambda row: row.name)
    return rows + [_print_canonical(row.ast_node) for row in own]


def _drop_added(node: Any, national: GraphQLNamedType | None, prefixes: PrefixIndex) -> Any:
    fields = getattr(node, "fields", None)
    if not fields:
        return node
    known = getattr(national, "fields", {})
    kept = (row for row in fields if row.name.value in known or not prefixes.owns_field(row.name.value))
    return _replace(node, {"fields": tuple(kept)})


def _print_canonical(node: Any) -> str:
    return print_ast(_sort(node))


def _sort(node: Any) -> Any:
    """Sorts all parts of a definition: their order depends on the order of composition, and clients do not see it."""
    found = {key: getattr(node, key, None) for key in _SORTED}
    rows = {key: tuple(sorted(map(_sort, value), key=_read_name)) for key, value in found.items() if value}
    return _replace(node, rows) if rows else node


def _replace(node: Any, find_changes: dict[str, Any]) -> Any:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | find_changes)


def _read_name(node: Any) -> str:
    return str(node.name.value)
