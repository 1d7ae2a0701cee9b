"""A request's operation, checked as far as it can be before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution.values import get_variable_values

from gateway.limits.cost import check_cost, cost
from gateway.operation.document import CheckedDocument, Documents, InvalidDocument


@dataclass(frozen=True, slots=True)
class Operation:
    checked: CheckedDocument
    definition: OperationDefinitionNode
    cost_points: int

    @property
    def is_query(self) -> bool:
        return self.definition.operation is OperationType.QUERY


def prepare(
    documents: Documents, text: str, operation_name: str | None, variables: Mapping[str, Any], cost_limit: int
) -> Operation:
    """Raises InvalidDocument (also for variables and the operation's name), and TooExpensive."""
    checked = documents.check(text)
    definition = _chosen(checked, operation_name)
    values = _values(documents, definition, variables)
    points = cost(documents.schema, definition, checked.fragments, values)
    check_cost(points, cost_limit)
    return Operation(checked, definition, points)


def _chosen(checked: CheckedDocument, name: str | None) -> OperationDefinitionNode:
    if name is not None and name not in checked.operations:
        raise _bad_input(f"There is no operation {name!r} in the document.")
    if name is None and len(checked.operations) != 1:
        raise _bad_input(f"The document has {len(checked.operations)} operations: say in operationName which to run.")
    return checked.operations[name] if name is not None else next(iter(checked.operations.values()))


def _values(
    documents: Documents, definition: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Mapping[str, Any]:
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
