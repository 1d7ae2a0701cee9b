"""`satugraf vault …`: reporters' rights, exercised by an operator; key rotation; the extent of a breach."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from gateway.cli.data import make_context, run_with_store
from gateway.cli.failure import fail
from resolvers.request.context import RequestContext

commands = typer.Typer(
    help="Reporters' data: their rights, key rotation, and the extent of a breach.", no_args_is_help=True
)

Complaint = Annotated[str, typer.Argument(help="Tracking ID of the complaint.")]
Purpose = Annotated[str, typer.Option(help="Why you read it; recorded in the log of readings.")]
Instant = Annotated[datetime, typer.Option(formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"], help="In UTC.")]


def _with_context(work: Callable[[RequestContext], Awaitable[None]], purpose: str | None = None) -> None:
    run_with_store(lambda store, configured: work(make_context(store, configured, purpose)))


def _print_json(row: Any) -> None:
    print(orjson.dumps(row).decode())  # noqa: T201 - the command's output


@commands.command()
def rotate() -> None:
    """Wrap every reporter's key with the first key of SATUGRAF_VAULT_KEYS. Afterwards you can remove the other keys.

    [bold]Example[/bold]: SATUGRAF_VAULT_KEYS=new:…,old:… satugraf vault rotate
    """
    from resolvers.vault import rotation

    async def run(request: RequestContext) -> None:
        rotated, unreadable = await rotation.rotate(request.store, request.key_ring)
        Console(stderr=True).print(f"{rotated} keys are wrapped with {request.key_ring.active} now.")
        if unreadable:
            fail(f"{unreadable} keys could not be unwrapped: a key that wrapped them is missing from the settings.")

    _with_context(run)


@commands.command()
def access(complaint: Complaint, purpose: Purpose) -> None:
    """Print all stored data of a complaint's reporter as JSON, for the reporter who asked for them."""
    from resolvers.complaints import reporter_rights

    async def run(request: RequestContext) -> None:
        found = await reporter_rights.read_record(request, complaint)
        if found is None:
            fail(f"No data are stored about the reporter of {complaint}.")
        _print_json(found)

    _with_context(run, purpose)


@commands.command()
def correct(
    complaint: Complaint,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    email: Annotated[str | None, typer.Option(help="New email address.")] = None,
    phone: Annotated[str | None, typer.Option(help="New phone number.")] = None,
    nik: Annotated[str | None, typer.Option(help="New NIK (national identity number).")] = None,
) -> None:
    """Replace stored data of a complaint's reporter: only the fields that you give."""
    from resolvers.complaints import reporter_rights
    from resolvers.request.update import Attempt

    given = {"name": name, "email": email, "phone": phone, "nik": nik}
    _exercise_right(
        lambda request: reporter_rights.correct(request, Attempt("correct", ""), complaint, given, secret=None)
    )


@commands.command()
def withdraw_consent(complaint: Complaint) -> None:
    """Delete the sex, age band and disability of a complaint's reporter."""
    from resolvers.complaints import reporter_rights
    from resolvers.request.update import Attempt

    _exercise_right(
        lambda request: reporter_rights.withdraw_consent(request, Attempt("withdraw", ""), complaint, secret=None)
    )


@commands.command()
def erase(complaint: Complaint) -> None:
    """Destroy the key of a complaint's reporter. Their data cannot be read again, not even in backups."""
    from resolvers.complaints import reporter_rights
    from resolvers.request.update import Attempt

    _exercise_right(lambda request: reporter_rights.erase(request, Attempt("erase", ""), complaint, secret=None))


def _exercise_right(exercise: Callable[[RequestContext], Awaitable[Any]]) -> None:
    from resolvers.errors import Refused

    async def run(request: RequestContext) -> None:
        try:
            await exercise(request)
        except Refused as refused:
            fail(str(refused))
        Console(stderr=True).print("Done and recorded.")

    _with_context(run)


@commands.command()
def breach(
    since: Instant,
    until: Instant,
    purpose: Purpose,
    subject: Annotated[str | None, typer.Option(help="Subject of the account that was taken over.")] = None,
    agency: Annotated[str | None, typer.Option(help="Agency whose staff accounts were taken over.")] = None,
    contact: Annotated[
        bool, typer.Option(help="Print name, email and phone too, to notify the reporters within 72 hours.")
    ] = False,
) -> None:
    """Print the reporters whose identity was read, one JSON line each: they must get a breach notice.

    [bold]Example[/bold]: satugraf vault breach --since 2026-11-01 --until 2026-11-03 --purpose "Pasal 46" --contact
    """
    from resolvers.vault.breach import Breach, list_affected

    asked = Breach(since.replace(tzinfo=UTC), until.replace(tzinfo=UTC), subject, agency)

    async def run(request: RequestContext) -> None:
        async for row in list_affected(request, asked, with_contact=contact):
            _print_json(row)

    _with_context(run, purpose)
