"""`satugraf token`: a development token."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gateway import settings
from gateway.cli.failure import fail, report_failures
from resolvers.domain.vocabulary import Role


def mint_token(
    role: Annotated[Role, typer.Option(help="Role of the bearer.", case_sensitive=False)],
    agency: Annotated[str | None, typer.Option(help="Id of the agency, for roles in an agency: kab-badung.")] = None,
    unit: Annotated[str | None, typer.Option(help="Id of the unit, for a liaison: kab-badung/dinas-pupr.")] = None,
    subject: Annotated[str, typer.Option(help="Subject of the token: the name of the bearer.")] = "developer",
    hours: Annotated[float, typer.Option(help="Lifetime in hours.", min=0.01, max=24 * 365)] = 12,
) -> None:
    """Print a bearer token, signed with the development key.

    Needs SATUGRAF_MODE=development and SATUGRAF_DEVELOPMENT_KEY. Servers with the same key accept the token.

    [bold]Example[/bold]: satugraf token --role AGENCY_ADMIN --agency kab-badung
    """
    from gateway.auth.tokens import mint

    with report_failures():
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
