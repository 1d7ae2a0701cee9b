"""What an HTTP answer needs around the execution: media types, status codes, request ids, our own faults."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, NamedTuple

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Send

from gateway import errors
from gateway.http.deadline import CallerGone
from gateway.http.request import BodyLimits, headers_of, read_http_request, request_id_of
from gateway.operation.prepared import Asker, Body
from gateway.operation.request import BadRequest, GraphQLRequest

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_ACCEPTED_AS_JSON: Final = frozenset({JSON, "application/*", "*/*"})
_HEADERS_BY_MEDIA_TYPE: Final = {
    media_type: (
        (b"content-type", media_type.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, authorization"),
    )
    for media_type in (JSON, GRAPHQL_RESPONSE)
}


class ReceivedRequest(NamedTuple):
    """An HTTP request that has been read."""

    http: Request
    graphql: GraphQLRequest
    asker: Asker
    refused_status: int
    """The status of an answer that is refused before execution."""


class Answer(NamedTuple):
    """A status and a body, which may be encoded as JSON already."""

    status: int
    body: Body | bytes


RawHeaders = Sequence[tuple[bytes, bytes]]


class EncodedAnswer(NamedTuple):
    """An answer as it is sent."""

    status: int
    headers: RawHeaders
    body: bytes

    async def send(self, send: Send) -> None:
        headers = [*self.headers, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def answer_request(
    request: Request, limits: BodyLimits, answer: Callable[[ReceivedRequest], Awaitable[Answer]]
) -> EncodedAnswer:
    """Read the request, answer it by `answer`, and encode what came of it, whatever that is.

    A malformed request gets a sentence, a fault of ours a request id. Raises CallerGone.
    """
    request_headers = headers_of(request)
    request_id = request_id_of(request_headers)
    media_type = _choose_media_type(request_headers.get("accept"))
    headers: Mapping[str, str] = {}
    try:
        if media_type is None:
            raise BadRequest(406, "NOT_ACCEPTABLE", f"Answers come as {GRAPHQL_RESPONSE} or {JSON}.")
        # A refusal before execution is 400 in GraphQL's own media type; in plain JSON 200, which older clients expect.
        refused_status = 400 if media_type == GRAPHQL_RESPONSE else 200
        graphql = await read_http_request(request, request_headers, limits)
        asker = Asker(request_headers, request_id, request.method, request.scope.get("viewer"))
        status, body = await answer(ReceivedRequest(request, graphql, asker, refused_status))
        encoded = body if isinstance(body, bytes) else orjson.dumps(body)
    except CallerGone:
        raise
    except BadRequest as failure:
        status, encoded, headers = failure.status, orjson.dumps(errors.of_request(failure)), failure.headers
    except Exception as bug:
        status, encoded = 500, orjson.dumps(errors.of_bug(bug, request_id))
    sent = [*_HEADERS_BY_MEDIA_TYPE[media_type or JSON], (b"x-request-id", request_id.encode("latin-1"))]
    return EncodedAnswer(status, [*sent, *encode_headers(headers)] if headers else sent, encoded)


@contextmanager
def report_bugs(request_id: str, report: Callable[[Body], None]) -> Iterator[None]:
    """Catch our own faults where no single answer could tell them: they are logged, and `report` gets their body."""
    try:
        yield
    except Exception as bug:
        report(errors.of_bug(bug, request_id))


def check_method(method: str, kind: OperationType) -> None:
    """Raises BadRequest where anything but a query is sent by GET."""
    if method == "GET" and kind is not OperationType.QUERY:
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "Mutations are asked by POST.", {"allow": "POST"})


@lru_cache(maxsize=256)
def _choose_media_type(accept: str | None) -> str | None:
    """GraphQL's own type where the caller names it, else JSON; None where neither is accepted."""
    if accept is None or not accept.strip():
        return JSON
    ranges = [part.partition(";") for part in accept.lower().split(",")]
    accepted = {name.strip() for name, _, parameters in ranges if parameters.replace(" ", "") not in ("q=0", "q=0.0")}
    if GRAPHQL_RESPONSE in accepted:
        return GRAPHQL_RESPONSE
    return JSON if accepted & _ACCEPTED_AS_JSON else None
