"""`satugraf router`: serves a supergraph."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from gateway.cli.failure import fail, told
from gateway.cli.server import UVICORN, WEBSOCKETS, Host, Port

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.cli.router_config import RouterConfig
    from gateway.federation.executor.endpoint import Endpoint
    from gateway.federation.executor.transport import HttpTransport
    from gateway.federation.supergraph import Supergraph
    from gateway.http.router import Router, Served

LOOK_SECONDS: Final = 1.0


def router(
    supergraph: Annotated[Path | None, typer.Option(help="A supergraph's SDL, as composition writes it.")] = None,
    config: Annotated[Path | None, typer.Option(help="supergraph.yaml, to be composed here.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 4000,
    expose_query_plan: Annotated[
        bool, typer.Option(help="Answer requests that have the header x-satugraf-query-plan with their plan.")
    ] = False,
) -> None:
    """Serve a supergraph on /graphql, over HTTP, server-sent events and websockets.

    The file is watched: a new version is served at once, and where it is none, the last good one goes on. Limits come
    from the environment, SATUGRAF_ROUTER_DEADLINE_MS and its siblings: docs/federation.md lists them.

    [bold]Example[/bold]: satugraf router --config supergraph.yaml --port 4000
    """
    import uvicorn

    from gateway.cli.router_config import from_environment

    file = supergraph or config
    if file is None or (supergraph is not None and config is not None):
        fail("Name one of --supergraph, an SDL that is composed already, and --config, subgraphs to compose.")
    with told():
        configured = from_environment(exposes_plan=expose_query_plan)
        app = router_app(file, composed if supergraph is None else read, configured)
    uvicorn.run(app, host=host, port=port, **UVICORN | WEBSOCKETS)


@dataclass(frozen=True, slots=True)
class Source:
    """A supergraph, and where its subgraphs are."""

    supergraph: "Supergraph"
    endpoints: "dict[str, Endpoint]"


Read = Callable[[Path], Source]


def read(file: Path) -> Source:
    """A supergraph's SDL; ends the command with a sentence where it is none."""
    from gateway.federation.executor.endpoint import Endpoint
    from gateway.federation.join import InvalidSupergraph, read_supergraph

    try:
        supergraph = read_supergraph(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8.")
    except InvalidSupergraph as failure:
        fail(f"{file}: {failure}")
    return Source(supergraph, {subgraph.name: Endpoint(subgraph.url) for subgraph in supergraph.subgraphs.values()})


def composed(file: Path) -> Source:
    """The supergraph that supergraph.yaml's subgraphs make; ends the command with the errors where there is none."""
    from gateway.cli.endpoints import endpoints
    from gateway.cli.supergraph import supergraph_from

    supergraph = supergraph_from(file)
    return Source(supergraph, endpoints(file, supergraph))


def router_app(file: Path, read: Read = read, config: "RouterConfig | None" = None) -> "ASGIApp":
    """The router as an ASGI app, which watches the file while it runs."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    from gateway.cli.router_config import RouterConfig
    from gateway.federation.executor.transport import HttpTransport
    from gateway.http.health import healthz
    from gateway.http.router import Router

    config = config or RouterConfig()
    version = _version(file)
    first = read(file)
    transport = HttpTransport(first.endpoints)
    endpoint = Router(served(first.supergraph, transport, config), config.limits, config.exposes_plan)
    watch = Watch(file, read, config, transport, endpoint, version)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(watch.run())
        yield
        watching.cancel()
        endpoint.served.retire()
        await transport.close()

    rest = Starlette(routes=[Route("/healthz", healthz)], lifespan=lifespan)

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        # Past Starlette, whose middleware would cost as much as a fetch.
        await (endpoint if scope.get("path") == "/graphql" else rest)(scope, receive, send)

    return app


def served(supergraph: "Supergraph", transport: "HttpTransport", config: "RouterConfig") -> "Served":
    from gateway.federation.engine import Engine
    from gateway.http.router import Served
    from gateway.operation.document import Documents

    # Subgraphs' messages are masked: what they say is for their owners' logs.
    engine = Engine(
        supergraph, transport.ask, shows_messages=False, listen=transport.listen, max_fetches=config.max_fetches
    )
    return Served(engine, Documents(supergraph.api_schema, config.introspection, config.document))


@dataclass(slots=True)
class Watch:
    """Looks at the file, and exchanges what is served where it has become another supergraph."""

    file: Path
    read: Read
    config: "RouterConfig"
    transport: "HttpTransport"
    endpoint: "Router"
    seen: int | None

    async def run(self) -> None:
        from gateway.http.answer import bugs_told

        while True:
            await asyncio.sleep(LOOK_SECONDS)
            changed = await asyncio.to_thread(_version, self.file)
            if changed in (self.seen, None):
                continue
            self.seen = changed
            # Whatever is wrong with the file or with us: what is served goes on.
            with bugs_told("supergraph", lambda body: None), suppress(typer.Exit, OSError):
                await self.exchange(await asyncio.to_thread(self.read, self.file))
                Console(stderr=True).print(f"{self.file} has changed: the new supergraph is served.")

    async def exchange(self, fresh: Source) -> None:
        following = served(fresh.supergraph, self.transport, self.config)
        await asyncio.to_thread(following.warm, self.endpoint.served)
        # Requests that began with the old supergraph still ask its subgraphs.
        self.transport.endpoints = {**self.transport.endpoints, **fresh.endpoints}
        before, self.endpoint.served = self.endpoint.served, following
        before.retire()


def _version(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None
