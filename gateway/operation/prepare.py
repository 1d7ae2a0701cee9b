"""A request's operation, checked as far as it can be before anything runs; what its document says, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from gateway.executor.collect import Source, Unsupported, condition_variables
from gateway.executor.compile import compiled
from gateway.executor.run import Program
from gateway.limits import cost
from gateway.limits.cost import check_cost
from gateway.operation import variables
from gateway.operation.document import CheckedDocument, Documents
from gateway.operation.variables import Variables, chosen

MAX_VARIANTS: Final = 16
"""Programs of one operation, by what its conditions include: whoever sends all their combinations keeps no more."""

_BYTES_PER_OPERATION: Final = 8_000
_BYTES_PER_VARIABLE: Final = 6_000
_BYTES_PER_PROGRAM: Final = 8_000
_BYTES_PER_FIELD: Final = 4_000
"""What is prepared takes at most this in memory, as tracemalloc says: a test measures it again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation of a checked document: all that does not depend on a request's variables."""

    text: str
    document: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    definition: OperationDefinitionNode
    variables: Variables
    points: cost.Points
    conditions: tuple[str, ...]
    programs: dict[tuple[Any, ...], Program | Unsupported] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request's: the variables' values, what it costs, and the program that answers it, or why there is none."""

    prepared: Prepared
    variables: VariableValues
    cost_points: int
    program: Program | Unsupported

    @property
    def kind(self) -> OperationType:
        return self.prepared.definition.operation


def prepare(
    documents: Documents, text: str, operation_name: str | None, given: Mapping[str, Any], cost_limit: int
) -> Operation:
    """Raises InvalidDocument (also for variables and the operation's name), and TooExpensive."""
    checked = documents.check(text)
    found = checked.prepared.get(operation_name or "")
    prepared = found if isinstance(found, Prepared) else _prepared(documents, text, checked, operation_name)
    values = prepared.variables.coerced(given)
    points = prepared.points.of(values.coerced)
    check_cost(points, cost_limit)
    return Operation(prepared, values, points, _program(documents, prepared, values.coerced))


def _prepared(documents: Documents, text: str, checked: CheckedDocument, name: str | None) -> Prepared:
    definition = chosen(checked, name)
    prepared = Prepared(
        text,
        checked.document,
        checked.fragments,
        definition,
        variables.compiled(documents, definition),
        cost.compiled(documents.schema, definition, checked.fragments),
        condition_variables(definition, checked.fragments),
    )
    checked.prepared[name or ""] = prepared
    documents.grow(text, _BYTES_PER_OPERATION + _BYTES_PER_VARIABLE * len(definition.variable_definitions or ()))
    return prepared


def _program(documents: Documents, prepared: Prepared, values: Mapping[str, Any]) -> Program | Unsupported:
    key = tuple([values.get(name) for name in prepared.conditions])
    program = prepared.programs.get(key)
    if program is None:
        if len(prepared.programs) >= MAX_VARIANTS:
            prepared.programs.clear()
        program = prepared.programs[key] = _compiled(
            documents, prepared, dict(zip(prepared.conditions, key, strict=True))
        )
        fields = program.fields if isinstance(program, Program) else 0
        documents.grow(prepared.text, _BYTES_PER_PROGRAM + _BYTES_PER_FIELD * fields)
    return program


def _compiled(documents: Documents, prepared: Prepared, conditions: Mapping[str, Any]) -> Program | Unsupported:
    if any(not isinstance(value, bool) for value in conditions.values()):
        return Unsupported("condition")
    try:
        return compiled(Source(documents.schema, prepared.definition, prepared.fragments, conditions))
    except Unsupported as unsupported:
        return unsupported.with_traceback(None)
