"""`satugraf router`: serves a supergraph."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from gateway.cli.failure import fail, told
from gateway.cli.server import UVICORN, Host, Port
from gateway.cli.supergraph import supergraph_from

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from gateway.federation.supergraph import Supergraph

    Read = Callable[[Path], Supergraph]

LOOK_SECONDS: Final = 1.0


def router(
    supergraph: Annotated[Path | None, typer.Option(help="A supergraph's SDL, as composition writes it.")] = None,
    config: Annotated[Path | None, typer.Option(help="supergraph.yaml, to be composed here.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 4000,
) -> None:
    """Serve a supergraph on /graphql.

    The file is watched: a new version is served at once, and where it is none, the last good one goes on.

    [bold]Example[/bold]: satugraf router --config supergraph.yaml --port 4000
    """
    import uvicorn

    file = supergraph or config
    if file is None or (supergraph is not None and config is not None):
        fail("Name one of --supergraph, an SDL that is composed already, and --config, subgraphs to compose.")
    with told():
        app = router_app(file, supergraph_from if supergraph is None else _read)
    uvicorn.run(app, host=host, port=port, **UVICORN)


def router_app(file: Path, read: "Read | None" = None) -> "Starlette":
    """The router as an ASGI app, which watches the file while it runs."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    from gateway.federation.executor.transport import Endpoint, HttpTransport
    from gateway.http.health import healthz
    from gateway.http.router import Router, Served

    def endpoints(supergraph: "Supergraph") -> dict[str, Endpoint]:
        return {subgraph.name: Endpoint(subgraph.url) for subgraph in supergraph.subgraphs.values()}

    read = read or _read
    first = read(file)
    transport = HttpTransport(endpoints(first))
    endpoint = Router(Served.of(first, transport.ask))

    async def watch() -> None:
        seen = await asyncio.to_thread(_version, file)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            changed = await asyncio.to_thread(_version, file)
            if changed in (seen, None):
                continue
            seen = changed
            try:
                fresh = await asyncio.to_thread(read, file)
            except (typer.Exit, OSError):
                continue
            served = Served.of(fresh, transport.ask)
            await asyncio.to_thread(served.warm, endpoint.served)
            # Requests that began with the old supergraph still ask its subgraphs.
            transport.endpoints = {**transport.endpoints, **endpoints(fresh)}
            endpoint.served = served
            Console(stderr=True).print(f"{file} has changed: the new supergraph is served.")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(watch())
        yield
        watching.cancel()
        await transport.close()

    routes = [Route("/graphql", endpoint.graphql, methods=["GET", "POST"]), Route("/healthz", healthz)]
    return Starlette(routes=routes, lifespan=lifespan)


def _version(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None


def _read(file: Path) -> "Supergraph":
    from gateway.federation.join import InvalidSupergraph, read_supergraph

    try:
        return read_supergraph(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8.")
    except InvalidSupergraph as failure:
        fail(f"{file}: {failure}")
