"""The composition root: the only module that builds the real parts and joins them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.keys import ProviderKeys
from gateway.auth.middleware import Authentication, make_identifier
from gateway.auth.token_cache import TokenCache
from gateway.auth.tokens import Verify, make_development_verifier, make_provider_verifier, refuse_token
from gateway.graph import garbage
from gateway.graph.gateway_graph import CostLimits, GatewayGraph, MakeContext, NationalSubgraphGraph
from gateway.graph.graph_version import GraphVersion
from gateway.graph.live_graph import LiveGraph
from gateway.http import console
from gateway.http.answer import report_bugs
from gateway.http.connections import ConnectionLimits, Connections, parse_origins
from gateway.http.graphql import EndpointLimits, GraphQLEndpoint
from gateway.http.health import Readiness, expose_metrics, healthz, publish_keys
from gateway.http.request import BodyLimits
from gateway.http.stopping import stop_streams_first
from gateway.http.token_admission import admit_by_token
from gateway.http.websocket import SocketLimits
from gateway.observability import metrics
from gateway.observability.log import logger
from gateway.operation.prepared import Asker
from gateway.operation.usage import Usage
from gateway.settings import Mode, Settings, SettingsError, load
from gateway.worker import Job, Worker, run_in_background
from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.registry import usage
from resolvers.regulations.regulations import Regulations
from resolvers.request.context import RequestContext, read_clock
from resolvers.request.loaders import Loaders
from resolvers.store.database import PyMongoError, Store, connect
from resolvers.store.fan_out import FanOut
from resolvers.store.lease import RENEWAL_SECONDS, Lease
from resolvers.store.reference_data import ReferenceData
from resolvers.upkeep import custody, orphaned_reporters, schedule, upkeep
from resolvers.viewer import PUBLIC, SYSTEM, Viewer

FIRST_READ_SECONDS: Final = 2
AUDIT_PAUSE_SECONDS: Final = 1.0
"""Between two looks for audit entries that are still on their complaints."""
USAGE_PAUSE_SECONDS: Final = 10.0
RESTART_SECONDS: Final = 1.0


def build(settings: Settings, store: Store) -> Starlette:
    """The gateway over a store. It closes the store when it stops."""
    readiness = Readiness(lambda: _ping(store))
    regulations, reference_data, fan_out = Regulations(store), ReferenceData(), FanOut(store)
    live_graph, connections = LiveGraph(settings, store), Connections(_connection_limits(settings))
    _observe(reference_data, fan_out, connections)
    make_context = _context_maker(settings, regulations, reference_data, live_graph, fan_out)
    identify = make_identifier(TokenCache(make_verifier(settings)))
    limits, cost_limits, usage = _endpoint_limits(settings), _cost_limits(settings), Usage()
    graph = GatewayGraph(
        live_graph.current, make_context, cost_limits, usage, exposes_plan=settings.mode is Mode.DEVELOPMENT
    )
    endpoint = GraphQLEndpoint(graph, limits, connections, admit_by_token(identify))
    routes: list[BaseRoute] = [
        Route("/graphql", endpoint, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", endpoint),
        Route("/.well-known/jwks.json", partial(publish_keys, live_graph.trust.tokens)),
        Route("/metrics", expose_metrics),
        Route("/healthz", healthz),
        Route("/readyz", readiness.readyz),
    ]
    if settings.subgraph_endpoint:
        subgraph = NationalSubgraphGraph(live_graph.current, make_context, cost_limits, policy.may_ask_as_router)
        routes.append(
            Route("/subgraph/graphql", GraphQLEndpoint(subgraph, limits, has_streams=False), methods=["POST"])
        )
    if settings.console:
        routes += [Mount("/console", console.serve_files()), Route("/", console.redirect_to_console)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        works = (_move_audit(store), reference_data.follow(store), _follow_changes(fan_out), _store_usage(store, usage))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            work = run_in_background(make_worker(settings, regulations) if settings.worker else None)
            with stop_streams_first(connections.stop):
                async with keep_fresh(regulations), live_graph.running(), work:
                    yield
        finally:
            readiness.is_stopping = True
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            store.close()

    middleware = [Middleware(Authentication, identify=identify)]
    return _Application(Authentication(endpoint, identify), routes=routes, middleware=middleware, lifespan=lifespan)


class _Application(Starlette):
    """Sends POST /graphql past Starlette's middleware and router, which most requests do not need."""

    def __init__(self, graphql: ASGIApp, **further: Any) -> None:
        super().__init__(**further)
        self.graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/graphql" and scope["method"] == "POST":
            await self.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _endpoint_limits(settings: Settings) -> EndpointLimits:
    body = BodyLimits(settings.body_limit_bytes, settings.body_deadline_ms)
    socket = SocketLimits(message_bytes=settings.body_limit_bytes, operations=settings.subscriptions_per_connection)
    return EndpointLimits(body, socket, deadline_ms=settings.request_deadline_ms)


def _cost_limits(settings: Settings) -> CostLimits:
    return CostLimits(settings.cost_limit_points, settings.subscription_cost_limit_points)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    origins = parse_origins(settings.allowed_origins)
    return ConnectionLimits(settings.connections_per_address, settings.connections_per_subject, origins)


