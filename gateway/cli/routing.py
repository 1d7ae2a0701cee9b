"""`satugraf routing`: measures how often the routing rules are right."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.cli.data import SEED

MEASURED_AT = datetime(2026, 11, 24, tzinfo=UTC)
"""End of the synthetic year: fixed, so that the same rules give the same figures every day."""


def measure_routing(
    complaints: Annotated[int, typer.Option(help="Number of synthetic complaints.", min=100, max=1_000_000)] = 20_000,
) -> None:
    """Measure the routing rules on synthetic complaints whose competent agency is known.

    Prints a Markdown table for each way of filing and each first rule: right at once, wrong, and left to people.
    docs/routing.md holds its output.

    [bold]Example[/bold]: satugraf routing --complaints 5000
    """
    from resolvers.demonstration import routing_accuracy

    print("| filed | right | wrong | undecided |\n|---|---|---|---|")  # noqa: T201 - the command's output
    for line in routing_accuracy.render_table(complaints, now=MEASURED_AT, seed=SEED):
        print(line)  # noqa: T201 - the command's output
