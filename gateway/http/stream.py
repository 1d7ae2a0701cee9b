"""What the transports of streams share: how a caller is admitted, how operations are run, how much may wait."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from gateway.operation.prepared import Asker, Body
from gateway.operation.request import GraphQLRequest

QUEUED_RESULTS: Final = 100
"""Results that may wait for a slow client: they take memory that all clients share."""
ROOM_SECONDS: Final = 5.0
"""How long one more result waits for room in that queue. Then the client is disconnected."""
CLOSE_SECONDS: Final = 5.0
"""How long the reason of an end waits to be sent. A client that reads nothing does not receive it."""


class Admission(NamedTuple):
    """A connected caller: who they are, until when, and as which account their connections are counted."""

    asker: Asker
    expires_at: float | None = None
    """In seconds of Unix time; None: never."""
    subject: str | None = None


class Admit(Protocol):
    """Admits a websocket by the payload of connection_init and the headers of its handshake. Raises Ended."""

    async def __call__(self, payload: Mapping[str, Any], headers: Mapping[str, str], /) -> Admission: ...


class Subscribe(Protocol):
    """Runs one operation: yields a result for each event, or one result for a query or a mutation.

    Raises Refused before the first result, or in place of a further one, and Ended where the connection cannot go on.
    """

    def __call__(self, request: GraphQLRequest, asker: Asker, /) -> AsyncGenerator[Body, None]: ...
