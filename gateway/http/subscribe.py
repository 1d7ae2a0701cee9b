"""What every transport of streams asks of a graph, and how streams end that nobody completed."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Protocol

from gateway.http.request import GraphQLRequest

Result = Mapping[str, Any]

QUEUED_RESULTS: Final = 100
"""So many results may wait for a subscriber: who is slower is let go, for memory is everybody's."""


class Subscribe(Protocol):
    """Runs one operation: results as they come, one for a query or a mutation.

    Raises Refused before the first, and Ended where the stream cannot go on.
    """

    def __call__(self, operation: GraphQLRequest, headers: Mapping[str, str], /) -> AsyncGenerator[Result, None]: ...


class Refused(Exception):
    """The operation cannot be run: a body with `errors` alone."""

    def __init__(self, body: Result) -> None:
        super().__init__()
        self.body = body


class Ended(Exception):
    """Streams end that nobody completed: a websocket by its close code, an event stream by its error's code."""

    def __init__(self, close_code: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.close_code = close_code
        self.code = code


def supergraph_changed() -> Ended:
    return Ended(1012, "SUPERGRAPH_CHANGED", "The supergraph has changed: subscribe again.")


def too_slow() -> Ended:
    return Ended(1013, "TOO_SLOW", f"More than {QUEUED_RESULTS} results waited for this subscriber.")
