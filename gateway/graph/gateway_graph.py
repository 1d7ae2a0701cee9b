"""What the gateway's endpoints serve: national operations run compiled, others by the engine's plans."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from graphql import OperationType
from pymongo.errors import PyMongoError

from gateway import errors
from gateway.federation.executor.subgraphs import Caller
from gateway.graph.federated import EXPOSE_PLAN_HEADER, FederatedOperation
from gateway.graph.graph_version import CurrentGraph, GraphVersion
from gateway.graph.national import NationalOperation
from gateway.limits.cost import TooExpensive
from gateway.observability import metrics
from gateway.operation.prepared import Asker, Body
from gateway.operation.refusal import STATE_LOST, TOO_SLOW, Ended, Refused
from gateway.operation.request import BadRequest, GraphQLRequest
from gateway.operation.usage import Usage
from resolvers.errors import FellBehind, RequestError, StateLost
from resolvers.request.context import RequestContext
from resolvers.viewer import Viewer


class MakeContext(Protocol):
    """Makes the context in which one operation of the asker runs."""

    def __call__(self, asker: Asker, version: GraphVersion, *, is_query: bool) -> RequestContext: ...


@dataclass(frozen=True, slots=True)
class CostLimits:
    """In points (gateway/limits/cost.py)."""

    operation_points: int
    subscription_points: int = 500
    """Lower: a subscription runs once for every event."""


@dataclass(frozen=True, slots=True)
class GatewayOperation:
    """An operation as the gateway runs it: in a context of its asker, with its cost told in the extensions."""

    graph: "GatewayGraph | NationalSubgraphGraph"
    version: GraphVersion
    operation: NationalOperation | FederatedOperation
    request: GraphQLRequest
    asker: Asker

    @property
    def kind(self) -> OperationType:
        return self.operation.kind

    async def execute(self) -> Body:
        is_query = self.kind is OperationType.QUERY
        context = self.graph.make_context(self.asker, self.version, is_query=is_query)
        is_explained = self.graph.exposes_plan and EXPOSE_PLAN_HEADER in self.asker.headers
        body = await self.operation.execute(self._caller(context), is_explained=is_explained)
        limit = self.graph.limits.operation_points
        cost = {"requestedQueryCost": self.operation.cost_points, "maximumAvailable": limit}
        body["extensions"] = {**body.get("extensions", {}), "cost": cost}
        return body

    async def subscribe(self) -> AsyncGenerator[Body, None]:
        """Each response tells its position in the extensions, where a later subscription can go on."""
        self._check_subscription_cost()
        context = self.graph.make_context(self.asker, self.version, is_query=True)
        context.position = self._read_position()
        try:
            async with aclosing(self.operation.subscribe(self._caller(context))) as results:
                async for result in results:
                    metrics.live_events.inc()
                    yield {**result, "extensions": {"position": context.position}}
        except (RequestError, PyMongoError) as failure:
            raise Refused(errors.of_failure(failure, self.asker.request_id)) from None
        except FellBehind:
            raise Ended(TOO_SLOW) from None
        except StateLost:
            raise Ended(STATE_LOST) from None

    def _caller(self, context: RequestContext) -> Caller:
        if isinstance(self.operation, NationalOperation):
            return Caller(headers=self.asker.headers, context=context)
        # Subgraphs hear the request id also where the caller has sent none.
        return Caller(headers={**self.asker.headers, "x-request-id": self.asker.request_id}, context=context)

    def _check_subscription_cost(self) -> None:
        points, limit = self.operation.cost_points, self.graph.limits.subscription_points
        if points > limit:
            sentence = f"The subscription costs {points} points an event; at most {limit} are taken."
            raise Refused(errors.of_request(BadRequest(400, TooExpensive.code, sentence)))

    def _read_position(self) -> str | None:
        position = self.request.extensions.get("position", self.asker.headers.get("last-event-id"))
        if not isinstance(position, str | None):
            raise BadRequest(400, "BAD_REQUEST", "The position in extensions is text.")
        return position


@dataclass(frozen=True, slots=True)
class GatewayGraph:
    """The graph at /graphql."""

    current: CurrentGraph
    make_context: MakeContext
    limits: CostLimits
    usage: Usage
    """Counts what is asked of agencies' fields, which a new version of theirs may break."""
    exposes_plan: bool = False

    def prepare(self, request: GraphQLRequest, asker: Asker, /) -> GatewayOperation:
        """Raises Refused."""
        version = self.current.version
        operation: NationalOperation | FederatedOperation
        if version.federated is None or version.is_national(request.query):
            operation = version.national.served.prepare(request, self.limits.operation_points)
        else:
            operation = version.federated.prepare(request)
            self.usage.count(operation.find_shape())
        return GatewayOperation(self, version, operation, request, asker)


@dataclass(frozen=True, slots=True)
class NationalSubgraphGraph:
    """The national graph as other routers ask it, at /subgraph/graphql."""

    current: CurrentGraph
    make_context: MakeContext
    limits: CostLimits
    may_ask: Callable[[Viewer], bool]
    exposes_plan: bool = False

    def prepare(self, request: GraphQLRequest, asker: Asker, /) -> GatewayOperation:
        """Raises Refused, and BadRequest where the asker is no router."""
        if not self.may_ask(asker.viewer):
            raise BadRequest(403, "FORBIDDEN", "This endpoint answers other routers alone: see /graphql.")
        version = self.current.version
        operation = version.national.subgraph.prepare(request, self.limits.operation_points)
        return GatewayOperation(self, version, operation, request, asker)
