"""Subgraph: what agencies add to the graph from systems of their own; check, publish, retire."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Parent

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.registry import subgraph as subgraphs
from resolvers.registry.subgraph import Publication
from resolvers.request.context import RequestContext
from schema.binding import Document, Done, action, called, column, derived, loaded, object_type
from schema.enums import BreakerState, SubgraphFindingKind
from schema.errors import UserError, attempt
from schema.page import ContextInfo

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]


@object_type()
class SubgraphVersion:
    """One state of a subgraph that an agency published; any can be gone back to."""

    version: int
    url: str
    sdl: str
    published_at: datetime
    published_by: str | None = column("publishedBy", description="The publisher's subject.")


def _health(context: RequestContext, row: Document) -> Document | None:
    if context.subgraph_health is None or not policy.may_read_subgraph(context.viewer, row["agency"]):
        return None
    return context.subgraph_health(row["agency"])


@object_type()
class SubgraphHealth:
    """How the subgraph does, as the process that answers has seen it within a minute: its last 1 000 requests."""

    state: BreakerState = column("state", description="CLOSED: it is asked. OPEN: it is left alone for a while.")
    requests: int
    failures: int
    median_ms: float | None = column("medianMs", description="Of what was answered; null where nothing was.")
    p99_ms: float | None = column("p99Ms")
    failed_at: datetime | None = column("failedAt", description="When it gave no answer the last time.")


@object_type()
class Subgraph:
    """An agency's own system in this graph. URL, text and versions are read by the agency, the desk and oversight."""

    id: strawberry.ID = column("agency", description="The agency's id: an agency has one subgraph.")
    agency: LazyAgency = loaded(agencies.by_id, key="agency")
    version: int
    published_at: datetime
    url: str | None = column("url", visible=policy.SUBGRAPH_READ)
    sdl: str | None = column("sdl", visible=policy.SUBGRAPH_READ)
    health: SubgraphHealth | None = derived(_health, needs=("agency",), description="For whom the URL is for.")

    @called(list[SubgraphVersion], needs=("agency",), commands=1)
    async def versions(subgraph: Parent[Document], info: ContextInfo) -> list[Document]:
        """The latest 50, newest first; also those that are live no more."""
        return await subgraphs.versions(info.context, subgraph["agency"])


@object_type()
class Supergraph:
    """The composed graph that is live."""

    version: int = column("version", description="Grows by one with every publication; 0: the national graph alone.")
    composed_at: datetime | None
    sdl: str | None = column(
        "sdl",
        visible=policy.SUPERGRAPH_READ,
        description="With the join specification and every URL: read by the desk and oversight.",
    )


@object_type()
class SubgraphFinding:
    """What a check found: only BREAKING and HINT let the subgraph be published."""

    kind: SubgraphFindingKind
    code: str = column("code", description="The rule's, or the code that composers share.")
    message: str
    coordinate: str | None = column("coordinate", description="The element, as Type or Type.field, where it is one.")
    uses: int | None = column("uses", description="How often clients asked for a field that would break, in 7 days.")


@object_type()
class OperationPlanCost:
    """What answering an operation costs in requests to subgraphs, of which the national graph is one."""

    operation: str = column("operation", description="As it was asked, without values and the client's own names.")
    uses: int = column("uses", description="How often it was asked in 7 days.")
    fetches_before: int | None = column(
        "fetchesBefore", description="Requests, those that are sent only for some data included; null: not valid."
    )
    fetches_after: int | None = column("fetchesAfter", description="Null where the operation would not be valid.")
    subgraphs_before: list[strawberry.ID] | None
    subgraphs_after: list[strawberry.ID] | None


@object_type(subject="findings")
class CheckSubgraphPayload:
    ok: bool | None = column("ok", description="Whether it could be published as it is; null where it was refused.")
    findings: list[SubgraphFinding] | None
    plans: list[OperationPlanCost] | None = column(
        "plans", description="What the 20 operations cost that asked agencies' fields most in 7 days; most used first."
    )
    user_errors: list[UserError]


@object_type(subject="subgraph")
class PublishSubgraphPayload:
    subgraph: Subgraph | None
    findings: list[SubgraphFinding] | None = column("findings", description="What composing found; null on repetition.")
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


@strawberry.input
class PublishSubgraphInput:
    """An `sdl` at a `url`; or a `version` to go back to."""

    agency: strawberry.ID
    url: str | None = None
    sdl: str | None = None
    version: int | None = None
    expected_version: int | None = strawberry.field(
        default=None, description="The version that must be live; null: whichever is."
    )
    idempotency_key: str | None = None


@strawberry.input
class RetireSubgraphInput:
    agency: strawberry.ID
    expected_version: int | None = None
    idempotency_key: str | None = None


@action(CheckSubgraphPayload)
async def check_subgraph(info: ContextInfo, input: CheckSubgraphInput) -> Done:
    """What publishing would do: rules, composition, what clients would miss. Changes nothing."""
    outcome = await subgraphs.check(info.context, input.agency, sdl=input.sdl, url=input.url)
    return Done(outcome.findings, {"ok": bool(outcome.supergraph), "plans": outcome.plans})


@action(PublishSubgraphPayload)
async def publish_subgraph(info: ContextInfo, input: PublishSubgraphInput) -> Done:
    """Puts the agency's subgraph into the graph, for everyone at once and without a pause."""
    version, outcome = await subgraphs.publish(
        info.context,
        attempt(info, input),
        input.agency,
        Publication(input.url, input.sdl, input.version),
        expected_version=input.expected_version,
    )
    return Done(version, {"findings": None if outcome is None else outcome.findings})


@action(RetireSubgraphPayload)
async def retire_subgraph(info: ContextInfo, input: RetireSubgraphInput) -> Document:
    """Takes the agency's subgraph out of the graph; its versions stay."""
    return await subgraphs.retire(
        info.context, attempt(info, input), input.agency, expected_version=input.expected_version
    )
