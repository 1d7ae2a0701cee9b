"""Failure to status code and body; the one place that decides either."""

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from graphql import GraphQLError

from gateway.http.request import BadRequest
from gateway.http.subscribe import Ended
from gateway.observability.log import logger
from gateway.operation.document import InvalidDocument
from resolvers.errors import RequestError

if TYPE_CHECKING:
    # The router raises no such thing, and starts in half the time without the national graph's schema and database.
    from pymongo.errors import PyMongoError

    from gateway.limits.cost import TooExpensive

_NULL_IN_NON_NULL: Final = "Cannot return null for non-nullable field"

Body = dict[str, Any]


def of_request(failure: BadRequest) -> Body:
    return _body([{"message": str(failure), "extensions": {"code": failure.code}}])


def of_document(failure: InvalidDocument) -> Body:
    return _body([{**error.formatted, "extensions": {"code": failure.code}} for error in failure.errors])


def of_cost(failure: "TooExpensive") -> Body:
    return _body([{"message": str(failure), "extensions": {"code": failure.code}}])


def of_plan(failure: Exception) -> Body:
    return _body([{"message": str(failure), "extensions": {"code": "QUERY_PLANNING_FAILED"}}])


def of_subscription() -> Body:
    sentence = "A subscription is asked for over a websocket (graphql-transport-ws) or with Accept: text/event-stream."
    return _body([{"message": sentence, "extensions": {"code": "SUBSCRIPTION_NEEDS_STREAM"}}])


def of_deadline(deadline_ms: int) -> Body:
    sentence = f"The operation did not end within {deadline_ms} ms: ask for less at once."
    return _body([{"message": sentence, "extensions": {"code": "TIMEOUT"}}])


def of_response_size(limit_bytes: int) -> Body:
    sentence = f"The answer has more than {limit_bytes} bytes: ask for less at once."
    return _body([{"message": sentence, "extensions": {"code": "RESPONSE_TOO_LARGE"}}])


def of_nesting() -> Body:
    sentence = "A variable, or what a subgraph answered, is nested too deeply to be passed on."
    return _body([{"message": sentence, "extensions": {"code": "NESTED_TOO_DEEPLY"}}])


def of_end(failure: Ended) -> Body:
    return _body([{"message": str(failure), "extensions": {"code": failure.code}}])


def of_execution(errors: Sequence[GraphQLError], request_id: str) -> list[Body]:
    """Errors beside data: a rule's or a limit's own sentence; what failed inside us by code and request id alone."""
    return [_executed(error, request_id) for error in errors]


def of_failure(failure: "RequestError | PyMongoError", request_id: str) -> Body:
    """What a subscription's source raised."""
    return _body([_executed(GraphQLError("", original_error=failure), request_id)])


def of_bug(error: Exception, request_id: str) -> Body:
    return _body([_internal(error, request_id)])


def _body(errors: list[Body]) -> Body:
    return {"errors": errors}


def _executed(error: GraphQLError, request_id: str) -> Body:
    from pymongo.errors import PyMongoError

    formatted: Body = dict(error.formatted)
    cause = error.original_error
    place: Body = {key: value for key, value in formatted.items() if key in ("locations", "path")}
    if isinstance(cause, RequestError):
        return {"message": str(cause), **place, "extensions": {"code": cause.code}}
    if isinstance(cause, PyMongoError):
        logger.warning("database_unavailable", failure=type(cause).__name__, request_id=request_id)
        sentence = "The database does not answer now: try again."
        return {"message": sentence, **place, "extensions": {"code": "UNAVAILABLE", "requestId": request_id}}
    if cause is None and error.message.startswith(_NULL_IN_NON_NULL):
        return {"message": error.message, **place, "extensions": {"code": "INTERNAL", "requestId": request_id}}
    return {**_internal(cause or error, request_id), **place}


def _internal(error: Exception, request_id: str) -> Body:
    # Messages of exceptions may hold what a citizen wrote: the log gets the places alone.
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    logger.error("internal_error", failure=type(error).__name__, frames=frames, request_id=request_id)
    return {
        "message": f"Something failed here. Give the operator the request id {request_id}.",
        "extensions": {"code": "INTERNAL", "requestId": request_id},
    }
