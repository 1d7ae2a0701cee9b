"""`satugraf supergraph compose` and `plan`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.failure import fail, told

if TYPE_CHECKING:
    from gateway.federation.composition import Composed
    from gateway.federation.supergraph import Supergraph

commands = typer.Typer(no_args_is_help=True, help="Compose subgraphs, and see how operations are planned.")

Config = Annotated[Path, typer.Option(help="supergraph.yaml: the subgraphs and their schemas.")]


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@commands.command()
def compose(
    config: Config,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the supergraph's SDL.")] = None,
    format: Annotated[Format, typer.Option(help="How to print the outcome.")] = Format.TEXT,
) -> None:
    """Compose subgraphs into a supergraph; exit code 1 where they do not fit together.

    [bold]Example[/bold]: satugraf supergraph compose --config supergraph.yaml -o supergraph.graphql
    """
    with told():
        composed = composed_from(config)
        if output is not None and composed.ok:
            output.write_text(composed.supergraph_sdl, encoding="utf-8")
    if format is Format.JSON:
        print(json.dumps(as_json(composed), indent=1))  # noqa: T201 - the command's output
    elif composed.ok and output is None:
        print(composed.supergraph_sdl)  # noqa: T201 - the command's output
    if not composed.ok:
        if format is Format.TEXT:
            fail(explained(composed))
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


def composed_from(config: Path) -> "Composed":
    from gateway.cli.supergraph_config import read_config
    from gateway.federation.composition import compose as composed

    return composed(read_config(config))


def supergraph_from(config: Path) -> "Supergraph":
    """The composed supergraph; ends the command with the errors where there is none."""
    composed = composed_from(config)
    if composed.supergraph is None:
        fail(explained(composed))
    return composed.supergraph


def explained(composed: "Composed") -> str:
    """The errors, one a paragraph."""
    return "\n\n".join(f"{error.code}: {error.message}" for error in composed.errors)


def as_json(composed: "Composed") -> dict[str, Any]:
    return {
        "ok": composed.ok,
        "errors": [
            {"code": error.code, "message": error.message, "subgraphs": list(error.subgraphs)}
            for error in composed.errors
        ],
        "hints": [{"code": hint.code, "message": hint.message} for hint in composed.hints],
        "supergraph": composed.supergraph_sdl if composed.ok else None,
        "api_schema": composed.api_schema if composed.ok else None,
    }
