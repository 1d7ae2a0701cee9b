"""Executes an operation by graphql-core over Strawberry's types: the slow path, and the oracle of the tests."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute

from gateway.executor.run import Failure, Outcome
from resolvers.request.context import RequestContext


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    """An operation as graphql-core takes it; `variables` are the raw values, which graphql-core coerces again."""

    document: DocumentNode
    operation_name: str | None
    variables: Mapping[str, Any]


async def execute_reference(
    schema: GraphQLSchema,
    request: ReferenceRequest,
    context: RequestContext,
    outcomes: Mapping[tuple[int, int], Outcome] | None = None,
    event: Any = None,
) -> ExecutionResult:
    """Returns the operation's result.

    `outcomes` holds what the compiled program has called already, by the identities of the parent document and of
    the field node. Those resolvers are not called again: no mutation happens twice and no list is read twice.
    """
    replay = None if not outcomes else _Replay(outcomes)
    result = execute(
        schema,
        request.document,
        root_value=event,
        context_value=context,
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
        middleware=None if replay is None else [replay],
    )
    return await result if inspect.isawaitable(result) else result


@dataclass(frozen=True, slots=True)
class _Replay:
    """graphql-core middleware that returns known outcomes instead of calling the resolver."""

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
