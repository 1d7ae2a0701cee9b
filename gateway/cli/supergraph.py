"""`satugraf supergraph compose`, `check` and `plan`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.failure import fail, told
from gateway.cli.supergraph_check import check
from gateway.cli.supergraph_report import as_json, explained, places_in

if TYPE_CHECKING:
    from gateway.federation.supergraph import Supergraph

commands = typer.Typer(no_args_is_help=True, help="Compose subgraphs, check changes, see how operations are planned.")
commands.command()(check)

Config = Annotated[Path, typer.Option(help="supergraph.yaml: the subgraphs and their schemas.")]


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@commands.command()
def compose(
    config: Config,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the supergraph's SDL.")] = None,
    format: Annotated[Format, typer.Option(help="How to print the outcome.")] = Format.TEXT,
    include_tag: Annotated[list[str] | None, typer.Option(help="Only what has this @tag; may be repeated.")] = None,
    exclude_tag: Annotated[list[str] | None, typer.Option(help="Without what has this @tag; may be repeated.")] = None,
) -> None:
    """Compose subgraphs into a supergraph; exit code 1 where they do not fit together.

    With --include-tag or --exclude-tag it is a contract variant: what has not, or has, the tag stays in the supergraph
    but is @inaccessible, so that clients do not see it.

    [bold]Examples[/bold]:
    satugraf supergraph compose --config supergraph.yaml -o supergraph.graphql
    satugraf supergraph compose --config supergraph.yaml --exclude-tag internal -o public.graphql
    """
    from gateway.cli.supergraph_config import read_config
    from gateway.federation.composition import Contract
    from gateway.federation.composition import compose as composed_of

    with told():
        sources = read_config(config)
        tags = Contract(frozenset(include_tag or ()), frozenset(exclude_tag or ()))
        composed = composed_of(sources, tags if any(tags) else None)
        if output is not None and composed.ok:
            output.write_text(composed.supergraph_sdl, encoding="utf-8")
    if format is Format.JSON:
        print(json.dumps(as_json(composed, places_in(sources)), indent=1))  # noqa: T201 - the command's output
    elif composed.ok and output is None:
        print(composed.supergraph_sdl)  # noqa: T201 - the command's output
    if not composed.ok:
        if format is Format.TEXT:
            fail(explained(composed.errors, places_in(sources)))
        raise typer.Exit(1)


@commands.command()
def plan(
    config: Config,
    query: Annotated[Path, typer.Option(help="A file with one operation.")],
    format: Annotated[Format, typer.Option(help="How to print the plan.")] = Format.TEXT,
) -> None:
    """Print an operation's query plan: what each subgraph is asked, in which order.

    [bold]Example[/bold]: satugraf supergraph plan --config supergraph.yaml --query operation.graphql
    """
    from gateway.federation.planner.paths import TooComplex
    from gateway.federation.planner.plan import as_json as plan_as_json
    from gateway.federation.planner.plan import printed
    from gateway.federation.planner.planner import Unplannable
    from gateway.federation.planner.planner import plan as planned
    from gateway.operation.document import Documents, InvalidDocument
    from gateway.operation.variables import chosen

    with told():
        supergraph = supergraph_from(config)
        text = query.read_text(encoding="utf-8")
    try:
        checked = Documents(supergraph.api_schema).check(text)
        made = planned(supergraph, chosen(checked, None), checked.fragments).plan
    except InvalidDocument as failure:
        fail("\n".join(error.message for error in failure.errors))
    except (TooComplex, Unplannable) as failure:
        fail(str(failure))
    print(json.dumps(plan_as_json(made), indent=1) if format is Format.JSON else printed(made))  # noqa: T201 - the command's output


def supergraph_from(config: Path) -> "Supergraph":
    """The composed supergraph; ends the command with the errors where there is none, or none that can be served."""
    from gateway.cli.supergraph_config import read_config
    from gateway.federation.composition import compose as composed_of
    from gateway.federation.join import InvalidSupergraph, check_features

    sources = read_config(config)
    composed = composed_of(sources)
    if composed.supergraph is None:
        fail(explained(composed.errors, places_in(sources)))
    try:
        check_features(composed.features)
    except InvalidSupergraph as failure:
        fail(str(failure))
    return composed.supergraph
