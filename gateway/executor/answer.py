"""Answers an operation: by its program, and by the reference executor where there is none or it declines."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from gateway.executor.collect import Unsupported
from gateway.executor.reference import Request, executed
from gateway.executor.run import Declined, Program, Run
from gateway.observability import metrics
from resolvers.request.context import RequestContext


class Answered(NamedTuple):
    data: dict[str, Any] | None
    errors: Sequence[GraphQLError] = ()


async def answered(
    schema: GraphQLSchema,
    program: Program | Unsupported,
    variables: VariableValues,
    request: Request,
    context: RequestContext,
    event: Any = None,
    *,
    is_encoded: bool = True,
) -> Answered:
    """`event` is the document that a subscription is answered about; `is_encoded` says that the data are going to be
    encoded by orjson: parts of them may be JSON already."""
    if isinstance(program, Unsupported):
        metrics.referred.labels(program.reason).inc()
        result = await executed(schema, request, context, event=event)
        return Answered(result.data, result.errors or ())
    run = Run(context, variables, program.source, is_encoded)
    try:
        return Answered(await program.run(run, event))
    except Declined as declined:
        metrics.referred.labels(declined.reason).inc()
    result = await executed(schema, request, context, run.outcomes(), event)
    return Answered(result.data, result.errors or ())
