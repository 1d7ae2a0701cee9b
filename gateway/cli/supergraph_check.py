"""`satugraf supergraph check`: what a changed subgraph would break."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.failure import fail, told
from gateway.cli.supergraph_report import explained, places_in, problem_as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.federation.composition import CompositionResult, SubgraphSource


def check(
    config: Annotated[Path, typer.Option(help="supergraph.yaml: the subgraphs as they are now.")],
    name: Annotated[str, typer.Option(help="The subgraph that changes, or that comes anew.")],
    schema: Annotated[
        Path | None, typer.Option(help="Its new schema, a file of SDL. Without it: were it gone?")
    ] = None,
    json_format: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Say what a change to one subgraph would break, before it is published.

    Composes the subgraphs as they are and once more with the change, and compares what clients see. Exit code 1 where
    the change does not compose, or where operations that clients send today could fail: a field, argument or type that
    is gone, an argument that has become required, a type that has changed. Dangerous changes (a new enum value or union
    member, another default) and new hints are told and do not fail the check.

    [bold]Examples[/bold]:
    satugraf supergraph check --config supergraph.yaml --name health --schema health.graphql
    satugraf supergraph check --config supergraph.yaml --name health            (without the subgraph)
    """
    from gateway.cli.supergraph_config import read_config, read_text
    from gateway.federation.composition import IncrementalComposer, SubgraphSource

    with told():
        now = read_config(config)
        rest = [source for source in now if source.name != name]
        url = next((source.url for source in now if source.name == name), "")
        after = rest if schema is None else [*rest, SubgraphSource(name, url, read_text(schema))]
    if schema is None and len(rest) == len(now):
        fail(f"There is no subgraph {name} in {config}: to add it, give its --schema.")
    composer = IncrementalComposer()
    current = composer.compose(now)
    if not current.ok:
        fail(f"The subgraphs do not compose as they are:\n\n{explained(current.errors, places_in(now))}")
    outcome = _outcome(current, composer.compose(after), after)
    print(json.dumps(outcome, indent=1) if json_format else _text(outcome))  # noqa: T201 - the command's output
    if not outcome["ok"]:
        raise typer.Exit(1)


def _outcome(
    current: "CompositionResult", changed: "CompositionResult", sources: "Sequence[SubgraphSource]"
) -> dict[str, Any]:
    from graphql.utilities import find_breaking_changes, find_dangerous_changes

    places = places_in(sources)
    before = None if current.supergraph is None else current.supergraph.api_schema
    after = None if changed.supergraph is None else changed.supergraph.api_schema
    is_comparable = before is not None and after is not None
    breaking = find_breaking_changes(before, after) if before is not None and after is not None else []
    dangerous = find_dangerous_changes(before, after) if before is not None and after is not None else []
    known = set(current.hints)
    return {
        "ok": is_comparable and not breaking,
        "errors": [problem_as_json(error, places) for error in changed.errors],
        "breaking_changes": [{"code": row.type.name, "message": row.description} for row in breaking],
        "dangerous_changes": [{"code": row.type.name, "message": row.description} for row in dangerous],
        "hints": [problem_as_json(hint, places) for hint in changed.hints if hint not in known],
    }


def _text(outcome: dict[str, Any]) -> str:
    titles = {
        "errors": "Does not compose",
        "breaking_changes": "Breaks operations",
        "dangerous_changes": "Dangerous",
        "hints": "Hints",
    }
    parts = [
        "\n".join([f"{title}:", *(f"- {row['code']}: {row['message']}{_places(row)}" for row in outcome[key])])
        for key, title in titles.items()
        if outcome[key]
    ]
    return "\n\n".join(parts) or "Nothing that clients see changes for the worse."


def _places(row: dict[str, Any]) -> str:
    return "".join(
        f"\n  at {place['subgraph']}:{place['line']}:{place['column']}" for place in row.get("locations", ())
    )
