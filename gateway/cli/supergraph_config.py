"""`supergraph.yaml`: the subgraphs, where they are, and where their schemas come from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
import yaml

from gateway.cli.failure import fail
from gateway.cli.running_schemas import RunningSchemas, SchemaUnknown
from gateway.federation.composition import SubgraphSource

MAX_DEPTH = 32
_OPENING = (
    *(yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken),
    *(yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken),
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
MAX_BYTES = 64 * 1024 * 1024
"""Of one file; the schema of one with 10 000 fields has less than one MiB."""

Heard = Callable[[str, str], str]
"""The schema of a running subgraph, by its name and URL. Raises SchemaUnknown."""


def read_config(file: Path, heard: Heard | None = None) -> list[SubgraphSource]:
    """The subgraphs that the file names; ends the command with a sentence where it cannot be read.

    Each has `routing_url` and `schema`, which is one of `file` (beside the configuration), `sdl`, or `subgraph_url`
    (asked for `_service { sdl }`).
    """
    text = read_text(file)
    try:
        _check_tokens(file, text)
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as failure:
        fail(f"{file} is not YAML: {(str(failure).splitlines() or ['it cannot be read'])[0]}.")
    subgraphs = config.get("subgraphs") if isinstance(config, dict) else None
    if not isinstance(subgraphs, dict) or not subgraphs:
        fail(f"{file} has no subgraphs: name each with routing_url and schema under the key subgraphs.")
    heard = heard or RunningSchemas().sdl
    return [_source(file, str(name), row, heard) for name, row in subgraphs.items()]


def schema_files(file: Path) -> list[Path]:
    """The files that a supergraph.yaml names as schemas; none where it cannot be read."""
    return [file.parent / beside for _, beside in _schemas(file, "file")]


def schema_urls(file: Path) -> dict[str, str]:
    """By subgraph, where a supergraph.yaml says that its schema is asked for; none where it cannot be read."""
    return dict(_schemas(file, "subgraph_url"))


def _schemas(file: Path, kind: str) -> list[tuple[str, str]]:
    """No sentence is due here: who reads the file in earnest says what is wrong with it."""
    try:
        rows = yaml.safe_load(read_text(file))["subgraphs"]
        return [(str(name), str(row["schema"][kind])) for name, row in rows.items() if kind in row["schema"]]
    except (OSError, ValueError, yaml.YAMLError, typer.Exit, LookupError, TypeError, AttributeError, RecursionError):
        return []


def _check_tokens(file: Path, text: str) -> None:
    """Before anything is built of it: an alias may stand for ever more of the file, and depth costs its square."""
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            fail(f"{file} has YAML aliases (*name): write what they stand for.")
        depth += isinstance(token, _OPENING)
        depth -= isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            fail(f"{file} is nested too deeply.")


def read_text(file: Path) -> str:
    """The file's text; ends the command where it is none, or more than any schema."""
    if file.stat().st_size > MAX_BYTES:
        fail(f"{file} has more than {MAX_BYTES} bytes.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8.")


def _source(file: Path, name: str, row: Any, heard: Heard) -> SubgraphSource:
    schema = row.get("schema") if isinstance(row, dict) else None
    if not isinstance(schema, dict):
        fail(f"{file}: the subgraph {name} has no schema: give it file, sdl or subgraph_url.")
    url = row.get("routing_url") or schema.get("subgraph_url") or ""
    sdl = _sdl(file, name, schema, heard)
    if sdl is None:
        fail(f"{file}: the schema of the subgraph {name} must be one of file, sdl or subgraph_url.")
    return SubgraphSource(name, str(url), sdl)


def _sdl(file: Path, name: str, schema: dict[str, Any], heard: Heard) -> str | None:
    match schema:
        case {"sdl": str(sdl)}:
            return sdl
        case {"file": str(beside)}:
            return read_text(file.parent / beside)
        case {"subgraph_url": str(running)}:
            try:
                return heard(name, running)
            except SchemaUnknown as failure:
                fail(str(failure))
        case _:
            return None
