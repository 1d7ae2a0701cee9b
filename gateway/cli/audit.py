"""`satugraf audit …`: verifies the audit of complaints, and exports it."""

from typing import Annotated

import orjson
import typer
from rich.console import Console

from gateway.cli.data import run_with_store
from gateway.cli.failure import fail
from gateway.settings import Settings
from resolvers.store.database import Store

commands = typer.Typer(help="The audit: who did what with a complaint.", no_args_is_help=True)


@commands.command()
def verify(
    complaint: Annotated[
        str | None, typer.Argument(help="Tracking ID of a complaint. Without it, all complaints are verified.")
    ] = None,
) -> None:
    """Find removed or altered entries, and changes without an entry. Exit code 1 if there are any."""
    from resolvers.complaints import audit_check

    faults: list[str] = []
    checked = 0

    async def run(store: Store, configured: Settings) -> None:
        nonlocal checked
        async for name, fault in audit_check.check_all(store, complaint):
            checked += 1
            if fault is not None:
                faults.append(f"{name}: {fault}")

    run_with_store(run)
    if faults:
        fail("\n".join(faults))
    Console(stderr=True).print(f"{checked} records are whole.", style="green")


@commands.command()
def export() -> None:
    """Print every entry as a JSON line, by complaint. Entries hold no text that people wrote."""
    from resolvers.complaints import audit_check

    async def run(store: Store, configured: Settings) -> None:
        async for entry in audit_check.list_entries(store):
            print(orjson.dumps(entry).decode())  # noqa: T201 - the command's output

    run_with_store(run)
