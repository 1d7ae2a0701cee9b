"""The same operation through graphql-core over Strawberry's types: the slow path, and the tests' oracle."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute

from gateway.executor.run import Failure, Outcome
from resolvers.request.context import RequestContext


@dataclass(frozen=True, slots=True)
class Request:
    """An operation as graphql-core takes it."""

    document: DocumentNode
    operation_name: str | None
    variables: Mapping[str, Any]


async def executed(
    schema: GraphQLSchema,
    request: Request,
    context: RequestContext,
    outcomes: Mapping[tuple[int, int], Outcome] | None = None,
    event: Any = None,
) -> ExecutionResult:
    """The operation's result; what `outcomes` holds has been called already and is taken from there.

    So a mutation that was performed is not performed again, and a list that was read is not read again.
    """
    replayed = None if not outcomes else _Replay(outcomes)
    result = execute(
        schema,
        request.document,
        root_value=event,
        context_value=context,
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
        middleware=None if replayed is None else [replayed],
    )
    return await result if inspect.isawaitable(result) else result


@dataclass(frozen=True, slots=True)
class _Replay:
    outcomes: Mapping[tuple[int, int], Outcome]

    def resolve(
        self, next_: Callable[..., Any], parent: Any, info: GraphQLResolveInfo[RequestContext], /, **arguments: Any
    ) -> Any:
        outcome = self.outcomes.get((id(parent), id(info.field_nodes[0])))
        if outcome is None:
            return next_(parent, info, **arguments)
        if isinstance(outcome.value, Failure):
            raise outcome.value.error
        return outcome.value
