"""`satugraf audit …`: whether the record of every complaint is whole, and the record as a file."""

from typing import Annotated

import orjson
import typer
from rich.console import Console

from gateway.cli.data import run_with_store
from gateway.cli.failure import fail
from gateway.settings import Settings
from resolvers.store.database import Store

commands = typer.Typer(help="The record of who did what with a complaint.", no_args_is_help=True)


@commands.command()
def verify(complaint: Annotated[str | None, typer.Argument(help="One complaint; all where left out.")] = None) -> None:
    """Find entries that were removed or altered, and changes beside the record; exit code 1 where there are any."""
    from resolvers.complaints import audit_check

    faults: list[str] = []
    checked = 0

    async def run(store: Store, configured: Settings) -> None:
        nonlocal checked
        async for name, fault in audit_check.every(store, complaint):
            checked += 1
            if fault is not None:
                faults.append(f"{name}: {fault}")

    run_with_store(run)
    if faults:
        fail("\n".join(faults))
    Console(stderr=True).print(f"{checked} records are whole.", style="green")


@commands.command()
def export() -> None:
    """Print every entry as a JSON line, by complaint; it holds no word of what was written."""
    from resolvers.complaints import audit_check

    async def run(store: Store, configured: Settings) -> None:
        async for entry in audit_check.entries(store):
            print(orjson.dumps(entry).decode())  # noqa: T201 - the command's output

    run_with_store(run)
