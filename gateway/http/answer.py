"""What every GraphQL endpoint does around its execution: media types, malformed requests, request ids."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.http import errors
from gateway.http.request import BadRequest, BodyLimits, GraphQLRequest, read

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
_ACCEPTED_AS_JSON: Final = frozenset({JSON, "application/*", "*/*"})


class Asked(NamedTuple):
    """A request that has been read; `refused_status` is what a refusal before execution is answered with."""

    request: Request
    graphql: GraphQLRequest
    request_id: str
    refused_status: int


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]


async def respond(request: Request, limits: BodyLimits, answer: Callable[[Asked], Awaitable[Answer]]) -> Response:
    """The response, whatever happens: what is malformed in a sentence, our own faults by a request id."""
    request_id = _request_id(request)
    media_type = _media_type(request.headers.get("accept"))
    headers: dict[str, str] = {}
    try:
        if media_type is None:
            raise BadRequest(406, "NOT_ACCEPTABLE", f"Answers come as {GRAPHQL_RESPONSE} or {JSON}.")
        # A refusal before execution is 400 in GraphQL's own media type; in plain JSON 200, which older clients expect.
        refused_status = 400 if media_type == GRAPHQL_RESPONSE else 200
        status, body = await answer(Asked(request, await read(request, limits), request_id, refused_status))
    except BadRequest as failure:
        status, body, headers = failure.status, errors.of_request(failure), failure.headers
    except Exception as bug:
        status, body = 500, errors.of_bug(bug, request_id)
    return Response(
        orjson.dumps(body),
        status,
        {**headers, "x-request-id": request_id, "cache-control": "no-store", "vary": "accept, authorization"},
        media_type=media_type or JSON,
    )


def check_method(asked: Asked, *, is_query: bool) -> None:
    """Raises BadRequest for anything but a query by GET."""
    if asked.request.method == "GET" and not is_query:
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "Mutations are asked by POST.", {"allow": "POST"})


def _request_id(request: Request) -> str:
    """The caller's, where it is one that a log can take, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if given.isascii() and given.replace("-", "").isalnum() and len(given) <= 64 else secrets.token_hex(8)


def _media_type(accept: str | None) -> str | None:
    """GraphQL's own type where the caller names it, else JSON; None where neither is taken."""
    if accept is None or not accept.strip():
        return JSON
    ranges = [part.partition(";") for part in accept.lower().split(",")]
    taken = {name.strip() for name, _, parameters in ranges if parameters.replace(" ", "") not in ("q=0", "q=0.0")}
    if GRAPHQL_RESPONSE in taken:
        return GRAPHQL_RESPONSE
    return JSON if taken & _ACCEPTED_AS_JSON else None
