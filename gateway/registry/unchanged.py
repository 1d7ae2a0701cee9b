"""The proof of ownership: but for what agencies own by their prefixes, the composed graph is the national graph.

It does not depend on the rules: a rule that were missing or wrong would show here.
"""

from collections.abc import Iterator
from typing import Any, Final

from graphql import GraphQLNamedType, GraphQLSchema, is_introspection_type, print_ast, specified_directives
from graphql.type import is_specified_scalar_type

from gateway.federation.supergraph import Supergraph
from gateway.registry.prefixes import Owners

_SORTED: Final = ("arguments", "fields", "interfaces", "types", "values")
_TOLD_LINES: Final = 5


def changes(national: Supergraph, composed: Supergraph, owners: Owners, subgraph: str) -> Iterator[str]:
    """What is not as it was, in a sentence each: what clients see, and whom national fields are asked of.

    A national operation gains no fetch where the national subgraph resolves each of its fields as it did.
    """
    known = national.api_schema
    expected, found = _printed(known, known, owners), _printed(composed.api_schema, known, owners)
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


def _printed(schema: GraphQLSchema, national: GraphQLSchema, owners: Owners) -> list[str]:
    """Every definition of a schema, without what the national one has not and agencies own."""
    rows = [
        _canonical(_without_added(named.ast_node, national.type_map.get(name), owners))
        for name, named in sorted(schema.type_map.items())
        if not is_introspection_type(named) and not is_specified_scalar_type(named)
        if name in national.type_map or not owners.own_type(name)
    ]
    own = sorted((row for row in schema.directives if row not in specified_directives), key=lambda row: row.name)
    return rows + [_canonical(row.ast_node) for row in own]


def _without_added(node: Any, national: GraphQLNamedType | None, owners: Owners) -> Any:
    fields = getattr(node, "fields", None)
    if not fields:
        return node
    known = getattr(national, "fields", {})
    kept = (row for row in fields if row.name.value in known or not owners.own_field(row.name.value))
    return _changed(node, {"fields": tuple(kept)})


def _canonical(node: Any) -> str:
    return print_ast(_ordered(node))


def _ordered(node: Any) -> Any:
    """The order in which subgraphs were merged is nothing that clients see."""
    found = {key: getattr(node, key, None) for key in _SORTED}
    rows = {key: tuple(sorted(map(_ordered, value), key=_name)) for key, value in found.items() if value}
    return _changed(node, rows) if rows else node


def _changed(node: Any, changes: dict[str, Any]) -> Any:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)


def _name(node: Any) -> str:
    return str(node.name.value)
