"""`satugraf token`: a development token."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gateway import settings
from gateway.cli.failure import fail, told
from resolvers.domain.vocabulary import Role


def token(
    role: Annotated[Role, typer.Option(help="What the bearer is.", case_sensitive=False)],
    agency: Annotated[str | None, typer.Option(help="The agency's id, for roles held in one: kab-badung.")] = None,
    unit: Annotated[str | None, typer.Option(help="The unit's id, for a liaison: kab-badung/dinas-pupr.")] = None,
    subject: Annotated[str, typer.Option(help="The bearer's name in the token.")] = "developer",
    hours: Annotated[float, typer.Option(help="How long it is valid, in hours.", min=0.01, max=24 * 365)] = 12,
) -> None:
    """Print a bearer token, signed with the development key.

    Only where SATUGRAF_MODE=development and SATUGRAF_DEVELOPMENT_KEY are set, for a server that has the same key.

    [bold]Example[/bold]: satugraf token --role AGENCY_ADMIN --agency kab-badung
    """
    from gateway.auth.tokens import mint

    with told():
        key = settings.load().development_key
    if key is None:
        fail("SATUGRAF_DEVELOPMENT_KEY is not set: development tokens need it, and SATUGRAF_MODE=development.")
    try:
        lifetime = timedelta(hours=hours)
        minted = mint(
            key.get_secret_value(),
            role=role,
            subject=subject,
            now=datetime.now(UTC),
            lifetime=lifetime,
            agency=agency,
            unit=unit,
        )
    except ValueError as failure:
        fail(f"{failure} Use --agency.")
    print(minted)  # noqa: T201 - the command's output
