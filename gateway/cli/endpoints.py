"""Reads each subgraph's connection settings from `supergraph.yaml`.

Besides `routing_url` and `schema`, a subgraph may have `timeout_ms`, `connections`, `response_limit_bytes`, `tls`,
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


def read_endpoints(file: Path, supergraph: Supergraph) -> dict[str, Endpoint]:
    """Returns the endpoints by subgraph name; ends the command with a message if a setting is wrong."""
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    rows: Mapping[str, Any] = {str(name): row for name, row in config["subgraphs"].items()}
    return {
        name: _read_endpoint(file, name, subgraph.url, rows.get(name) or {})
        for name, subgraph in supergraph.subgraphs.items()
    }


def _read_endpoint(file: Path, name: str, url: str, row: Mapping[str, Any]) -> Endpoint:
    where = f"{file}: the subgraph {name}"
    known = (*_KEYS, *_READERS)
    for key in row:
        if key not in known:
            fail(f"{where} has the unknown key {key}. Known keys: {', '.join(known)}.")
    usual = TransportLimits()
    limits = TransportLimits(
        timeout_ms=_read_number(where, row, "timeout_ms", usual.timeout_ms),
        response_bytes=_read_number(where, row, "response_limit_bytes", usual.response_bytes),
        connections=_read_number(where, row, "connections", usual.connections),
    )
    read = {key: reader(where, row[key], file) for key, reader in _READERS.items() if row.get(key) is not None}
    constant, propagated = read.get("headers", ((), ()))
    return Endpoint(url, limits, read.get("tls"), constant, propagated, read.get("subscription", StreamAddress()))


def _read_number(where: str, row: Mapping[str, Any], key: str, default: int) -> int:
    value = row.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        fail(f"{where}: {key} must be a whole number above 0.")
    return value


def _read_tls(where: str, given: Any, file: Path) -> ssl.SSLContext:
    """Returns a TLS context with our client certificate and the authority that signed the subgraph's certificate."""
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


def _read_headers(where: str, given: Any, file: Path) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    constant: list[tuple[str, str]] = []
    propagated: list[str] = []
    for rule in given if isinstance(given, list) else [given]:
        match rule:
            case {"propagate": str(name), **rest} if not rest:
                propagated.append(_check_name(where, name))
            case {"set": str(name), "value": str(value), **rest} if not rest:
                constant.append((_check_name(where, name), _check_value(where, name, value)))
            case {"set": str(name), "from_env": str(variable), **rest} if not rest:
                if variable not in os.environ:
                    fail(
                        f"{where}: the header {name} comes from the environment variable {variable}, which is not set."
                    )
                constant.append((_check_name(where, name), _check_value(where, name, os.environ[variable])))
            case _:
                kinds = "{propagate: NAME}, {set: NAME, value: TEXT} or {set: NAME, from_env: VARIABLE}"
                fail(f"{where}: a header is {kinds}.")
    return tuple(constant), tuple(propagated)


def _check_name(where: str, name: str) -> str:
    lowered = name.lower()
    if not _NAME.fullmatch(lowered):
        fail(f"{where}: {name!r} is not a header name.")
    if lowered in _OURS:
        fail(f"{where}: the router sets the header {lowered} itself.")
    return lowered


def _check_value(where: str, name: str, value: str) -> str:
    if not value.isprintable() or not value.isascii():
        fail(f"{where}: the value of the header {name} has characters that are not allowed in a header.")
    return value


def _read_subscription(where: str, given: Any, file: Path) -> StreamAddress:
    protocols = [str(protocol) for protocol in StreamProtocol]
    if not isinstance(given, dict) or given.get("protocol") not in protocols or not set(given) <= {"protocol", "url"}:
        fail(f"{where}: subscription takes protocol, one of {', '.join(protocols)}, and url.")
    return StreamAddress(StreamProtocol(given["protocol"]), str(given.get("url", "")))


_READERS: Final[Mapping[str, Callable[[str, Any, Path], Any]]] = {
    "tls": _read_tls,
    "headers": _read_headers,
    "subscription": _read_subscription,
}
