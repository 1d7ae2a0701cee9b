"""`satugraf supergraph compose` and `plan`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.failure import fail, told

if TYPE_CHECKING:
    from graphql import GraphQLError

    from gateway.federation.composition import Composed
    from gateway.federation.planner.planner import Phases
    from gateway.federation.supergraph import Supergraph

commands = typer.Typer(no_args_is_help=True, help="Compose subgraphs, and see how operations are planned.")

Config = Annotated[Path, typer.Option(help="supergraph.yaml: the subgraphs and their schemas.")]


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


class Phase(StrEnum):
    OPERATION = "operation"
    PATHS = "paths"
    FETCHES = "fetches"
    PLAN = "plan"


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
    query: Annotated[Path, typer.Option(help="A file with the operation; its fragments with it.")],
    config: Annotated[Path | None, typer.Option(help="supergraph.yaml: the subgraphs and their schemas.")] = None,
    supergraph: Annotated[Path | None, typer.Option(help="In its place: a supergraph's SDL.")] = None,
    operation: Annotated[str | None, typer.Option(help="Which operation, if the file has several.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="An @override label to be active; may be repeated.")] = None,
    phase: Annotated[Phase, typer.Option(help="What to print.")] = Phase.PLAN,
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.TEXT,
) -> None:
    """Print how an operation is planned: what each subgraph is asked, in which order. Nobody is asked anything.

    [bold]operation[/bold]: the operation, its fragments written out and its fields merged.
    [bold]paths[/bold]: which subgraph resolves what; the keys and requirements that lead from one to the next.
    [bold]fetches[/bold]: what is asked of each subgraph, for which objects, after which answers.
    [bold]plan[/bold]: the requests as they are sent, those to one subgraph at one depth put together.

    [bold]Example[/bold]: satugraf supergraph plan --config supergraph.yaml --query operation.graphql --phase paths
    """
    from gateway.federation.planner.paths import TooComplex
    from gateway.federation.planner.planner import Unplannable, phases
    from gateway.operation.document import Documents, InvalidDocument
    from gateway.operation.variables import chosen

    with told():
        found = _supergraph(config, supergraph)
        try:
            text = query.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            fail(f"{query} is not a text file in UTF-8.")
    unknown = sorted(set(label or ()) - found.labels)
    if unknown:
        fail(f"No @override has the label {unknown[0]!r}; there are: {', '.join(sorted(found.labels)) or 'none'}.")
    try:
        checked = Documents(found.api_schema).check(text)
        made = phases(found, chosen(checked, operation), checked.fragments, frozenset(label or ()))
    except InvalidDocument as failure:
        fail("\n".join(_placed(query, error) for error in failure.errors))
    except (TooComplex, Unplannable) as failure:
        fail(str(failure))
    print(_shown(made, phase, format))  # noqa: T201 - the command's output


def _supergraph(config: Path | None, sdl: Path | None) -> "Supergraph":
    from gateway.federation.join import InvalidSupergraph, read_supergraph

    if (config is None) is (sdl is None):
        fail("Name the graph: either --config supergraph.yaml or --supergraph FILE.")
    if config is not None:
        return supergraph_from(config)
    assert sdl is not None  # noqa: S101 - one of the two
    try:
        return read_supergraph(sdl.read_text(encoding="utf-8"))
    except (InvalidSupergraph, UnicodeDecodeError) as failure:
        fail(f"{sdl}: {failure}")


def _placed(file: Path, error: "GraphQLError") -> str:
    """The sentence with its place: `operation.graphql:3:7: Cannot query field …`."""
    place = f":{error.locations[0].line}:{error.locations[0].column}" if error.locations else ""
    return f"{file}{place}: {error.message}"


def _shown(made: "Phases", phase: Phase, format: Format) -> str:
    from gateway.federation.planner import phases, plan

    match phase:
        case Phase.OPERATION:
            shown = phases.operation_json(made.kind, made.items)
        case Phase.PATHS:
            shown = phases.paths_json(made.kind, made.root_type, made.solutions)
        case Phase.FETCHES:
            shown = phases.fetches_json(made.groups)
        case Phase.PLAN:
            shown = plan.as_json(made.planned.plan)
    if format is Format.JSON:
        return json.dumps(shown, indent=1)
    return plan.printed(made.planned.plan) if phase is Phase.PLAN else phases.printed(shown)


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
