"""Subgraph: the part of the graph that an agency's own system resolves; how to check, publish and retire it."""

from datetime import datetime

import strawberry
from strawberry import Parent

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.registry import subgraph as subgraphs
from resolvers.registry.subgraph import Publication
from resolvers.request.context import RequestContext
from resolvers.results import SubgraphHealthResult
from resolvers.system_documents import SubgraphVersionDoc
from schema.binding import ActionResult, action, called, column, derived, loaded, object_type
from schema.enums import BreakerState, SubgraphFindingKind
from schema.errors import UserError, make_attempt
from schema.lazy import LazyAgency
from schema.page import ContextInfo


@object_type()
class SubgraphVersion:
    """One published version of a subgraph. Any version can be published again."""

    version: int
    url: str
    sdl: str
    published_at: datetime
    published_by: str | None = column("publishedBy", description="The account that published it.")


def _read_health(context: RequestContext, row: SubgraphVersionDoc) -> SubgraphHealthResult | None:
    if context.subgraph_health is None or not policy.may_read_subgraph(context.viewer, row["agency"]):
        return None
    return context.subgraph_health(row["agency"])


@object_type()
class SubgraphHealth:
    """How the subgraph responds: its last 1 000 requests within a minute, as this server process has seen them."""

    state: BreakerState = column("state", description="Whether this process sends it requests.")
    requests: int
    failures: int
    median_ms: float | None = column(
        "medianMs", description="Median response time in milliseconds; null if no request was answered."
    )
    p99_ms: float | None = column("p99Ms", description="The 99th percentile, likewise.")
    failed_at: datetime | None = column("failedAt", description="When a request failed last; null if none did.")


@object_type()
class Subgraph:
    """An agency's own system in this graph.

    `url`, `sdl`, `health` and `versions` are for the agency, the national desk and oversight.
    """

    id: strawberry.ID = column("agency", description="The agency's id: an agency has one subgraph.")
    agency: LazyAgency = loaded(agencies.by_id, key="agency")
    version: int
    published_at: datetime
    url: str | None = column("url", visible=policy.SUBGRAPH_READ, description="Null for those who may not read it.")
    sdl: str | None = column("sdl", visible=policy.SUBGRAPH_READ, description="Null for those who may not read it.")
    health: SubgraphHealth | None = derived(
        _read_health, needs=("agency",), description="Null for those who may not read it."
    )

    @called(list[SubgraphVersion], needs=("agency",), commands=1)
    async def versions(subgraph: Parent[SubgraphVersionDoc], info: ContextInfo) -> list[SubgraphVersionDoc]:
        """The latest 50 versions, newest first, with those that are no longer live."""
        return await subgraphs.list_versions(info.context, subgraph["agency"])


@object_type()
class Supergraph:
    """The composed graph that is served now."""

    version: int = column("version", description="Grows by one with every publication; 0 is the national graph alone.")
    composed_at: datetime | None = column("composedAt", description="Null for version 0.")
    sdl: str | None = column(
        "sdl",
        visible=policy.SUPERGRAPH_READ,
        description="With the join specification and every URL; null for all but the national desk and oversight.",
    )


@object_type()
class SubgraphFinding:
    """A finding of a check. RULE and COMPOSITION prevent publication; BREAKING and HINT do not."""

    kind: SubgraphFindingKind
    code: str = column("code", description="The rule's code, or the composition code that composers share.")
    message: str
    coordinate: str | None = column(
        "coordinate", description="The element, as Type or Type.field; null if it is not about one."
    )
    uses: int | None = column(
        "uses", description="How often clients asked for the field in the last 7 days; null unless it would break."
    )


@object_type()
class OperationPlanCost:
    """How many requests to subgraphs an operation takes; the national graph counts as a subgraph."""

    operation: str = column("operation", description="The operation without the client's values and names.")
    uses: int = column("uses", description="How often it was asked in the last 7 days.")
    fetches_before: int | None = column(
        "fetchesBefore",
        description="Requests now, with those that only some data need; null if the operation is not valid now.",
    )
    fetches_after: int | None = column(
        "fetchesAfter", description="Requests after publication; null if it would not be valid."
    )
    subgraphs_before: list[strawberry.ID] | None = column("subgraphsBefore", description="Null likewise.")
    subgraphs_after: list[strawberry.ID] | None = column("subgraphsAfter", description="Null likewise.")


@object_type(subject="findings")
class CheckSubgraphPayload:
    ok: bool | None = column("ok", description="Whether it can be published as it is; null if the check was refused.")
    findings: list[SubgraphFinding] | None
    plans: list[OperationPlanCost] | None = column(
        "plans",
        description=("The 20 operations that asked for agencies' fields most in the last 7 days, the most used first."),
    )
    user_errors: list[UserError]


@object_type(subject="subgraph")
class PublishSubgraphPayload:
    subgraph: Subgraph | None
    findings: list[SubgraphFinding] | None = column(
        "findings", description="Findings of the composition; null if the idempotency key was used before."
    )
    user_errors: list[UserError]


@object_type(subject="subgraph")
class RetireSubgraphPayload:
    subgraph: Subgraph | None
    user_errors: list[UserError]


@strawberry.input
class CheckSubgraphInput:
    agency: strawberry.ID
    sdl: str
    url: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="Either an `sdl` and its `url`, or a `version` to publish again.")
class PublishSubgraphInput:
    agency: strawberry.ID
    url: str | None = None
    sdl: str | None = None
    version: int | None = None
    expected_version: int | None = strawberry.field(
        default=None, description="The version that must be live, otherwise the mutation is refused; null: any."
    )
    idempotency_key: str | None = None


@strawberry.input
class RetireSubgraphInput:
    agency: strawberry.ID
    expected_version: int | None = None
    idempotency_key: str | None = None


@action(CheckSubgraphPayload)
async def check_subgraph(info: ContextInfo, input: CheckSubgraphInput) -> ActionResult:
    """Checks what publishing would do: ownership rules, composition, changes that break clients. Changes nothing."""
    outcome = await subgraphs.check_subgraph(info.context, input.agency, sdl=input.sdl, url=input.url)
    return ActionResult(outcome.findings, {"ok": bool(outcome.supergraph), "plans": outcome.plans})


@action(PublishSubgraphPayload)
async def publish_subgraph(info: ContextInfo, input: PublishSubgraphInput) -> ActionResult:
    """Adds or replaces the agency's subgraph in the graph, for all clients at once and without downtime."""
    version, outcome = await subgraphs.publish_subgraph(
        info.context,
        make_attempt(info, input),
        input.agency,
        Publication(input.url, input.sdl, input.version),
        expected_version=input.expected_version,
    )
    return ActionResult(version, {"findings": None if outcome is None else outcome.findings})


@action(RetireSubgraphPayload)
async def retire_subgraph(info: ContextInfo, input: RetireSubgraphInput) -> SubgraphVersionDoc:
    """Removes the agency's subgraph from the graph; its versions stay."""
    return await subgraphs.retire_subgraph(
        info.context, make_attempt(info, input), input.agency, expected_version=input.expected_version
    )
