"""Prepares an operation of the national graph: what does not depend on variable values is compiled once and cached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from gateway.executor.compiler import compile_operation
from gateway.executor.field_collector import OperationSource, Unsupported, find_condition_variables
from gateway.executor.run import Program
from gateway.limits import cost
from gateway.limits.cost import check_cost
from gateway.operation import variables
from gateway.operation.document import CheckedDocument, Documents
from gateway.operation.variables import Variables, choose_operation

MAX_VARIANTS: Final = 16
"""Programs that are kept for one operation, one for each combination of its @skip and @include conditions."""

_BYTES_PER_OPERATION: Final = 8_000
_BYTES_PER_VARIABLE: Final = 6_000
_BYTES_PER_PROGRAM: Final = 8_000
_BYTES_PER_FIELD: Final = 4_000
"""Upper bounds for the memory of a compiled operation. A test measures them with tracemalloc."""


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """An operation after validation and compilation. It does not depend on variable values, so requests share it."""

    text: str
    document: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    definition: OperationDefinitionNode
    variables: Variables
    points: cost.Points
    conditions: tuple[str, ...]
    """The names of the variables that @skip and @include depend on."""
    programs: dict[tuple[Any, ...], Program | Unsupported] = field(default_factory=dict)
    """By the values of those variables. Example: {(True,): …, (False,): …} for `name @include(if: $withName)`."""


@dataclass(frozen=True, slots=True)
class BoundOperation:
    """A compiled operation with one request's variable values: its cost, and the program that answers it.

    `program` is Unsupported where the operation cannot be compiled: the reference executor runs it.
    """

    compiled: CompiledOperation
    variables: VariableValues
    cost_points: int
    program: Program | Unsupported

    @property
    def kind(self) -> OperationType:
        return self.compiled.definition.operation


def prepare(
    documents: Documents, text: str, operation_name: str | None, sent: Mapping[str, Any], cost_limit: int
) -> BoundOperation:
    """`sent` are the request's variables. Raises InvalidDocument (also for them and the name), and TooExpensive."""
    checked = documents.check(text)
    compiled: CompiledOperation | None = checked.derived.get(operation_name or "")
    if compiled is None:
        compiled = _compile_operation(documents, text, checked, operation_name)
    values = compiled.variables.coerce(sent)
    points = compiled.points.count(values.coerced)
    check_cost(points, cost_limit)
    return BoundOperation(compiled, values, points, _find_program(documents, compiled, values.coerced))


def _compile_operation(
    documents: Documents, text: str, checked: CheckedDocument, name: str | None
) -> CompiledOperation:
    definition = choose_operation(checked, name)
    compiled = CompiledOperation(
        text,
        checked.document,
        checked.fragments,
        definition,
        variables.compile_variables(documents, definition),
        cost.compile_points(documents.schema, definition, checked.fragments),
        find_condition_variables(definition, checked.fragments),
    )
    checked.derived[name or ""] = compiled
    documents.grow(text, _BYTES_PER_OPERATION + _BYTES_PER_VARIABLE * len(definition.variable_definitions or ()))
    return compiled


def _find_program(
    documents: Documents, operation: CompiledOperation, values: Mapping[str, Any]
) -> Program | Unsupported:
    key = tuple([values.get(name) for name in operation.conditions])
    program = operation.programs.get(key)
    if program is None:
        if len(operation.programs) >= MAX_VARIANTS:
            operation.programs.clear()
        program = operation.programs[key] = _compile_program(
            documents, operation, dict(zip(operation.conditions, key, strict=True))
        )
        fields = program.fields if isinstance(program, Program) else 0
        documents.grow(operation.text, _BYTES_PER_PROGRAM + _BYTES_PER_FIELD * fields)
    return program


def _compile_program(
    documents: Documents, operation: CompiledOperation, conditions: Mapping[str, Any]
) -> Program | Unsupported:
    if any(not isinstance(value, bool) for value in conditions.values()):
        return Unsupported("condition")
    try:
        return compile_operation(
            OperationSource(documents.schema, operation.definition, operation.fragments, conditions)
        )
    except Unsupported as unsupported:
        return unsupported.with_traceback(None)
