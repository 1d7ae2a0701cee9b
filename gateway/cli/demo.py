"""`satugraf demo`: runs everything on one machine with one command."""

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
from gateway.cli.failure import fail, report_failures
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
"""The people of the demonstration, one for each role; each gets a token."""


class DemoOptions(NamedTuple):
    """The options of `satugraf demo`."""

    host: str
    port: int
    data: Path
    with_agency: bool = False


def run_demo(
    complaints: Complaints = 20_000,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Annotated[Path, typer.Option(help="Folder for the database, the keys and the tokens.")] = Path(".satugraf"),
    with_agency: Annotated[
        bool, typer.Option(help="Also run an agency's subgraph, and show a query over both graphs.")
    ] = False,
) -> None:
    """Run everything on this machine: database, 658 agencies, synthetic complaints, server, a token for each role.

    The data stay in the folder, so the next start takes seconds. Ctrl-C stops the demo and all its processes.

    [bold]Example[/bold]: satugraf demo --complaints 2000 --port 8080
    """
    options = DemoOptions(host, port, data, with_agency)
    with report_failures():
        configured = settings.load()
        _check_port(options)
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        configured = _load_keys(configured, data)
        if configured.mongodb_uri is not None:
            _run(configured, configured.mongodb_uri, complaints, options)
            return
        with run_embedded(data, meanwhile=_import_gateway) as uri:
            _run(configured, uri, complaints, options)


def _import_gateway() -> None:
    """Imports the gateway while mongod starts: both take half of a second start."""
    with garbage.collection_paused():
        importlib.import_module("gateway.app")


def _check_port(options: DemoOptions) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as failure:
            fail(f"Port {options.port} on {options.host} is not free ({failure.strerror}): choose another with --port.")


def _load_keys(configured: Settings, data: Path) -> Settings:
    """Reads the folder's keys, made at the first start: tokens and cursors of earlier starts stay valid."""
    kept = data / "keys.json"
    if not kept.exists():
        _write_secret(kept, {name: secrets.token_hex(32) for name in ("secret_key", "development_key")})
    try:
        written = json.loads(kept.read_text())
        keys = {name: SecretStr(written[name]) for name in ("secret_key", "development_key")}
    except (ValueError, KeyError, TypeError):
        fail(f"{kept} is damaged: remove it, or choose another folder with --data.")
    return configured.model_copy(update=keys | {"mode": Mode.DEVELOPMENT})


def _write_secret(file: Path, content: dict[str, str]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(content, opened, indent=1)


def _run(configured: Settings, uri: str, complaints: int, options: DemoOptions) -> None:
    import uvloop

    tokens = _mint_tokens(configured)
    _write_secret(options.data / "tokens.json", tokens)
    # uvicorn raises the signal again after it has shut down in order: nothing is left to do then.
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configured, uri, complaints, options, tokens))


async def _serve(configured: Settings, uri: str, complaints: int, options: DemoOptions, tokens: dict[str, str]) -> None:
    import uvicorn

    from gateway.app import build

    store: Store = connect(uri, configured.mongodb_database)
    await seed_database(store, configured, complaints)
    config = uvicorn.Config(
        build(configured, store),
        host=options.host,
        port=options.port,
        **UVICORN | {"timeout_graceful_shutdown": 5},
    )
    garbage.freeze_startup_objects()
    _announce(Console(), options, tokens)
    server = uvicorn.Server(config)
    if not options.with_agency:
        await server.serve()
        return
    joining = asyncio.create_task(demo_agency.join_demo(f"http://{options.host}:{options.port}", tokens))
    try:
        await server.serve()
    finally:
        joining.cancel()
        await asyncio.wait([joining])


def _mint_tokens(configured: Settings) -> dict[str, str]:
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


def _announce(console: Console, options: DemoOptions, tokens: dict[str, str]) -> None:
    """Prints URLs and tokens. A token has its own line, which a terminal wraps but never cuts: it can be copied."""
    rows = Table.grid(padding=(0, 2))
    rows.add_row("Console", f"http://{options.host}:{options.port}/console/")
    rows.add_row("Graph", f"http://{options.host}:{options.port}/graphql")
    rows.add_row("Tokens", f"{options.data / 'tokens.json'}, and below")
    console.print(Panel(rows, title="SatuGraf", subtitle="Ctrl-C stops it", expand=False))
    for bearer in BEARERS:
        office = bearer.unit or bearer.agency
        console.print(f"\n[bold]{bearer.role}[/bold]{f' ({office})' if office else ''}", highlight=False)
        console.print(f"Bearer {tokens[bearer.role]}", soft_wrap=True, highlight=False, markup=False)
