"""Reads `@context` and `@fromContext` in a subgraph."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import GraphQLError, SelectionSetNode

from gateway.federation.fields import parse_fields
from gateway.federation.subgraph import Element, SubgraphSchema, TypeDefinition

# `$user { name }` or, with a selection for each type, `$user ... on Clerk { name } ... on Citizen { alias }`
_VALUE: Final = re.compile(r"^\s*\$\s*([A-Za-z_]\w*)\s*(\{.*\}|\.\.\..*)\s*$", re.DOTALL)


class ContextValue(NamedTuple):
    """The parts of a `@fromContext`: `"$user { name }"` is the context `user` and the selection `{ name }`."""

    context: str
    selection: str


def read_context_value(argument: Element) -> ContextValue | None:
    """Returns None for an argument without `@fromContext`, or with one that is not written `$context { field }`."""
    for applied in argument.list_applied("fromContext"):
        match = _VALUE.match(str(applied.arguments.get("field")))
        if match:
            return ContextValue(match[1], match[2])
    return None


def find_context_setters(schema: SubgraphSchema) -> dict[str, list[TypeDefinition]]:
    """Returns the types that set each context, by the context's name."""
    setters: dict[str, list[TypeDefinition]] = {}
    for definition in schema.types.values():
        for applied in definition.list_applied("context"):
            setters.setdefault(str(applied.arguments.get("name")), []).append(definition)
    return setters


def list_context_selections(schema: SubgraphSchema) -> Iterator[tuple[str, SelectionSetNode]]:
    """Yields (type that sets a context, selection that a `@fromContext` applies to it)."""
    contexts = find_context_setters(schema)
    for definition in schema.types.values():
        for field in definition.fields.values():
            for argument in field.arguments.values():
                value = read_context_value(argument)
                for owner in contexts.get(value.context, ()) if value else ():
                    try:
                        yield owner.name, parse_fields(value.selection if value else "")
                    except GraphQLError:
                        continue
