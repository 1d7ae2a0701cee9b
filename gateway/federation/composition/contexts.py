"""What `@context` sets in a subgraph, and what `@fromContext` takes."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from graphql import GraphQLError, SelectionSetNode

from gateway.federation.fields import parse_fields
from gateway.federation.subgraph import Element, SubgraphSchema, TypeDefinition

_VALUE: Final = re.compile(r"^\s*\$\s*([A-Za-z_]\w*)\s*(\{.*\}|\.\.\..*)\s*$", re.DOTALL)


class ContextValue(NamedTuple):
    """What a `@fromContext` asks for: a selection on the types that set the context."""

    context: str
    selection: str


def read_context_value(argument: Element) -> ContextValue | None:
    """None where the argument takes nothing from a context, or does not say what in the form `$context { field }`."""
    for applied in argument.list_applied("fromContext"):
        found = _VALUE.match(str(applied.arguments.get("field")))
        if found:
            return ContextValue(found[1], found[2])
    return None


def find_context_setters(schema: SubgraphSchema) -> dict[str, list[TypeDefinition]]:
    """Types that set a context, by the context's name."""
    found: dict[str, list[TypeDefinition]] = {}
    for definition in schema.types.values():
        for applied in definition.list_applied("context"):
            found.setdefault(str(applied.arguments.get("name")), []).append(definition)
    return found


def list_context_selections(schema: SubgraphSchema) -> Iterator[tuple[str, SelectionSetNode]]:
    """The selections that contexts make use of, with the type each is on."""
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
