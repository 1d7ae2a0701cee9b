"""`satugraf supergraph compose`, `check` and `plan`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.failure import fail, report_failures
from gateway.cli.supergraph_check import check
from gateway.cli.supergraph_report import explain_problems, make_locations, result_to_json

if TYPE_CHECKING:
    from graphql import GraphQLError

    from gateway.cli.supergraph_config import FetchSchema
    from gateway.federation.composition import Contract
    from gateway.federation.planner.planner import Phases
    from gateway.federation.supergraph import Supergraph

commands = typer.Typer(no_args_is_help=True, help="Compose subgraphs, check changes, and print query plans.")
commands.command()(check)

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
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File for the supergraph's SDL. Without it, the SDL is printed."),
    ] = None,
    format: Annotated[Format, typer.Option(help="Format of the printed result.")] = Format.TEXT,
    include_tag: Annotated[
        list[str] | None, typer.Option(help="Show only elements with this @tag. Repeatable.")
    ] = None,
    exclude_tag: Annotated[list[str] | None, typer.Option(help="Hide elements with this @tag. Repeatable.")] = None,
) -> None:
    """Compose subgraphs into a supergraph. Exit code 1 if they do not compose.

    --include-tag and --exclude-tag make a contract variant: elements without, or with, the tag become @inaccessible.
    They stay in the supergraph, but clients do not see them.

    [bold]Examples[/bold]:
    satugraf supergraph compose --config supergraph.yaml -o supergraph.graphql
    satugraf supergraph compose --config supergraph.yaml --exclude-tag internal -o public.graphql
    """
    from gateway.cli.supergraph_config import read_config
    from gateway.federation.composition import Contract
    from gateway.federation.composition import compose as composed_of

    with report_failures():
        sources = read_config(config)
        tags = Contract(frozenset(include_tag or ()), frozenset(exclude_tag or ()))
        composed = composed_of(sources, tags if any(tags) else None)
        if output is not None and composed.ok:
            output.write_text(composed.supergraph_sdl, encoding="utf-8")
    if format is Format.JSON:
        print(json.dumps(result_to_json(composed, make_locations(sources)), indent=1))  # noqa: T201 - the command's output
    elif composed.ok and output is None:
        print(composed.supergraph_sdl)  # noqa: T201 - the command's output
    if not composed.ok:
        if format is Format.TEXT:
            fail(explain_problems(composed.errors, make_locations(sources)))
        raise typer.Exit(1)


@commands.command()
def plan(
    query: Annotated[Path, typer.Option(help="File with the operation and its fragments.")],
    config: Annotated[Path | None, typer.Option(help="supergraph.yaml: the subgraphs and their schemas.")] = None,
    supergraph: Annotated[
        Path | None, typer.Option(help="File with a composed supergraph (SDL), instead of --config.")
    ] = None,
    operation: Annotated[str | None, typer.Option(help="Name of the operation, if the file has several.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="Label of a progressive @override that is active. Repeatable.")
    ] = None,
    phase: Annotated[Phase, typer.Option(help="Planning phase to print.")] = Phase.PLAN,
    format: Annotated[Format, typer.Option(help="Format of the printed plan.")] = Format.TEXT,
) -> None:
    """Print the query plan of an operation: the request to each subgraph, in order. Nothing is sent.

    [bold]operation[/bold]: the operation with its fragments expanded and its fields merged.
    [bold]paths[/bold]: the subgraph that resolves each field; the keys and @requires that lead from one to the next.
    [bold]fetches[/bold]: the selections for each subgraph, with the objects that they are about and what they wait for.
    [bold]plan[/bold]: the requests as they are sent; requests to one subgraph at one depth are joined.

    [bold]Example[/bold]: satugraf supergraph plan --config supergraph.yaml --query operation.graphql --phase paths
    """
    from gateway.federation.planner.paths import TooComplex
    from gateway.federation.planner.planner import Unplannable, run_phases
    from gateway.operation.document import Documents, InvalidDocument
    from gateway.operation.variables import choose_operation

    with report_failures():
        found = _load_supergraph(config, supergraph)
        try:
            text = query.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            fail(f"{query} is not a text file in UTF-8.")
    unknown = sorted(set(label or ()) - found.labels)
    if unknown:
        fail(f"No @override has the label {unknown[0]!r}. Known labels: {', '.join(sorted(found.labels)) or 'none'}.")
    try:
        checked = Documents(found.api_schema).check(text)
        made = run_phases(found, choose_operation(checked, operation), checked.fragments, frozenset(label or ()))
    except InvalidDocument as failure:
        fail("\n".join(_locate_error(query, error) for error in failure.errors))
    except (TooComplex, Unplannable) as failure:
        fail(str(failure))
    print(_render_phase(made, phase, format))  # noqa: T201 - the command's output


def _load_supergraph(config: Path | None, sdl: Path | None) -> "Supergraph":
    from gateway.federation.join import InvalidSupergraph, read_supergraph

    if (config is None) is (sdl is None):
        fail("Give the graph: either --config supergraph.yaml or --supergraph FILE.")
    if config is not None:
        return compose_supergraph(config)
    assert sdl is not None  # noqa: S101 - one of the two
    try:
        return read_supergraph(sdl.read_text(encoding="utf-8"))
    except (InvalidSupergraph, UnicodeDecodeError) as failure:
        fail(f"{sdl}: {failure}")


def _locate_error(file: Path, error: "GraphQLError") -> str:
    """Prefixes the message with its location: `operation.graphql:3:7: Cannot query field …`."""
    place = f":{error.locations[0].line}:{error.locations[0].column}" if error.locations else ""
    return f"{file}{place}: {error.message}"


def _render_phase(made: "Phases", phase: Phase, format: Format) -> str:
    from gateway.federation.planner import phase_printer, plan

    match phase:
        case Phase.OPERATION:
            shown = phase_printer.operation_to_json(made.kind, made.items)
        case Phase.PATHS:
            shown = phase_printer.paths_to_json(made.kind, made.root_type, made.solutions)
        case Phase.FETCHES:
            shown = phase_printer.fetches_to_json(made.groups)
        case Phase.PLAN:
            shown = plan.plan_to_json(made.planned.plan)
    if format is Format.JSON:
        return json.dumps(shown, indent=1)
    return plan.print_plan(made.planned.plan) if phase is Phase.PLAN else phase_printer.print_phase(shown)


def compose_supergraph(
    config: Path, tags: "Contract | None" = None, fetch_schema: "FetchSchema | None" = None
) -> "Supergraph":
    """Composes a supergraph or a contract variant; ends the command with the errors if it cannot be served."""
    from gateway.cli.supergraph_config import read_config
    from gateway.federation.composition import compose as composed_of
    from gateway.federation.join import InvalidSupergraph, check_features

    sources = read_config(config, fetch_schema)
    composed = composed_of(sources, tags if tags is not None and any(tags) else None)
    if composed.supergraph is None:
        fail(explain_problems(composed.errors, make_locations(sources)))
    try:
        check_features(composed.features)
    except InvalidSupergraph as failure:
        fail(str(failure))
    return composed.supergraph
