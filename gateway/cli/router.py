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

from gateway.cli.failure import fail, report_failures
from gateway.cli.server import UVICORN, Host, Port

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.cli.router_config import RouterConfig
    from gateway.cli.running_schemas import RunningSchemas
    from gateway.cli.supergraph_config import FetchSchema
    from gateway.federation.composition import Contract
    from gateway.federation.executor.endpoint import Endpoint
    from gateway.federation.executor.transport import HttpTransport
    from gateway.federation.supergraph import Supergraph
    from gateway.graph.federated import FederatedGraph, RouterGraph

LOOK_SECONDS: Final = 1.0


def run_router(
    supergraph: Annotated[
        Path | None, typer.Option(help="File with a composed supergraph (SDL). Use this or --config.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="supergraph.yaml: the subgraphs to compose at the start.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 4000,
    include_tag: Annotated[
        list[str] | None, typer.Option(help="With --config: clients see only elements with this @tag. Repeatable.")
    ] = None,
    exclude_tag: Annotated[
        list[str] | None, typer.Option(help="With --config: hide elements with this @tag from clients. Repeatable.")
    ] = None,
    expose_query_plan: Annotated[
        bool, typer.Option(help="Return the query plan to requests with the header x-satugraf-query-plan.")
    ] = False,
) -> None:
    """Serve a supergraph on /graphql, over HTTP, server-sent events and websockets.

    The router watches the file and the schema files that supergraph.yaml names, and polls running subgraphs for their
    schemas. It serves a change at once; if the change makes no valid supergraph, it goes on with the last valid one.
    Limits come from environment variables such as SATUGRAF_ROUTER_DEADLINE_MS; docs/federation.md lists them.

    [bold]Example[/bold]: satugraf router --config supergraph.yaml --port 4000
    """
    import uvicorn

    from gateway.cli.router_config import from_environment

    file = supergraph or config
    if file is None or (supergraph is not None and config is not None):
        fail("Give either --supergraph, a composed supergraph, or --config, the subgraphs to compose.")
    if config is None and (include_tag or exclude_tag):
        fail("--include-tag and --exclude-tag need --config: a composed supergraph has its tags applied already.")
    with report_failures():
        configured = from_environment(exposes_plan=expose_query_plan)
        if supergraph is not None:
            app = make_router_app(file, read_sdl, configured)
        else:
            from gateway.cli.running_schemas import RunningSchemas
            from gateway.cli.supergraph_config import list_schema_files
            from gateway.federation.composition import Contract

            tags, running = Contract(frozenset(include_tag or ()), frozenset(exclude_tag or ())), RunningSchemas()
            compose = partial(compose_config, tags=tags, fetch_schema=running.find_sdl)
            app = make_router_app(file, compose, configured, list_schema_files, running)
    uvicorn.run(app, host=host, port=port, **UVICORN)


@dataclass(frozen=True, slots=True)
class LoadedSupergraph:
    """A supergraph and the endpoints of its subgraphs."""

    supergraph: "Supergraph"
    endpoints: "dict[str, Endpoint]"


ReadSupergraph = Callable[[Path], LoadedSupergraph]

ListFiles = Callable[[Path], list[Path]]
"""Lists the files that a file names; they are watched too."""

FileVersions = dict[Path, tuple[int, int, int] | None]
"""Modification time, size and inode of each file; None if it does not exist."""


def read_sdl(file: Path) -> LoadedSupergraph:
    """Reads a composed supergraph; ends the command with a message if the file holds none."""
    from gateway.federation.executor.endpoint import Endpoint
    from gateway.federation.join import InvalidSupergraph, read_supergraph

    try:
        supergraph = read_supergraph(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8.")
    except InvalidSupergraph as failure:
        fail(f"{file}: {failure}")
    return LoadedSupergraph(
        supergraph, {subgraph.name: Endpoint(subgraph.url) for subgraph in supergraph.subgraphs.values()}
    )


def compose_config(
    file: Path, tags: "Contract | None" = None, fetch_schema: "FetchSchema | None" = None
) -> LoadedSupergraph:
    """Composes the subgraphs of a supergraph.yaml; ends the command with the errors if they do not compose."""
    from gateway.cli.endpoints import read_endpoints
    from gateway.cli.supergraph import compose_supergraph

    supergraph = compose_supergraph(file, tags, fetch_schema)
    return LoadedSupergraph(supergraph, read_endpoints(file, supergraph))


def list_no_files(file: Path) -> list[Path]:
    return []


def make_router_app(
    file: Path,
    read: ReadSupergraph = read_sdl,
    config: "RouterConfig | None" = None,
    list_files: ListFiles = list_no_files,
    running: "RunningSchemas | None" = None,
) -> "ASGIApp":
    """Returns the router as an ASGI app. While it runs, it watches its files and the schemas of running subgraphs."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    from gateway.cli.router_config import RouterConfig
    from gateway.federation.executor.transport import HttpTransport
    from gateway.graph.federated import RouterGraph
    from gateway.http.connections import Connections
    from gateway.http.graphql import GraphQLEndpoint
    from gateway.http.health import healthz
    from gateway.http.stopping import stop_streams_first

    config = config or RouterConfig()
    versions = _read_versions(file, {}, list_files)
    first = read(file)
    transport = HttpTransport(first.endpoints)
    connections = Connections(config.limits.connections)
    graph = RouterGraph(make_graph(first.supergraph, transport, config), config.exposes_plan)
    endpoint = GraphQLEndpoint(graph, config.limits, connections)
    watch = SupergraphWatcher(file, read, config, transport, graph, list_files, running, versions)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = [asyncio.create_task(work) for work in (watch.watch_files(), watch.watch_schemas())]
        with stop_streams_first(connections.stop):
            yield
        for work in watching:
            work.cancel()
        graph.current.streams.end_all()
        await transport.close()

    rest = Starlette(routes=[Route("/healthz", healthz)], lifespan=lifespan)

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        # /graphql bypasses Starlette, whose middleware costs as much CPU as a fetch.
        await (endpoint if scope.get("path") == "/graphql" else rest)(scope, receive, send)

    return app


def make_graph(supergraph: "Supergraph", transport: "HttpTransport", config: "RouterConfig") -> "FederatedGraph":
    from gateway.federation.engine import Engine
    from gateway.federation.executor.subgraphs import hide_messages
    from gateway.graph.federated import FederatedGraph
    from gateway.operation.document import Documents

    # Subgraphs' messages may reveal internals: they stay in the subgraphs' own logs.
    engine = Engine(
        supergraph, transport.ask, shows_messages=hide_messages, listen=transport.listen, max_fetches=config.max_fetches
    )
    return FederatedGraph(engine, Documents(supergraph.api_schema, config.introspection, config.document))


@dataclass(slots=True)
class SupergraphWatcher:
    """Watches files and running subgraphs, and replaces the served supergraph when one of them changes."""

    file: Path
    read: ReadSupergraph
    config: "RouterConfig"
    transport: "HttpTransport"
    graph: "RouterGraph"
    list_files: ListFiles
    running: "RunningSchemas | None"
    versions: FileVersions
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch_files(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            versions = await asyncio.to_thread(_read_versions, self.file, self.versions, self.list_files)
            # An editor may delete the file before it writes the new one: wait until it is there again.
            if versions == self.versions or versions[self.file] is None:
                continue
            self.versions = versions
            async with self._lock:
                await self._refresh_schemas()
                await self._reload(f"{self.file} has changed")

    async def watch_schemas(self) -> None:
        while True:
            # A random pause: routers that were started together must not poll together.
            await asyncio.sleep(self.config.schema_poll_ms / 1000 * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            async with self._lock:
                if await self._refresh_schemas():
                    await self._reload("The schema of a running subgraph has changed")

    async def _refresh_schemas(self) -> bool:
        from gateway.cli.supergraph_config import list_schema_urls

        if self.running is None:
            return False
        urls = await asyncio.to_thread(list_schema_urls, self.file)
        return await self.running.refresh(urls)

    async def _reload(self, why: str) -> None:
        from gateway.http.answer import report_bugs

        # Whatever is wrong with the files, the schemas or our code, the router goes on with the supergraph it serves.
        with report_bugs("supergraph", lambda body: None), suppress(typer.Exit, OSError):
            await self._exchange(await asyncio.to_thread(self.read, self.file))
            _print_notice(f"{why}: the new supergraph is served.")
            return
        _print_notice(f"{why}, and makes no valid supergraph: the last valid one is served.")

    async def _exchange(self, fresh: LoadedSupergraph) -> None:
        graph = make_graph(fresh.supergraph, self.transport, self.config)
        await asyncio.to_thread(graph.warm, self.graph.current)
        # Requests that began with the old supergraph still send requests to its subgraphs.
        self.transport.endpoints = {**self.transport.endpoints, **fresh.endpoints}
        self.graph.exchange(graph)


def _print_notice(sentence: str) -> None:
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)


def _read_versions(file: Path, seen: FileVersions, list_files: ListFiles) -> FileVersions:
    """Reads the versions of the file and of the files that it names, which are listed again only if it has changed."""
    own = _read_version(file)
    named = seen.keys() - {file} if own == seen.get(file) else list_files(file)
    return {file: own, **{path: _read_version(path) for path in named}}


def _read_version(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
