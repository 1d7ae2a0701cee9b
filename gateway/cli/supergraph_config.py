"""Reads `supergraph.yaml`: the subgraphs, their URLs, and the sources of their schemas."""

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
"""Most bytes of one file. A schema with 10 000 fields has less than one MiB."""

FetchSchema = Callable[[str, str], str]
"""Returns the SDL of a running subgraph by its name and URL. Raises SchemaUnknown."""


def read_config(file: Path, fetch_schema: FetchSchema | None = None) -> list[SubgraphSource]:
    """Returns the subgraphs that the file names; ends the command with a message if it cannot be read.

    Each subgraph has `routing_url` and `schema`. The schema is one of `file` (relative to the configuration), `sdl`, or
    `subgraph_url` (a running subgraph, which answers `{ _service { sdl } }`).
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
    fetch_schema = fetch_schema or RunningSchemas().find_sdl
    return [_read_source(file, str(name), row, fetch_schema) for name, row in subgraphs.items()]


def list_schema_files(file: Path) -> list[Path]:
    """Lists the schema files that a supergraph.yaml names; empty if it cannot be read."""
    return [file.parent / name for _, name in _list_schemas(file, "file")]


def list_schema_urls(file: Path) -> dict[str, str]:
    """Returns the schema URLs of running subgraphs by name; empty if the supergraph.yaml cannot be read."""
    return dict(_list_schemas(file, "subgraph_url"))


def _list_schemas(file: Path, kind: str) -> list[tuple[str, str]]:
    """Reports no faults: read_config does that."""
    try:
        rows = yaml.safe_load(read_text(file))["subgraphs"]
        return [(str(name), str(row["schema"][kind])) for name, row in rows.items() if kind in row["schema"]]
    except (OSError, ValueError, yaml.YAMLError, typer.Exit, LookupError, TypeError, AttributeError, RecursionError):
        return []


def _check_tokens(file: Path, text: str) -> None:
    """Checks the YAML before it is built: aliases can stand for exponentially much, and depth costs quadratic time."""
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            fail(f"{file} has YAML aliases (*name): write what they stand for.")
        depth += isinstance(token, _OPENING)
        depth -= isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            fail(f"{file} is nested too deeply.")


def read_text(file: Path) -> str:
    """Returns the file's text; ends the command if it is not UTF-8, or larger than any schema."""
    if file.stat().st_size > MAX_BYTES:
        fail(f"{file} has more than {MAX_BYTES} bytes.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not text in UTF-8.")


def _read_source(file: Path, name: str, row: Any, fetch_schema: FetchSchema) -> SubgraphSource:
    schema = row.get("schema") if isinstance(row, dict) else None
    if not isinstance(schema, dict):
        fail(f"{file}: the subgraph {name} has no schema: give it file, sdl or subgraph_url.")
    url = row.get("routing_url") or schema.get("subgraph_url") or ""
    sdl = _read_sdl(file, name, schema, fetch_schema)
    if sdl is None:
        fail(f"{file}: the schema of the subgraph {name} must be one of file, sdl or subgraph_url.")
    return SubgraphSource(name, str(url), sdl)


def _read_sdl(file: Path, name: str, schema: dict[str, Any], fetch_schema: FetchSchema) -> str | None:
    match schema:
        case {"sdl": str(sdl)}:
            return sdl
        case {"file": str(path)}:
            return read_text(file.parent / path)
        case {"subgraph_url": str(url)}:
            try:
                return fetch_schema(name, url)
            except SchemaUnknown as failure:
                fail(str(failure))
        case _:
            return None
