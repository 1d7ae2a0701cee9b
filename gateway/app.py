"""The composition root: the only module that builds real parts and joins them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route

import schema
from gateway.auth.keys import ProviderKeys
from gateway.auth.middleware import Authentication
from gateway.auth.remembered import Remembered
from gateway.auth.tokens import Verify, development_verifier, provider_verifier, refuse
from gateway.http import console
from gateway.http.graphql import Endpoint, Limits
from gateway.http.health import Readiness, exposed, healthz
from gateway.http.request import BodyLimits
from gateway.observability import metrics
from gateway.observability.log import logger
from gateway.operation.document import Documents
from gateway.settings import Settings, SettingsError, load
from resolvers import audit_trail
from resolvers.context import RequestContext
from resolvers.loaders import loaders
from resolvers.regulations import Regulations
from resolvers.store.database import PyMongoError, Store, connect
from resolvers.store.reference_data import ReferenceData
from resolvers.viewer import PUBLIC

FIRST_READ_S = 2
AUDIT_PAUSE_SECONDS: Final = 1.0
"""Between two looks for audit entries that wait on their complaints."""


def build(settings: Settings, store: Store) -> Starlette:
    """The gateway over a store; closes the store when it stops."""
    readiness = Readiness(lambda: _ping(store))
    regulations, held = Regulations(store), ReferenceData()
    metrics.reference_data_age.set_function(held.age_seconds)
    routes: list[BaseRoute] = [
        Route("/graphql", _graphql(settings, regulations, held), methods=["GET", "POST"]),
        Route("/metrics", exposed),
        Route("/healthz", healthz),
        Route("/readyz", readiness.readyz),
    ]
    if settings.console:
        routes += [Mount("/console", console.files()), Route("/", console.enter)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        working = [asyncio.create_task(held.follow(store)), asyncio.create_task(_move_audit(store))]
        try:
            async with _refreshed(regulations):
                yield
        finally:
            readiness.is_stopping = True
            for task in working:
                task.cancel()
            await asyncio.wait(working)
            store.close()

    middleware = [Middleware(Authentication, verify=Remembered(verifier(settings)))]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


def from_environment() -> Starlette:
    """The gateway as `satugraf serve` runs it. Raises SettingsError."""
    settings = load()
    if settings.mongodb_uri is None:
        raise SettingsError("SATUGRAF_MONGODB_URI is not set: name a running replica set.")
    return build(settings, connect(settings.mongodb_uri, settings.mongodb_database))


def verifier(settings: Settings) -> Verify:
    if settings.development_key is not None:
        return development_verifier(settings.development_key.get_secret_value())
    if settings.jwks_url is not None:
        keys = ProviderKeys(settings.jwks_url)
        return provider_verifier(keys, issuer=settings.token_issuer, audience=settings.token_audience)
    return refuse


@asynccontextmanager
async def _refreshed(regulations: Regulations) -> AsyncIterator[None]:
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


def _graphql(settings: Settings, regulations: Regulations, held: ReferenceData) -> Endpoint:
    secret_key, store = settings.secret_key_bytes, regulations.store

    def make_context(request: Request, *, is_query: bool) -> RequestContext:
        return RequestContext(
            store=store,
            # What a mutation decides upon is read from the database, not from what was true half a second ago.
            loaders=loaders(store, held if is_query else None),
            held=held,
            now=_now(),
            secret_key=secret_key,
            calendar=regulations.calendar,
            policies=regulations.policies,
            viewer=request.scope.get("viewer", PUBLIC),
            takes_secrets=request.method == "POST",
            purpose=request.headers.get("x-purpose"),
            vault_keys=settings.vault_ring,
        )

    documents = Documents(schema.build()._schema, settings.introspection)
    limits = Limits(
        BodyLimits(settings.body_limit_bytes, settings.body_deadline_ms),
        settings.cost_limit_points,
        settings.request_deadline_ms,
    )
    return Endpoint(documents, make_context, limits)


def _now() -> datetime:
    """To the millisecond, which is what the database keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


async def _move_audit(store: Store) -> None:
    """Takes audit entries off the complaints that they were written with; what is left waits for whoever is next."""
    while True:
        try:
            moved = await audit_trail.move(store)
        except PyMongoError as failure:
            logger.warning("audit_waits", failure=type(failure).__name__)
            moved = 0
        if moved == 0:
            await asyncio.sleep(AUDIT_PAUSE_SECONDS)


async def _ping(store: Store) -> bool:
    try:
        await store.client.admin.command("ping", maxTimeMS=1000)
    except PyMongoError:
        return False
    return True
