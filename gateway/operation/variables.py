"""Chooses the operation and coerces its variables."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode
from graphql.execution.values import get_variable_values

from gateway.operation.document import CheckedDocument, Documents, InvalidDocument


def chosen(checked: CheckedDocument, name: str | None) -> OperationDefinitionNode:
    """The operation of that name, or the only one. Raises InvalidDocument."""
    if name is not None and name not in checked.operations:
        raise _bad_input(f"There is no operation {name!r} in the document.")
    if name is None and len(checked.operations) != 1:
        raise _bad_input(f"The document has {len(checked.operations)} operations: say in operationName which to run.")
    return checked.operations[name] if name is not None else next(iter(checked.operations.values()))


def coerced(
    documents: Documents, definition: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The variables' values, defaults filled in. Raises InvalidDocument."""
    values = get_variable_values(
        documents.schema,
        definition.variable_definitions or (),
        dict(variables),
        max_errors=20,
        hide_suggestions=not documents.introspection,
    )
    if isinstance(values, list):
        raise InvalidDocument("BAD_USER_INPUT", values)
    return values.coerced


def _bad_input(sentence: str) -> InvalidDocument:
    return InvalidDocument("BAD_USER_INPUT", [GraphQLError(sentence)])