def _observe(reference_data: ReferenceData, fan_out: FanOut, connections: Connections) -> None:
    metrics.reference_data_age.set_function(reference_data.age_seconds)
    metrics.subscriptions.set_function(fan_out.count)
    metrics.connections.set_function(connections.count)
    metrics.live_lag.set_function(fan_out.lag_seconds)


def from_environment() -> Starlette:
    """The gateway as `satugraf serve` runs it. Raises SettingsError."""
    settings = load()
    if settings.mongodb_uri is None:
        raise SettingsError("SATUGRAF_MONGODB_URI is not set: name a running replica set.")
    app = build(settings, connect(settings.mongodb_uri, settings.mongodb_database))
    garbage.freeze_startup_objects()
    return app


def make_worker(settings: Settings, regulations: Regulations) -> Worker:
    """The worker that does what is due without a request, by the regulations in force."""
    store = regulations.store

    def make_context() -> RequestContext:
        return _context(settings, regulations, SYSTEM)

    complaints = Job("complaints", upkeep.find_due, upkeep.take_step, partial(schedule.postpone, store.complaints))
    teams = Job("teams", custody.find_due_teams, custody.note_standing, partial(schedule.postpone, store.teams))
    agencies = Job(
        "agencies", custody.find_due_agencies, custody.settle_custody, partial(schedule.postpone, store.agencies)
    )
    reporters = Job(
        "reporters",
        orphaned_reporters.find_due,
        orphaned_reporters.settle_reporter,
        partial(orphaned_reporters.postpone, store),
    )
    jobs = (complaints, teams, agencies, reporters)
    return Worker(Lease(store, "upkeep"), make_context, jobs, RENEWAL_SECONDS)


def make_verifier(settings: Settings) -> Verify:
    if settings.development_key is not None:
        return make_development_verifier(settings.development_key.get_secret_value())
    if settings.jwks_url is not None:
        keys = ProviderKeys(settings.jwks_url)
        return make_provider_verifier(keys, issuer=settings.token_issuer, audience=settings.token_audience)
    return refuse_token


@asynccontextmanager
async def keep_fresh(regulations: Regulations) -> AsyncIterator[None]:
    """Read the regulations that are in force, and follow their changes during the block.

    Where the database does not answer in time, the block starts with the regulations that ship with the code.
    """
    with suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(FIRST_READ_SECONDS):
            await regulations.read()
    keeping = asyncio.create_task(regulations.keep_fresh())
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


def _context_maker(
    settings: Settings,
    regulations: Regulations,
    reference_data: ReferenceData,
    live_graph: LiveGraph,
    fan_out: FanOut,
) -> MakeContext:
    _ = settings.secret_key_bytes  # raises SettingsError now, not at the first request

    def make_context(asker: Asker, version: GraphVersion, *, is_query: bool) -> RequestContext:
        # A mutation decides on what the database says now, not on the process's copy of half a second ago.
        context = _context(settings, regulations, asker.viewer or PUBLIC, reference_data if is_query else None)
        context.reference_data = reference_data
        context.live = fan_out
        context.takes_secrets = asker.method == "POST"
        context.purpose = asker.headers.get("x-purpose")
        context.request_id = asker.request_id
        context.local_cases = version.national.local_cases
        context.composer = live_graph.registrar
        context.subgraph_health = live_graph.health.describe
        return context

    return make_context


def _context(
    settings: Settings, regulations: Regulations, viewer: Viewer, held: ReferenceData | None = None
) -> RequestContext:
    return RequestContext(
        store=regulations.store,
        loaders=Loaders(regulations.store, held),
        now=read_clock(),
        secret_key=settings.secret_key_bytes,
        calendar=regulations.calendar,
        policies=regulations.policies,
        viewer=viewer,
        vault_keys=settings.vault_ring,
    )


async def _follow_changes(fan_out: FanOut) -> None:
    """Follow the complaints' changes. After a fault of ours subscribers hear that changes are missing."""
    while True:
        with report_bugs("live", lambda body: fan_out.lose()):
            await fan_out.run()
        await asyncio.sleep(RESTART_SECONDS)


async def _move_audit(store: Store) -> None:
    """Move audit entries from the complaints that they were written with to their own collection.

    Many at once where many wait: moved a few at a time, they would cost as much again as the write.
    """
    while True:
        try:
            moved = await audit_trail.move_entries(store)
        except PyMongoError as failure:
            logger.warning("audit_waits", failure=type(failure).__name__)
            moved = 0
        if moved < audit_trail.MOVED_AT_ONCE:
            await asyncio.sleep(AUDIT_PAUSE_SECONDS)


async def _store_usage(store: Store, counted: Usage) -> None:
    """Add the counts to the day's. Counts may be lost: those that an unreachable database does not take are."""
    while True:
        await asyncio.sleep(USAGE_PAUSE_SECONDS)
        taken = counted.take()
        try:
            await usage.add_counts(store, read_clock(), taken.fields, taken.operations, taken.texts)
        except PyMongoError as failure:
            logger.warning("usage_lost", failure=type(failure).__name__)


async def _ping(store: Store) -> bool:
    try:
        await store.client.admin.command("ping", maxTimeMS=1000)
    except PyMongoError:
        return False
    return True
