"""A subscription's results: its source opened once, its program run for each event."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from graphql import GraphQLSchema
from graphql.execution.values import VariableValues

from gateway.executor.answer import Answered, answered
from gateway.executor.collect import Unsupported
from gateway.executor.reference import Request
from gateway.executor.run import Program, Run
from resolvers.errors import InvalidArgument
from resolvers.request.context import RequestContext


async def events(
    schema: GraphQLSchema,
    program: Program | Unsupported,
    variables: VariableValues,
    request: Request,
    context: RequestContext,
    *,
    is_encoded: bool = True,
) -> AsyncGenerator[Answered, None]:
    """Answers as `answered` gives them. Raises what the source raises, and InvalidArgument for what is too large."""
    if isinstance(program, Unsupported) or program.opens is None:
        raise InvalidArgument("The subscription is too large, or selects nothing: ask for less.")
    async with aclosing(program.opens.open(Run(context, variables, program.source))) as source:
        async for event in source:
            yield await answered(schema, program, variables, request, context, event, is_encoded=is_encoded)
