"""Reads the bytes of an HTTP request into a GraphQL request, or says what is wrong with them."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.types import Receive

from gateway.http.deadline import CallerGone, Deadline
from gateway.operation.request import BadRequest, GraphQLRequest, read_request


@dataclass(frozen=True, slots=True)
class BodyLimits:
    size_bytes: int = 262_144
    deadline_ms: int = 10_000


_REQUEST_IDS: Final = random.Random()  # noqa: S311 - ids tell requests apart, and guard nothing


def headers_of(request: Request) -> dict[str, str]:
    """By lower-case name."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}


def request_id_of(headers: Mapping[str, str]) -> str:
    """The caller's x-request-id where a log can take it, else a new one."""
    sent = headers.get("x-request-id", "")
    is_taken = sent.isascii() and sent.replace("-", "").isalnum() and len(sent) <= 64
    return sent if is_taken else f"{_REQUEST_IDS.getrandbits(64):016x}"


async def read_http_request(request: Request, headers: Mapping[str, str], limits: BodyLimits) -> GraphQLRequest:
    """Raises BadRequest, and CallerGone where the caller leaves before the body has arrived."""
    if request.method == "GET":
        return _read_parameters(request)
    if request.method != "POST":
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "GraphQL is asked by GET or POST.", {"allow": "GET, POST"})
    refusal = _find_media_type_refusal(headers.get("content-type", ""), headers.get("content-encoding", "identity"))
    if refusal is not None:
        raise BadRequest(415, "UNSUPPORTED_MEDIA_TYPE", refusal)
    return _read_json(await _read_body(request.receive, headers, limits))


@lru_cache(maxsize=256)
def _find_media_type_refusal(content_type: str, content_encoding: str) -> str | None:
    """Why a body of this media type and encoding is refused; None where it is taken."""
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


async def _read_body(receive: Receive, headers: Mapping[str, str], limits: BodyLimits) -> bytes:
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.size_bytes:
        raise _body_too_large(limits)
    started = time.monotonic()
    try:
        with Deadline(limits.deadline_ms):
            return await _receive_body(receive, limits)
    except TimeoutError:
        waited = round(time.monotonic() - started)
        raise BadRequest(
            408, "REQUEST_TIMEOUT", f"The body did not arrive within {waited} s.", {"connection": "close"}
        ) from None


async def _receive_body(receive: Receive, limits: BodyLimits) -> bytes:
    """Raises CallerGone."""
    parts: list[bytes] = []
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        part: bytes = message.get("body", b"")
        size, is_more = size + len(part), message.get("more_body", False)
        if size > limits.size_bytes:
            raise _body_too_large(limits)
        parts.append(part)
    return b"".join(parts)


def _body_too_large(limits: BodyLimits) -> BadRequest:
    sentence = f"The body has more than {limits.size_bytes} bytes."
    return BadRequest(413, "BODY_TOO_LARGE", sentence, {"connection": "close"})


def _read_json(body: bytes) -> GraphQLRequest:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(400, "BAD_REQUEST", f"The body is not JSON in UTF-8: {error.msg}.") from None
    if not isinstance(sent, dict):
        raise BadRequest(400, "BAD_REQUEST", "The body must be one JSON object with the key query.")
    return read_request(sent)


def _read_parameters(request: Request) -> GraphQLRequest:
    parameters = request.query_params
    repeated = [name for name in ("query", "variables", "operationName") if len(parameters.getlist(name)) > 1]
    if repeated:
        raise BadRequest(400, "BAD_REQUEST", f"The parameter {repeated[0]} is given more than once.")
    sent: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                sent[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise BadRequest(400, "BAD_REQUEST", f"The parameter {name} is not JSON.") from None
    return read_request(sent)
