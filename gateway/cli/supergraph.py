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
    from graphql import GraphQLError

    from gateway.cli.supergraph_config import Heard
    from gateway.federation.composition import Contract
    from gateway.federation.planner.planner import Phases
    from gateway.federation.supergraph import Supergraph

commands = typer.Typer(no_args_is_help=True, help="Compose subgraphs, check changes, see how operations are planned.")
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
    from gateway.federation.planner.planner import Unplannable, run_phases
    from gateway.operation.document import Documents, InvalidDocument
    from gateway.operation.variables import choose_operation

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
        made = run_phases(found, choose_operation(checked, operation), checked.fragments, frozenset(label or ()))
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


def supergraph_from(config: Path, tags: "Contract | None" = None, heard: "Heard | None" = None) -> "Supergraph":
    """The composed supergraph, or a variant; ends the command with the errors where none can be served."""
    from gateway.cli.supergraph_config import read_config
    from gateway.federation.composition import compose as composed_of
    from gateway.federation.join import InvalidSupergraph, check_features

    sources = read_config(config, heard)
    composed = composed_of(sources, tags if tags is not None and any(tags) else None)
    if composed.supergraph is None:
        fail(explained(composed.errors, places_in(sources)))
    try:
        check_features(composed.features)
    except InvalidSupergraph as failure:
        fail(str(failure))
    return composed.supergraph
