"""`satugraf router`: serves a supergraph."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from gateway.cli.failure import fail, told
from gateway.cli.server import UVICORN, Host, Port

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.cli.router_config import RouterConfig
    from gateway.cli.running_schemas import RunningSchemas
    from gateway.cli.supergraph_config import Heard
    from gateway.federation.composition import Contract
    from gateway.federation.executor.endpoint import Endpoint
    from gateway.federation.executor.transport import HttpTransport
    from gateway.federation.supergraph import Supergraph
    from gateway.graph.federated import FederatedGraph, RouterGraph

LOOK_SECONDS: Final = 1.0


def router(
    supergraph: Annotated[Path | None, typer.Option(help="A supergraph's SDL, as composition writes it.")] = None,
    config: Annotated[Path | None, typer.Option(help="supergraph.yaml, to be composed here.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 4000,
    include_tag: Annotated[list[str] | None, typer.Option(help="With --config: only what has this @tag.")] = None,
    exclude_tag: Annotated[list[str] | None, typer.Option(help="With --config: without what has this @tag.")] = None,
    expose_query_plan: Annotated[
        bool, typer.Option(help="Answer requests that have the header x-satugraf-query-plan with their plan.")
    ] = False,
) -> None:
    """Serve a supergraph on /graphql, over HTTP, server-sent events and websockets.

    The file is watched, and the schema files that supergraph.yaml names; running subgraphs are asked for their schemas
    again and again. What has changed is served at once, and where it makes no supergraph, the last good one goes on.
    Limits come from the environment, SATUGRAF_ROUTER_DEADLINE_MS and its siblings: docs/federation.md lists them.

    [bold]Example[/bold]: satugraf router --config supergraph.yaml --port 4000
    """
    import uvicorn

    from gateway.cli.router_config import from_environment

    file = supergraph or config
    if file is None or (supergraph is not None and config is not None):
        fail("Name one of --supergraph, an SDL that is composed already, and --config, subgraphs to compose.")
    if config is None and (include_tag or exclude_tag):
        fail("--include-tag and --exclude-tag take --config: an SDL that is composed already has its tags decided.")
    with told():
        configured = from_environment(exposes_plan=expose_query_plan)
        if supergraph is not None:
            app = router_app(file, read, configured)
        else:
            from gateway.cli.running_schemas import RunningSchemas
            from gateway.cli.supergraph_config import schema_files
            from gateway.federation.composition import Contract

            tags, running = Contract(frozenset(include_tag or ()), frozenset(exclude_tag or ())), RunningSchemas()
            app = router_app(file, partial(composed, tags=tags, heard=running.sdl), configured, schema_files, running)
    uvicorn.run(app, host=host, port=port, **UVICORN)


@dataclass(frozen=True, slots=True)
class Source:
    """A supergraph, and where its subgraphs are."""

    supergraph: "Supergraph"
    endpoints: "dict[str, Endpoint]"


Read = Callable[[Path], Source]

Named = Callable[[Path], list[Path]]
"""Files that a file names, which are watched with it."""

Versions = dict[Path, tuple[int, int, int] | None]
"""What tells one version of a file from the next; None where there is none."""


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


def composed(file: Path, tags: "Contract | None" = None, heard: "Heard | None" = None) -> Source:
    """The supergraph that supergraph.yaml's subgraphs make; ends the command with the errors where there is none."""
    from gateway.cli.endpoints import endpoints
    from gateway.cli.supergraph import supergraph_from

    supergraph = supergraph_from(file, tags, heard)
    return Source(supergraph, endpoints(file, supergraph))


def none_named(file: Path) -> list[Path]:
    return []


