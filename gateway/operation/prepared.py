"""What an endpoint asks of the graph that it serves: prepare a request's operation, then run it.

The gateway and the standalone router serve different graphs over the same transports (HTTP, server-sent events,
websockets). The transports know these two protocols only:

    operation = graph.prepare(request, asker)      # parse, validate, check the cost, plan or compile
    body = await operation.execute()               # a query or a mutation
    async for body in operation.subscribe(): ...   # a subscription

This module imports neither the national schema nor the resolvers, because the router starts without them.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple, Protocol

from graphql import OperationType

from gateway.operation.request import GraphQLRequest

Body = dict[str, Any]
"""A GraphQL response: `data`, `errors`, `extensions`."""


class Asker(NamedTuple):
    """Who sends a request, and how."""

    headers: Mapping[str, str]
    """By lower-case name."""
    request_id: str
    method: str = "POST"
    viewer: Any = None
    """The caller as authentication knows them; None where the host authenticates nobody."""


class PreparedOperation(Protocol):
    """One request's operation, checked and ready to run once."""

    @property
    def kind(self) -> OperationType: ...

    async def execute(self) -> Body:
        """Run a query or a mutation."""

    def subscribe(self) -> AsyncGenerator[Body, None]:
        """Run a subscription: one response an event.

        Raises Refused where it cannot be run, or not any longer, and Ended where the connection cannot go on.
        """


class ServedGraph(Protocol):
    """The graph behind an endpoint. It may be exchanged: each request keeps the one that it began with."""

    def prepare(self, request: GraphQLRequest, asker: Asker, /) -> PreparedOperation:
        """Raises Refused where the operation cannot be run, BadRequest where the asker may not ask here."""
