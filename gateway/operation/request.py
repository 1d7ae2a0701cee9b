"""A GraphQL request as every transport reads it, and the refusal of a malformed one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_NAME_LENGTH: Final = 200


class BadRequest(Exception):
    """The request is malformed. Holds the HTTP status, the error code, one sentence and the response's headers."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers: Mapping[str, str] = headers or {}


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The keys of a GraphQL-over-HTTP request. `variables` and `extensions` are empty where they were not sent."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any] = field(default_factory=dict)


def read_request(sent: Mapping[str, Any]) -> GraphQLRequest:
    """Read the request from a JSON object: an HTTP body, or a websocket message's payload. Raises BadRequest."""
    query, name = sent.get("query"), sent.get("operationName")
    variables, extensions = sent.get("variables"), sent.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest(400, "BAD_REQUEST", "The key query is missing: it must hold a GraphQL document.")
    if not isinstance(name, str | None) or len(name or "") > MAX_NAME_LENGTH:
        raise BadRequest(400, "BAD_REQUEST", "The key operationName must be a name.")
    if not isinstance(variables, dict | None):
        raise BadRequest(400, "BAD_REQUEST", "The key variables must be an object.")
    if not isinstance(extensions, dict | None):
        raise BadRequest(400, "BAD_REQUEST", "The key extensions must be an object.")
    return GraphQLRequest(query, name or None, variables or {}, extensions or {})
