"""How the router speaks to each subgraph, as `supergraph.yaml` says.

Beside `routing_url` and `schema` a subgraph may have `timeout_ms`, `connections`, `response_limit_bytes`, `tls`,
`headers` and `subscription`.
"""

import os
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gateway.cli.failure import fail
from gateway.federation.executor.endpoint import Endpoint, StreamAddress, StreamProtocol, TransportLimits
from gateway.federation.supergraph import Supergraph

_KEYS: Final = ("routing_url", "schema", "timeout_ms", "connections", "response_limit_bytes")
_TLS: Final = ("certificate", "key", "ca")
_OURS: Final = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"}
)
_NAME: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


def endpoints(file: Path, supergraph: Supergraph) -> dict[str, Endpoint]:
    """By subgraph; ends the command with a sentence where a setting is wrong."""
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    rows: Mapping[str, Any] = {str(name): row for name, row in config["subgraphs"].items()}
    return {
        name: _endpoint(file, name, subgraph.url, rows.get(name) or {})
        for name, subgraph in supergraph.subgraphs.items()
    }


def _endpoint(file: Path, name: str, url: str, row: Mapping[str, Any]) -> Endpoint:
    where = f"{file}: the subgraph {name}"
    known = (*_KEYS, *_READERS)
    for key in row:
        if key not in known:
            fail(f"{where} has {key}, which is not known: its keys are {', '.join(known)}.")
    usual = TransportLimits()
    limits = TransportLimits(
        timeout_ms=_number(where, row, "timeout_ms", usual.timeout_ms),
        response_bytes=_number(where, row, "response_limit_bytes", usual.response_bytes),
        connections=_number(where, row, "connections", usual.connections),
    )
    read = {key: reader(where, row[key], file) for key, reader in _READERS.items() if row.get(key) is not None}
    constant, propagated = read.get("headers", ((), ()))
    return Endpoint(url, limits, read.get("tls"), constant, propagated, read.get("subscription", StreamAddress()))


def _number(where: str, row: Mapping[str, Any], key: str, default: int) -> int:
    found = row.get(key, default)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        fail(f"{where}: {key} must be a whole number above 0.")
    return found


def _tls(where: str, given: Any, file: Path) -> ssl.SSLContext:
    """A context with our certificate, for subgraphs that ask who we are, and the authority that signed theirs."""
    if not isinstance(given, dict) or not set(given) <= set(_TLS) or ("certificate" in given) != ("key" in given):
        fail(f"{where}: tls takes certificate with key, and ca: names of PEM files.")
    paths = {key: str(file.parent / str(name)) for key, name in given.items()}
    try:
        context = ssl.create_default_context(cafile=paths.get("ca"))
        if "certificate" in paths:
            context.load_cert_chain(paths["certificate"], paths["key"])
    except (OSError, ssl.SSLError) as failure:
        fail(f"{where}: the files of tls cannot be used: {failure.strerror or failure}.")
    return context


def _headers(where: str, given: Any, file: Path) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    constant: list[tuple[str, str]] = []
    propagated: list[str] = []
    for rule in given if isinstance(given, list) else [given]:
        match rule:
            case {"propagate": str(name), **rest} if not rest:
                propagated.append(_name(where, name))
            case {"set": str(name), "value": str(value), **rest} if not rest:
                constant.append((_name(where, name), _value(where, name, value)))
            case {"set": str(name), "from_env": str(variable), **rest} if not rest:
                if variable not in os.environ:
                    fail(f"{where}: the header {name} is to come from {variable}, which is not set.")
                constant.append((_name(where, name), _value(where, name, os.environ[variable])))
            case _:
                kinds = "{propagate: NAME}, {set: NAME, value: TEXT} or {set: NAME, from_env: VARIABLE}"
                fail(f"{where}: a header is {kinds}.")
    return tuple(constant), tuple(propagated)


def _name(where: str, name: str) -> str:
    lowered = name.lower()
    if not _NAME.fullmatch(lowered):
        fail(f"{where}: {name!r} is no header's name.")
    if lowered in _OURS:
        fail(f"{where}: the header {lowered} is the router's own.")
    return lowered


def _value(where: str, name: str, value: str) -> str:
    if not value.isprintable() or not value.isascii():
        fail(f"{where}: the value of the header {name} has characters that a header cannot have.")
    return value


def _subscription(where: str, given: Any, file: Path) -> StreamAddress:
    protocols = [str(protocol) for protocol in StreamProtocol]
    if not isinstance(given, dict) or given.get("protocol") not in protocols or not set(given) <= {"protocol", "url"}:
        fail(f"{where}: subscription takes protocol, one of {', '.join(protocols)}, and url.")
    return StreamAddress(StreamProtocol(given["protocol"]), str(given.get("url", "")))


_READERS: Final[Mapping[str, Callable[[str, Any, Path], Any]]] = {
    "tls": _tls,
    "headers": _headers,
    "subscription": _subscription,
}