def router_app(
    file: Path,
    read: Read = read,
    config: "RouterConfig | None" = None,
    named: Named = none_named,
    running: "RunningSchemas | None" = None,
) -> "ASGIApp":
    """The router as an ASGI app, which watches its files, and the schemas of running subgraphs, while it runs."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    from gateway.cli.router_config import RouterConfig
    from gateway.federation.executor.transport import HttpTransport
    from gateway.graph.federated import RouterGraph
    from gateway.http.connections import Connections
    from gateway.http.graphql import GraphQLEndpoint
    from gateway.http.health import healthz
    from gateway.http.stopping import told_to_stop

    config = config or RouterConfig()
    seen = _versions(file, {}, named)
    first = read(file)
    transport = HttpTransport(first.endpoints)
    connections = Connections(config.limits.connections)
    graph = RouterGraph(make_graph(first.supergraph, transport, config), config.exposes_plan)
    endpoint = GraphQLEndpoint(graph, config.limits, connections)
    watch = Watch(file, read, config, transport, graph, named, running, seen)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = [asyncio.create_task(work) for work in (watch.files(), watch.schemas())]
        with told_to_stop(connections.stop):
            yield
        for work in watching:
            work.cancel()
        graph.current.streams.end_all()
        await transport.close()

    rest = Starlette(routes=[Route("/healthz", healthz)], lifespan=lifespan)

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        # Past Starlette, whose middleware would cost as much as a fetch.
        await (endpoint if scope.get("path") == "/graphql" else rest)(scope, receive, send)

    return app


def make_graph(supergraph: "Supergraph", transport: "HttpTransport", config: "RouterConfig") -> "FederatedGraph":
    from gateway.federation.engine import Engine
    from gateway.federation.executor.subgraphs import hide_messages
    from gateway.graph.federated import FederatedGraph
    from gateway.operation.document import Documents

    # Subgraphs' messages are masked: what they say is for their owners' logs.
    engine = Engine(
        supergraph, transport.ask, shows_messages=hide_messages, listen=transport.listen, max_fetches=config.max_fetches
    )
    return FederatedGraph(engine, Documents(supergraph.api_schema, config.introspection, config.document))


@dataclass(slots=True)
class Watch:
    """Looks at files and schemas, and exchanges what is served where they have become another supergraph."""

    file: Path
    read: Read
    config: "RouterConfig"
    transport: "HttpTransport"
    graph: "RouterGraph"
    named: Named
    running: "RunningSchemas | None"
    seen: Versions
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def files(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            found = await asyncio.to_thread(_versions, self.file, self.seen, self.named)
            if found == self.seen or found[self.file] is None:
                continue
            self.seen = found
            async with self._one_at_a_time:
                await self._schemas_have_changed()
                await self._reread(f"{self.file} has changed")

    async def schemas(self) -> None:
        while True:
            await asyncio.sleep(self.config.schema_poll_ms / 1000 * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            async with self._one_at_a_time:
                if await self._schemas_have_changed():
                    await self._reread("The schema of a running subgraph has changed")

    async def _schemas_have_changed(self) -> bool:
        from gateway.cli.supergraph_config import schema_urls

        if self.running is None:
            return False
        urls = await asyncio.to_thread(schema_urls, self.file)
        return await self.running.have_changed(urls)

    async def _reread(self, why: str) -> None:
        from gateway.http.answer import report_bugs

        # Whatever is wrong with files, schemas or us: what is served goes on.
        with report_bugs("supergraph", lambda body: None), suppress(typer.Exit, OSError):
            await self._exchange(await asyncio.to_thread(self.read, self.file))
            _say(f"{why}: the new supergraph is served.")
            return
        _say(f"{why}, and makes no supergraph: the last good one is served.")

    async def _exchange(self, fresh: Source) -> None:
        graph = make_graph(fresh.supergraph, self.transport, self.config)
        await asyncio.to_thread(graph.warm, self.graph.current)
        # Requests that began with the old supergraph still ask its subgraphs.
        self.transport.endpoints = {**self.transport.endpoints, **fresh.endpoints}
        self.graph.exchange(graph)


def _say(sentence: str) -> None:
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)


def _versions(file: Path, seen: Versions, named: Named) -> Versions:
    """Of the file and of those it names, which are looked up again where it has changed."""
    own = _version(file)
    beside = seen.keys() - {file} if own == seen.get(file) else named(file)
    return {file: own, **{path: _version(path) for path in beside}}


def _version(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
