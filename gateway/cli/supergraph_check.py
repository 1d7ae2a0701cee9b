"""`satugraf supergraph check`: finds what a changed subgraph would break."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.failure import fail, report_failures
from gateway.cli.supergraph_report import explain_problems, make_locations, problem_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.federation.composition import CompositionResult, SubgraphSource


def check(
    config: Annotated[Path, typer.Option(help="supergraph.yaml with the current subgraphs.")],
    name: Annotated[str, typer.Option(help="Name of the changed or new subgraph.")],
    schema: Annotated[
        Path | None, typer.Option(help="File with its new SDL. Without it, the check removes the subgraph.")
    ] = None,
    json_format: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Find what a change to one subgraph would break, before you publish it.

    Composes the current subgraphs, composes them again with the change, and compares the two API schemas. Exit code 1
    if the change does not compose, or if it can break operations of today's clients: a removed field, argument or type,
    an argument that is now required, a changed type. Dangerous changes (a new enum value or union member, another
    default) and new hints are printed, but do not fail the check.

    [bold]Examples[/bold]:
    satugraf supergraph check --config supergraph.yaml --name health --schema health.graphql
    satugraf supergraph check --config supergraph.yaml --name health            (without the subgraph)
    """
    from gateway.cli.supergraph_config import read_config, read_text
    from gateway.federation.composition import IncrementalComposer, SubgraphSource

    with report_failures():
        now = read_config(config)
        rest = [source for source in now if source.name != name]
        url = next((source.url for source in now if source.name == name), "")
        after = rest if schema is None else [*rest, SubgraphSource(name, url, read_text(schema))]
    if schema is None and len(rest) == len(now):
        fail(f"There is no subgraph {name} in {config}. To add it, give its --schema.")
    composer = IncrementalComposer()
    current = composer.compose(now)
    if not current.ok:
        fail(f"The current subgraphs do not compose:\n\n{explain_problems(current.errors, make_locations(now))}")
    outcome = _compare(current, composer.compose(after), after)
    print(json.dumps(outcome, indent=1) if json_format else _render_text(outcome))  # noqa: T201 - the command's output
    if not outcome["ok"]:
        raise typer.Exit(1)


def _compare(
    current: "CompositionResult", changed: "CompositionResult", sources: "Sequence[SubgraphSource]"
) -> dict[str, Any]:
    from graphql.utilities import find_breaking_changes, find_dangerous_changes

    places = make_locations(sources)
    before = None if current.supergraph is None else current.supergraph.api_schema
    after = None if changed.supergraph is None else changed.supergraph.api_schema
    is_comparable = before is not None and after is not None
    breaking = find_breaking_changes(before, after) if before is not None and after is not None else []
    dangerous = find_dangerous_changes(before, after) if before is not None and after is not None else []
    known = set(current.hints)
    return {
        "ok": is_comparable and not breaking,
        "errors": [problem_to_json(error, places) for error in changed.errors],
        "breaking_changes": [{"code": row.type.name, "message": row.description} for row in breaking],
        "dangerous_changes": [{"code": row.type.name, "message": row.description} for row in dangerous],
        "hints": [problem_to_json(hint, places) for hint in changed.hints if hint not in known],
    }


def _render_text(outcome: dict[str, Any]) -> str:
    titles = {
        "errors": "Does not compose",
        "breaking_changes": "Breaks operations",
        "dangerous_changes": "Dangerous",
        "hints": "Hints",
    }
    parts = [
        "\n".join([f"{title}:", *(f"- {row['code']}: {row['message']}{_render_places(row)}" for row in outcome[key])])
        for key, title in titles.items()
        if outcome[key]
    ]
    return "\n\n".join(parts) or "No change breaks clients."


def _render_places(row: dict[str, Any]) -> str:
    return "".join(
        f"\n  at {place['subgraph']}:{place['line']}:{place['column']}" for place in row.get("locations", ())
    )
