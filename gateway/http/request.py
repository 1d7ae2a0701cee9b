"""Bytes of a request to the GraphQL request in it, or a refusal that says what is wrong with it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.types import Receive

from gateway.http.deadline import Deadline, Gone

MAX_NAME_LENGTH: Final = 200


class BadRequest(Exception):
    """The request is malformed: HTTP status, code, and one sentence."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers: Mapping[str, str] = headers or {}


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    size_bytes: int = 262_144
    deadline_ms: int = 10_000


def headers_of(request: Request) -> dict[str, str]:
    """By lower-case name."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}


async def read(request: Request, headers: Mapping[str, str], limits: BodyLimits) -> GraphQLRequest:
    """Raises BadRequest, and Gone where the caller leaves before the body has come."""
    if request.method == "GET":
        return _from_parameters(request)
    if request.method != "POST":
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "GraphQL is asked by GET or POST.", {"allow": "GET, POST"})
    refused = _refused(headers.get("content-type", ""), headers.get("content-encoding", "identity"))
    if refused is not None:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", refused)
    return _from_json(await _body(request.receive, headers, limits))


@lru_cache(maxsize=256)
def _refused(content_type: str, content_encoding: str) -> str | None:
    """Why a body of this kind is not taken."""
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    if media_type.lower() != "application/json":
        return f"Content-Type {media_type!r} is not taken: send application/json."
    charsets = [
        value.strip('" ').lower() for name, _, value in (p.partition("=") for p in parameters) if name == "charset"
    ]
    if any(charset not in ("utf-8", "utf8") for charset in charsets):
        return f"The charset {charsets[0]!r} is not taken: send UTF-8."
    encoding = content_encoding.lower()
    return None if encoding == "identity" else f"Content-Encoding {encoding!r} is not taken: send it plain."


async def _body(receive: Receive, headers: Mapping[str, str], limits: BodyLimits) -> bytes:
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.size_bytes:
        raise _too_large(limits)
    started = time.monotonic()
    try:
        with Deadline(limits.deadline_ms):
            return await _received(receive, limits)
    except TimeoutError:
        waited = round(time.monotonic() - started)
        raise BadRequest(
            408, "REQUEST_TIMEOUT", f"The body did not arrive within {waited} s.", {"connection": "close"}
        ) from None


async def _received(receive: Receive, limits: BodyLimits) -> bytes:
    """Raises Gone."""
    parts: list[bytes] = []
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        size, is_more = size + len(part), message.get("more_body", False)
        if size > limits.size_bytes:
            raise _too_large(limits)
        parts.append(part)
    return b"".join(parts)


def _too_large(limits: BodyLimits) -> BadRequest:
    sentence = f"The body has more than {limits.size_bytes} bytes."
    return BadRequest(413, "BODY_TOO_LARGE", sentence, {"connection": "close"})


def _from_json(body: bytes) -> GraphQLRequest:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(400, "BAD_REQUEST", f"The body is not JSON in UTF-8: {error.msg}.") from None
    if not isinstance(given, dict):
        raise BadRequest(400, "BAD_REQUEST", "The body must be one JSON object with the key query.")
    return checked(given)


def _from_parameters(request: Request) -> GraphQLRequest:
    parameters = request.query_params
    repeated = [name for name in ("query", "variables", "operationName") if len(parameters.getlist(name)) > 1]
    if repeated:
        raise BadRequest(400, "BAD_REQUEST", f"The parameter {repeated[0]} is given more than once.")
    given: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                given[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise BadRequest(400, "BAD_REQUEST", f"The parameter {name} is not JSON.") from None
    return checked(given)


def checked(given: dict[str, Any]) -> GraphQLRequest:
    """The request in an object, as bodies and messages hold it. Raises BadRequest."""
    query, name = given.get("query"), given.get("operationName")
    variables, extensions = given.get("variables"), given.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest(400, "BAD_REQUEST", "The key query is missing: it must hold a GraphQL document.")
    if not isinstance(name, str | None) or len(name or "") > MAX_NAME_LENGTH:
        raise BadRequest(400, "BAD_REQUEST", "The key operationName must be a name.")
    if not isinstance(variables, dict | None):
        raise BadRequest(400, "BAD_REQUEST", "The key variables must be an object.")
    if not isinstance(extensions, dict | None):
        raise BadRequest(400, "BAD_REQUEST", "The key extensions must be an object.")
    return GraphQLRequest(query, name or None, variables or {}, extensions or {})
