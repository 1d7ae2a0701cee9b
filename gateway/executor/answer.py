"""Executes a prepared operation: by its compiled program, or by the reference executor where that cannot."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from gateway.executor.field_collector import Unsupported
from gateway.executor.reference import ReferenceRequest, execute_reference
from gateway.executor.run import Declined, OperationRun, Program
from gateway.observability import metrics
from resolvers.request.context import RequestContext


class OperationResult(NamedTuple):
    data: dict[str, Any] | None
    errors: Sequence[GraphQLError] = ()


async def execute_operation(
    schema: GraphQLSchema,
    program: Program | Unsupported,
    variables: VariableValues,
    request: ReferenceRequest,
    context: RequestContext,
    event: Any = None,
    *,
    is_encoded: bool = True,
) -> OperationResult:
    """Returns data and errors of an operation. It raises nothing that a resolver raises.

    `event` is the document that a subscription's event is about. `is_encoded` says that the data are only encoded by
    orjson afterwards: parts of them may then be cached JSON (`orjson.Fragment`) instead of objects.
    """
    if isinstance(program, Unsupported):
        metrics.referred_operations.labels(program.reason).inc()
        result = await execute_reference(schema, request, context, event=event)
        return OperationResult(result.data, result.errors or ())
    run = OperationRun(context, variables, program.source, is_encoded)
    try:
        return OperationResult(await program.run(run, event))
    except Declined as declined:
        metrics.referred_operations.labels(declined.reason).inc()
    # The program has called resolvers already, perhaps a mutation. Their outcomes are replayed, not repeated.
    result = await execute_reference(schema, request, context, run.collect_outcomes(), event)
    return OperationResult(result.data, result.errors or ())
