"""Parses selection sets that SDL holds as strings: the `fields` of `@key`, `@requires` and `@provides`."""

from functools import cache

from graphql import OperationDefinitionNode, SelectionSetNode, parse


@cache
def parse_fields(fields: str) -> SelectionSetNode:
    """Parses `"id owner { name }"`, with or without outer braces. Raises GraphQLSyntaxError."""
    text = fields.strip()
    document = parse(text if text.startswith("{") else f"{{ {text} }}", no_location=True)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - a bare selection set is one
    return operation.selection_set
