"""What every transport of streams asks of a graph, and how streams end that nobody completed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from gateway.http.request import GraphQLRequest

Result = Mapping[str, Any]

QUEUED_RESULTS: Final = 100
ROOM_SECONDS: Final = 5.0
"""So many results may wait for a client, and a further one so long: who is slower is let go, for memory is everybody's.
"""
CLOSE_SECONDS: Final = 5.0
"""So long is waited for room to say why a stream ends; who reads nothing is not told."""

T = TypeVar("T")


class Subscribe(Protocol):
    """Runs one operation: results as they come, one for a query or a mutation.

    Raises Refused before the first, or instead of a further one, and Ended where the connection cannot go on.
    """

    def __call__(self, operation: GraphQLRequest, headers: Mapping[str, str], /) -> AsyncGenerator[Result, None]: ...


class Admission(NamedTuple):
    """Who has connected: what they subscribe with, until when, and as whom they count."""

    subscribe: Subscribe
    headers: Mapping[str, str]
    expires_at: float | None = None
    """In seconds of Unix time."""
    subject: str | None = None


class Admit(Protocol):
    """Decides by the payload of connection_init and the headers of the handshake. Raises Ended."""

    async def __call__(self, payload: Mapping[str, Any], headers: Mapping[str, str], /) -> Admission: ...


class Refused(Exception):
    """The operation cannot be run, or not any longer: a body with `errors` alone."""

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
    return Ended(1013, "TOO_SLOW", "Results waited too long for this subscriber, which reads too slowly.")


def stopping() -> Ended:
    return Ended(1001, "STOPPING", "The server stops: connect again.")


def unauthenticated(sentence: str) -> Ended:
    return Ended(4403, "UNAUTHENTICATED", sentence)


def expired() -> Ended:
    return unauthenticated("The token has expired: log in again.")


def state_lost() -> Ended:
    return Ended(4410, "READ_ANEW", "Changes were missed: read the state anew, then subscribe.")


class Streams:
    """Streams that end together, with the supergraph that they are of."""

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()

    async def until_retired(self, results: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The results. Raises Ended where the supergraph is served no more."""
        until: asyncio.Timeout | None = None
        try:
            async with asyncio.timeout(None) as until, aclosing(results):
                self._open.add(until)
                async for result in results:
                    yield result
        except TimeoutError:
            if until is None or not until.expired():
                raise
            raise supergraph_changed() from None
        finally:
            if until is not None:
                self._open.discard(until)
            # It knows its task, which keeps what cancelled it, which keeps this frame.
            until = None

    def retire(self) -> None:
        while self._open:
            until = self._open.pop()
            until.reschedule(asyncio.get_running_loop().time())
