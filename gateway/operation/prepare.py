"""A request's operation, checked as far as it can be before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import OperationDefinitionNode, OperationType

from gateway.limits.cost import check_cost, cost
from gateway.operation.document import CheckedDocument, Documents
from gateway.operation.variables import chosen, coerced


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
    definition = chosen(checked, operation_name)
    values = coerced(documents, definition, variables)
    points = cost(documents.schema, definition, checked.fragments, values)
    check_cost(points, cost_limit)
    return Operation(checked, definition, points)
