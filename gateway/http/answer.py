"""What every GraphQL endpoint does around its execution: media types, malformed requests, request ids."""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from starlette.requests import Request
from starlette.types import Send

from gateway.http import errors
from gateway.http.deadline import Gone
from gateway.http.request import BadRequest, BodyLimits, GraphQLRequest, headers_of, read

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_ACCEPTED_AS_JSON: Final = frozenset({JSON, "application/*", "*/*"})
_SENT: Final = {
    media_type: (
        (b"content-type", media_type.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, authorization"),
    )
    for media_type in (JSON, GRAPHQL_RESPONSE)
}


class Asked(NamedTuple):
    """A request that has been read; `refused_status` is what a refusal before execution is answered with."""

    request: Request
    headers: Mapping[str, str]
    graphql: GraphQLRequest
    request_id: str
    refused_status: int


class Answer(NamedTuple):
    """`body` may be JSON already."""

    status: int
    body: dict[str, Any] | bytes


RawHeaders = Sequence[tuple[bytes, bytes]]


class Encoded(NamedTuple):
    """An answer as it is sent."""

    status: int
    headers: RawHeaders
    body: bytes

    async def send(self, send: Send) -> None:
        headers = [*self.headers, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def raw(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def answered(request: Request, limits: BodyLimits, answer: Callable[[Asked], Awaitable[Answer]]) -> Encoded:
    """The answer, whatever happens: what is malformed in a sentence, our own faults by a request id. Raises Gone."""
    given = headers_of(request)
    request_id = request_id_of(given)
    media_type = _media_type(given.get("accept"))
    headers: Mapping[str, str] = {}
    try:
        if media_type is None:
            raise BadRequest(406, "NOT_ACCEPTABLE", f"Answers come as {GRAPHQL_RESPONSE} or {JSON}.")
        # A refusal before execution is 400 in GraphQL's own media type; in plain JSON 200, which older clients expect.
        refused_status = 400 if media_type == GRAPHQL_RESPONSE else 200
        graphql = await read(request, given, limits)
        status, body = await answer(Asked(request, given, graphql, request_id, refused_status))
        encoded = body if isinstance(body, bytes) else orjson.dumps(body)
    except Gone:
        raise
    except BadRequest as failure:
        status, encoded, headers = failure.status, orjson.dumps(errors.of_request(failure)), failure.headers
    except Exception as bug:
        status, encoded = 500, orjson.dumps(errors.of_bug(bug, request_id))
    sent = [*_SENT[media_type or JSON], (b"x-request-id", request_id.encode("latin-1"))]
    return Encoded(status, [*sent, *raw(headers)] if headers else sent, encoded)


@contextmanager
def bugs_told(request_id: str, tell: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Our own faults where there is no one answer that they could be: told by a request id, and in the log."""
    try:
        yield
    except Exception as bug:
        tell(errors.of_bug(bug, request_id))


def check_method(method: str, *, is_query: bool) -> None:
    """Raises BadRequest for anything but a query by GET."""
    if method == "GET" and not is_query:
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "Mutations are asked by POST.", {"allow": "POST"})


_NUMBERS: Final = random.Random()  # noqa: S311 - they tell requests apart, and guard nothing


def request_id_of(headers: Mapping[str, str]) -> str:
    """The caller's, where it is one that a log can take, else a new one."""
    given = headers.get("x-request-id", "")
    is_taken = given.isascii() and given.replace("-", "").isalnum() and len(given) <= 64
    return given if is_taken else f"{_NUMBERS.getrandbits(64):016x}"


@lru_cache(maxsize=256)
def _media_type(accept: str | None) -> str | None:
    """GraphQL's own type where the caller names it, else JSON; None where neither is taken."""
    if accept is None or not accept.strip():
        return JSON
    ranges = [part.partition(";") for part in accept.lower().split(",")]
    taken = {name.strip() for name, _, parameters in ranges if parameters.replace(" ", "") not in ("q=0", "q=0.0")}
    if GRAPHQL_RESPONSE in taken:
        return GRAPHQL_RESPONSE
    return JSON if taken & _ACCEPTED_AS_JSON else None
