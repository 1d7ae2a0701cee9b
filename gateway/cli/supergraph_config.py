"""`supergraph.yaml`: the subgraphs, where they are, and where their schemas come from."""

from pathlib import Path
from typing import Any

import yaml

from gateway.cli.failure import fail
from gateway.federation.composition import SubgraphSource

FETCH_SECONDS = 10
MAX_DEPTH = 32
_OPENING = (
    *(yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken),
    *(yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken),
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
MAX_BYTES = 64 * 1024 * 1024
"""Of one file; the schema of one with 10 000 fields has less than one MiB."""


def read_config(file: Path) -> list[SubgraphSource]:
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
    return [_source(file, str(name), row) for name, row in subgraphs.items()]


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


def _source(file: Path, name: str, row: Any) -> SubgraphSource:
    schema = row.get("schema") if isinstance(row, dict) else None
    if not isinstance(schema, dict):
        fail(f"{file}: the subgraph {name} has no schema: give it file, sdl or subgraph_url.")
    url = row.get("routing_url") or schema.get("subgraph_url") or ""
    sdl = _sdl(file, name, schema)
    if sdl is None:
        fail(f"{file}: the schema of the subgraph {name} must be one of file, sdl or subgraph_url.")
    return SubgraphSource(name, str(url), sdl)


def _sdl(file: Path, name: str, schema: dict[str, Any]) -> str | None:
    match schema:
        case {"sdl": str(sdl)}:
            return sdl
        case {"file": str(beside)}:
            return read_text(file.parent / beside)
        case {"subgraph_url": str(running)}:
            return _introspected(name, running)
        case _:
            return None


def _introspected(name: str, url: str) -> str:
    """The SDL that a running subgraph says of itself."""
    import asyncio

    from gateway.federation.executor.endpoint import Endpoint, TransportLimits
    from gateway.federation.executor.subgraphs import SubgraphFailed
    from gateway.federation.executor.transport import HttpTransport

    async def ask() -> Any:
        transport = HttpTransport({name: Endpoint(url, TransportLimits(timeout_ms=FETCH_SECONDS * 1000))})
        try:
            return await transport.ask(name, b'{"query":"{ _service { sdl } }"}', "query")
        finally:
            await transport.close()

    try:
        answer = asyncio.run(ask())
    except SubgraphFailed as failure:
        fail(f"The schema of the subgraph {name} cannot be read from {url}: {failure}")
    sdl = ((answer.get("data") or {}).get("_service") or {}).get("sdl")
    if not isinstance(sdl, str):
        fail(f"The subgraph {name} at {url} does not answer _service {{ sdl }}.")
    return sdl
