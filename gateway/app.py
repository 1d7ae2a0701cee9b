"""The composition root: the only module that builds real parts and joins them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import garbage
from gateway.auth.keys import ProviderKeys
from gateway.auth.middleware import Authentication, identifier
from gateway.auth.remembered import Remembered
from gateway.auth.tokens import Verify, development_verifier, provider_verifier, refuse
from gateway.following import Following
from gateway.http import console
from gateway.http.answer import bugs_told
from gateway.http.connections import ConnectionLimits, Connections, origins
from gateway.http.graph import Graph
from gateway.http.graphql import Asker, GraphQLEndpoint, Limits, MakeContext
from gateway.http.health import Readiness, exposed, healthz, published_keys
from gateway.http.request import BodyLimits
from gateway.http.stopping import told_to_stop
from gateway.http.subscriptions import LiveLimits, Subscriptions
from gateway.http.websocket import SocketLimits
from gateway.observability import metrics
from gateway.observability.log import logger
from gateway.operation.usage import Usage
from gateway.settings import Mode, Settings, SettingsError, load
from gateway.worker import Duty, Worker, working
from resolvers import policy
from resolvers.audit_log import audit_trail
from resolvers.registry import usage
from resolvers.regulations.regulations import Regulations
from resolvers.request.context import RequestContext, moment
from resolvers.request.loaders import loaders
from resolvers.store.database import PyMongoError, Store, connect
from resolvers.store.fan_out import FanOut
from resolvers.store.lease import RENEWAL_SECONDS, Lease
from resolvers.store.reference_data import ReferenceData
from resolvers.upkeep import custody, orphaned_reporters, schedule, upkeep
from resolvers.viewer import SYSTEM, Viewer

FIRST_READ_S = 2
AUDIT_PAUSE_SECONDS: Final = 1.0
"""Between two looks for audit entries that wait on their complaints."""
USAGE_PAUSE_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 1.0


def build(settings: Settings, store: Store) -> Starlette:
    """The gateway over a store; closes the store when it stops."""
    readiness = Readiness(lambda: _ping(store))
    regulations = Regulations(store)
    held = ReferenceData()
    metrics.reference_data_age.set_function(held.age_seconds)
    following, live = Following(settings, store), FanOut(store)
    make_context = _contexts(settings, regulations, held, following, live)
    limits = _limits(settings)
    exposes_plan = settings.mode is Mode.DEVELOPMENT
    view = following.view = GraphQLEndpoint(following.first, make_context, limits, exposes_plan=exposes_plan)
    identify = identifier(Remembered(verifier(settings)))
    connections = _connections(settings)
    view.streams = Subscriptions(view, identify, _live_limits(settings), connections)
    _show(live, connections)
    tokens = following.trust.tokens
    routes: list[BaseRoute] = [
        Route("/graphql", view, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", view.streams),
        Route("/.well-known/jwks.json", partial(published_keys, tokens)),
        Route("/metrics", exposed),
        Route("/healthz", healthz),
        Route("/readyz", readiness.readyz),
    ]
    if settings.subgraph_endpoint:
        first = following.first.as_subgraph()
        following.as_subgraph = GraphQLEndpoint(first, make_context, limits, may_ask=policy.may_ask_as_router)
        routes.append(Route("/subgraph/graphql", following.as_subgraph, methods=["POST"]))
    if settings.console:
        routes += [Mount("/console", console.files()), Route("/", console.enter)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        keeping = (_move_audit(store), held.follow(store), _follow(live), _keep_usage(store, view.usage))
        tasks = [asyncio.create_task(work) for work in keeping]
        try:
            work = working(worker(settings, regulations) if settings.worker else None)
            with told_to_stop(connections.stop):
                async with refreshed(regulations), following.running(), work:
                    yield
        finally:
            readiness.is_stopping = True
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            store.close()

    middleware = [Middleware(Authentication, identify=identify)]
    return _Application(Authentication(view, identify), routes=routes, middleware=middleware, lifespan=lifespan)


class _Application(Starlette):
    """The routes; most requests are one kind, which needs none of the layers and answers for its own faults."""

    def __init__(self, graphql: ASGIApp, **further: Any) -> None:
        super().__init__(**further)
        self.graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/graphql" and scope["method"] == "POST":
            await self.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _limits(settings: Settings) -> Limits:
    body = BodyLimits(settings.body_limit_bytes, settings.body_deadline_ms)
    return Limits(body, settings.cost_limit_points, settings.request_deadline_ms)


def _connections(settings: Settings) -> Connections:
    limits = ConnectionLimits(
        settings.connections_per_address, settings.connections_per_subject, origins(settings.allowed_origins)
    )
    return Connections(limits)


def _live_limits(settings: Settings) -> LiveLimits:
    socket = SocketLimits(message_bytes=settings.body_limit_bytes, operations=settings.subscriptions_per_connection)
    return LiveLimits(socket, settings.subscription_cost_limit_points)


def _show(live: FanOut, connections: Connections) -> None:
    metrics.subscriptions.set_function(live.count)
    metrics.connections.set_function(connections.count)
    metrics.live_lag.set_function(live.lag_seconds)


def from_environment() -> Starlette:
    """The gateway as `satugraf serve` runs it. Raises SettingsError."""
    settings = load()
    if settings.mongodb_uri is None:
        raise SettingsError("SATUGRAF_MONGODB_URI is not set: name a running replica set.")
    app = build(settings, connect(settings.mongodb_uri, settings.mongodb_database))
    garbage.serve()
    return app


def worker(settings: Settings, regulations: Regulations) -> Worker:
    """What the system does unasked, by the regulations in force."""
    store = regulations.store

    def make_context() -> RequestContext:
        return _context(settings, regulations, SYSTEM)

    complaints = Duty("complaints", upkeep.due, upkeep.take, partial(schedule.postpone, store.complaints))
    teams = Duty("teams", custody.teams_due, custody.note_standing, partial(schedule.postpone, store.teams))
    agencies = Duty("agencies", custody.agencies_due, custody.settle, partial(schedule.postpone, store.agencies))
    reporters = Duty(
        "reporters", orphaned_reporters.due, orphaned_reporters.settle, partial(orphaned_reporters.postpone, store)
    )
    duties = (complaints, teams, agencies, reporters)
    return Worker(Lease(store, "upkeep"), make_context, duties, RENEWAL_SECONDS)


def verifier(settings: Settings) -> Verify:
    if settings.development_key is not None:
        return development_verifier(settings.development_key.get_secret_value())
    if settings.jwks_url is not None:
        keys = ProviderKeys(settings.jwks_url)
        return provider_verifier(keys, issuer=settings.token_issuer, audience=settings.token_audience)
    return refuse


@asynccontextmanager
async def refreshed(regulations: Regulations) -> AsyncIterator[None]:
    """Starts with what the database says is in force, where it answers at once, and keeps up with it."""
    with suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(FIRST_READ_S):
            await regulations.read()
    keeping = asyncio.create_task(regulations.keep_fresh())
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


def _contexts(
    settings: Settings, regulations: Regulations, held: ReferenceData, following: Following, live: FanOut
) -> MakeContext:
    _ = settings.secret_key_bytes

    def make_context(asker: Asker, graph: Graph, *, is_query: bool) -> RequestContext:
        # What a mutation decides upon is read from the database, not from what was true half a second ago.
        context = _context(settings, regulations, asker.viewer, held if is_query else None)
        context.held = held
        context.live = live
        context.takes_secrets = asker.method == "POST"
        context.purpose = asker.headers.get("x-purpose")
        context.local_cases = graph.national.local_cases
        context.composer = following.registrar
        context.subgraph_health = following.health.of
        return context

    return make_context


def _context(
    settings: Settings, regulations: Regulations, viewer: Viewer, held: ReferenceData | None = None
) -> RequestContext:
    return RequestContext(
        store=regulations.store,
        loaders=loaders(regulations.store, held),
        now=moment(),
        secret_key=settings.secret_key_bytes,
        calendar=regulations.calendar,
        policies=regulations.policies,
        viewer=viewer,
        vault_keys=settings.vault_ring,
    )


async def _follow(live: FanOut) -> None:
    """Whatever is wrong with us: subscribers are told that changes are missing, and others can subscribe."""
    while True:
        with bugs_told("live", lambda body: live.lose()):
            await live.run()
        await asyncio.sleep(AGAIN_SECONDS)


async def _move_audit(store: Store) -> None:
    """Takes audit entries off the complaints that they were written with; what is left waits for whoever is next.

    Many at once where there are many: by each few, a write would cost as much again.
    """
    while True:
        try:
            moved = await audit_trail.move(store)
        except PyMongoError as failure:
            logger.warning("audit_waits", failure=type(failure).__name__)
            moved = 0
        if moved < audit_trail.MOVED_AT_ONCE:
            await asyncio.sleep(AUDIT_PAUSE_SECONDS)


async def _keep_usage(store: Store, counted: Usage) -> None:
    """Adds what was counted to the day's; what a database that is away does not take is lost, as counts may be."""
    while True:
        await asyncio.sleep(USAGE_PAUSE_SECONDS)
        taken = counted.take()
        try:
            await usage.add(store, moment(), taken.fields, taken.operations, taken.texts)
        except PyMongoError as failure:
            logger.warning("usage_lost", failure=type(failure).__name__)


async def _ping(store: Store) -> bool:
    try:
        await store.client.admin.command("ping", maxTimeMS=1000)
    except PyMongoError:
        return False
    return True
