"""Executes a subscription: opens its event stream once and runs its program for each event."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from graphql import GraphQLSchema
from graphql.execution.values import VariableValues

from gateway.executor.answer import OperationResult, execute_operation
from gateway.executor.field_collector import Unsupported
from gateway.executor.reference import ReferenceRequest
from gateway.executor.run import OperationRun, Program
from resolvers.errors import InvalidArgument
from resolvers.request.context import RequestContext


async def stream_results(
    schema: GraphQLSchema,
    program: Program | Unsupported,
    variables: VariableValues,
    request: ReferenceRequest,
    context: RequestContext,
    *,
    is_encoded: bool = True,
) -> AsyncGenerator[OperationResult, None]:
    """Yields a result for each event, as `execute_operation` returns it.

    Raises what the field's event stream raises, and InvalidArgument for a subscription that cannot be compiled.
    """
    if isinstance(program, Unsupported) or program.open_events is None:
        raise InvalidArgument("The subscription is too large, or selects nothing: ask for less.")
    events = program.open_events(OperationRun(context, variables, program.source))
    async with aclosing(events):
        async for event in events:
            yield await execute_operation(schema, program, variables, request, context, event, is_encoded=is_encoded)
