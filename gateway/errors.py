"""The response body of each failure. No other module words one."""

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from graphql import GraphQLError

from gateway.observability.log import logger
from gateway.operation.document import InvalidDocument
from gateway.operation.prepared import Body
from gateway.operation.refusal import Ended
from gateway.operation.request import BadRequest
from resolvers.errors import RequestError

if TYPE_CHECKING:
    # The router raises neither, and starts in half the time without the national graph's schema and database.
    from pymongo.errors import PyMongoError

    from gateway.limits.cost import TooExpensive

_NULL_IN_NON_NULL: Final = "Cannot return null for non-nullable field"


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
    """Errors beside data. A rule tells its own sentence, a fault of ours only its code and the request id."""
    return [_of_field(error, request_id) for error in errors]


def of_failure(failure: "RequestError | PyMongoError", request_id: str) -> Body:
    """For the exception that a subscription's source raised."""
    return _body([_of_field(GraphQLError("", original_error=failure), request_id)])


def of_bug(error: Exception, request_id: str) -> Body:
    return _body([_of_fault(error, request_id)])


def _body(errors: list[Body]) -> Body:
    return {"errors": errors}


def _of_field(error: GraphQLError, request_id: str) -> Body:
    from pymongo.errors import PyMongoError

    formatted: Body = dict(error.formatted)
    cause = error.original_error
    position: Body = {key: value for key, value in formatted.items() if key in ("locations", "path")}
    if isinstance(cause, RequestError):
        return {"message": str(cause), **position, "extensions": {"code": cause.code}}
    if isinstance(cause, PyMongoError):
        logger.warning("database_unavailable", failure=type(cause).__name__, request_id=request_id)
        sentence = "The database does not answer now: try again."
        return {"message": sentence, **position, "extensions": {"code": "UNAVAILABLE", "requestId": request_id}}
    if cause is None and error.message.startswith(_NULL_IN_NON_NULL):
        return {"message": error.message, **position, "extensions": {"code": "INTERNAL", "requestId": request_id}}
    return {**_of_fault(cause or error, request_id), **position}


def _of_fault(error: Exception, request_id: str) -> Body:
    # An exception's message may hold a citizen's words, so the log gets the source lines only.
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    logger.error("internal_error", failure=type(error).__name__, frames=frames, request_id=request_id)
    return {
        "message": f"Something failed here. Give the operator the request id {request_id}.",
        "extensions": {"code": "INTERNAL", "requestId": request_id},
    }
