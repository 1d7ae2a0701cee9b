"""`satugraf demo`: everything on one machine, with one command."""

import asyncio
import importlib
import json
import os
import secrets
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from gateway import settings
from gateway.cli import demo_agency
from gateway.cli.data import Complaints, seed_database
from gateway.cli.failure import fail, told
from gateway.cli.server import UVICORN, Host, Port
from gateway.graph import garbage
from gateway.mongod import run_embedded
from gateway.settings import Mode, Settings
from resolvers.domain.vocabulary import Role
from resolvers.store.database import Store, connect
from resolvers.store.register import DEMO_UNIT
from resolvers.viewer import Viewer

TOKEN_LIFETIME: Final = timedelta(days=30)

BEARERS: Final = (
    Viewer(Role.CITIZEN, "demo-citizen"),
    Viewer(Role.LIAISON, "demo-liaison", "kab-badung", DEMO_UNIT),
    Viewer(Role.AGENCY_ADMIN, "demo-admin", "kab-badung"),
    Viewer(Role.PROVINCE_COORDINATOR, "demo-coordinator", "prov-bali"),
    Viewer(Role.NATIONAL_ADMIN, "demo-national"),
    Viewer(Role.OVERSIGHT, "demo-oversight"),
    Viewer(Role.PARTNER, "demo-partner"),
    Viewer(Role.SUBGRAPH, "demo-subgraph", "kab-badung"),
)
"""Whom the demonstration's tokens stand for, one a role."""


class Place(NamedTuple):
    """Where a demonstration listens and keeps its data."""

    host: str
    port: int
    data: Path
    with_agency: bool = False


def demo(
    complaints: Complaints = 20_000,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Annotated[Path, typer.Option(help="The folder for database, keys and tokens.")] = Path(".satugraf"),
    with_agency: Annotated[bool, typer.Option(help="Also an agency's subgraph, and a query of both.")] = False,
) -> None:
    """Run everything on this machine: database, 658 agencies, synthetic complaints, server, a token per role.

    The data stay in the folder: a second start takes seconds. Ctrl-C stops it and leaves no process behind.

    [bold]Example[/bold]: satugraf demo --complaints 2000 --port 8080
    """
    place = Place(host, port, data, with_agency)
    with told():
        configured = settings.load()
        _check_port(place)
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        configured = _with_keys(configured, data)
        if configured.mongodb_uri is not None:
            _run(configured, configured.mongodb_uri, complaints, place)
            return
        with run_embedded(data, meanwhile=_load) as uri:
            _run(configured, uri, complaints, place)


def _load() -> None:
    """The gateway's modules: half of what a second start takes, and mongod takes as long."""
    with garbage.collection_paused():
        importlib.import_module("gateway.app")


def _check_port(place: Place) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except OSError as failure:
            fail(f"Port {place.port} on {place.host} cannot be used ({failure.strerror}): choose another with --port.")


def _with_keys(configured: Settings, data: Path) -> Settings:
    """Keys of this folder's own, made at the first start: what was signed before stays valid."""
    kept = data / "keys.json"
    if not kept.exists():
        _write_secret(kept, {name: secrets.token_hex(32) for name in ("secret_key", "development_key")})
    try:
        written = json.loads(kept.read_text())
        keys = {name: SecretStr(written[name]) for name in ("secret_key", "development_key")}
    except (ValueError, KeyError, TypeError):
        fail(f"{kept} is not as it was written: remove it, or choose another folder with --data.")
    return configured.model_copy(update=keys | {"mode": Mode.DEVELOPMENT})


def _write_secret(file: Path, content: dict[str, str]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(content, opened, indent=1)


def _run(configured: Settings, uri: str, complaints: int, place: Place) -> None:
    import uvloop

    tokens = _tokens(configured)
    _write_secret(place.data / "tokens.json", tokens)
    # The server has closed in good order by the time that it raises the signal which stopped it.
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configured, uri, complaints, place, tokens))


async def _serve(configured: Settings, uri: str, complaints: int, place: Place, tokens: dict[str, str]) -> None:
    import uvicorn

    from gateway.app import build

    store: Store = connect(uri, configured.mongodb_database)
    await seed_database(store, configured, complaints)
    options = uvicorn.Config(
        build(configured, store),
        host=place.host,
        port=place.port,
        **UVICORN | {"timeout_graceful_shutdown": 5},
    )
    garbage.freeze_startup_objects()
    _announce(Console(), place, tokens)
    server = uvicorn.Server(options)
    if not place.with_agency:
        await server.serve()
        return
    joining = asyncio.create_task(demo_agency.joined(f"http://{place.host}:{place.port}", tokens))
    try:
        await server.serve()
    finally:
        joining.cancel()
        await asyncio.wait([joining])


def _tokens(configured: Settings) -> dict[str, str]:
    from gateway.auth.tokens import mint

    assert configured.development_key is not None  # noqa: S101 - _with_keys has set it
    key, now = configured.development_key.get_secret_value(), datetime.now(UTC)
    return {
        bearer.role: mint(
            key,
            role=bearer.role,
            subject=bearer.subject or "",
            now=now,
            lifetime=TOKEN_LIFETIME,
            agency=bearer.agency,
            unit=bearer.unit,
        )
        for bearer in BEARERS
    }


def _announce(console: Console, place: Place, tokens: dict[str, str]) -> None:
    """Tokens go to lines of their own, which a terminal wraps but never cuts: they are there to be copied."""
    rows = Table.grid(padding=(0, 2))
    rows.add_row("Console", f"http://{place.host}:{place.port}/console/")
    rows.add_row("Graph", f"http://{place.host}:{place.port}/graphql")
    rows.add_row("Tokens", f"{place.data / 'tokens.json'}, and below")
    console.print(Panel(rows, title="SatuGraf", subtitle="Ctrl-C stops it", expand=False))
    for bearer in BEARERS:
        held_in = bearer.unit or bearer.agency
        console.print(f"\n[bold]{bearer.role}[/bold]{f' ({held_in})' if held_in else ''}", highlight=False)
        console.print(f"Bearer {tokens[bearer.role]}", soft_wrap=True, highlight=False, markup=False)
