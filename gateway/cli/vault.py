"""`satugraf vault …`: reporters' rights by an operator's hand, the keys' rotation, and what a breach touched."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from gateway.cli.data import make_context, run_with_store
from gateway.cli.failure import fail
from resolvers.request.context import RequestContext

commands = typer.Typer(help="Who reported: their rights, the keys, and what a breach touched.", no_args_is_help=True)

Complaint = Annotated[str, typer.Argument(help="The complaint's tracking ID.")]
Purpose = Annotated[str, typer.Option(help="Why, for the log of readings.")]
Instant = Annotated[datetime, typer.Option(formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"], help="In UTC.")]


def _with_context(work: Callable[[RequestContext], Awaitable[None]], purpose: str | None = None) -> None:
    run_with_store(lambda store, configured: work(make_context(store, configured, purpose)))


def _print(row: Any) -> None:
    print(orjson.dumps(row).decode())  # noqa: T201 - the command's output


@commands.command()
def rotate() -> None:
    """Wrap every reporter's key with the ring's first key; afterwards the others can be dropped from the settings.

    [bold]Example[/bold]: SATUGRAF_VAULT_KEYS=new:…,old:… satugraf vault rotate
    """
    from resolvers.vault import rotation

    async def run(request: RequestContext) -> None:
        rotated, unreadable = await rotation.rotate(request.store, request.key_ring)
        Console(stderr=True).print(f"{rotated} keys wrapped anew with {request.key_ring.active}.")
        if unreadable:
            fail(f"{unreadable} keys could not be unwrapped: a key that wrapped them is missing from the settings.")

    _with_context(run)


@commands.command()
def access(complaint: Complaint, purpose: Purpose) -> None:
    """Print all that is kept of a complaint's reporter, as JSON: for the reporter who asked for it."""
    from resolvers.complaints import reporter_rights

    async def run(request: RequestContext) -> None:
        found = await reporter_rights.access(request, complaint)
        if found is None:
            fail(f"Nothing is kept of the reporter of {complaint}.")
        _print(found)

    _with_context(run, purpose)


@commands.command()
def correct(
    complaint: Complaint,
    name: Annotated[str | None, typer.Option()] = None,
    email: Annotated[str | None, typer.Option()] = None,
    phone: Annotated[str | None, typer.Option()] = None,
    nik: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Replace what is kept of a complaint's reporter, field by field."""
    from resolvers.complaints import reporter_rights
    from resolvers.request.update import Attempt

    given = {"name": name, "email": email, "phone": phone, "nik": nik}
    _right(lambda request: reporter_rights.correct(request, Attempt("correct", ""), complaint, given, secret=None))


@commands.command()
def withdraw_consent(complaint: Complaint) -> None:
    """Delete sex, age band and disability of a complaint's reporter."""
    from resolvers.complaints import reporter_rights
    from resolvers.request.update import Attempt

    _right(lambda request: reporter_rights.withdraw_consent(request, Attempt("withdraw", ""), complaint, secret=None))


@commands.command()
def erase(complaint: Complaint) -> None:
    """Destroy the key of a complaint's reporter: nothing of them can be read again, in backups either."""
    from resolvers.complaints import reporter_rights
    from resolvers.request.update import Attempt

    _right(lambda request: reporter_rights.erase(request, Attempt("erase", ""), complaint, secret=None))


def _right(exercise: Callable[[RequestContext], Awaitable[Any]]) -> None:
    from resolvers.errors import Refused

    async def run(request: RequestContext) -> None:
        try:
            await exercise(request)
        except Refused as refused:
            fail(str(refused))
        Console(stderr=True).print("Done, and on record.")

    _with_context(run)


@commands.command()
def breach(
    since: Instant,
    until: Instant,
    purpose: Purpose,
    subject: Annotated[str | None, typer.Option(help="The account that was taken over.")] = None,
    agency: Annotated[str | None, typer.Option(help="The agency whose staff's accounts were.")] = None,
    contact: Annotated[bool, typer.Option(help="With name, email and phone: to notify them within 72 hours.")] = False,
) -> None:
    """Print the reporters whose identity was read, one JSON line each: whom a breach notice must reach.

    [bold]Example[/bold]: satugraf vault breach --since 2026-11-01 --until 2026-11-03 --purpose "Pasal 46" --contact
    """
    from resolvers.vault.breach import Breach, list_affected

    asked = Breach(since.replace(tzinfo=UTC), until.replace(tzinfo=UTC), subject, agency)

    async def run(request: RequestContext) -> None:
        async for row in list_affected(request, asked, with_contact=contact):
            _print(row)

    _with_context(run, purpose)
