"""How an operation or a stream ends without its result: refused before it ran, or ended by the server."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Refused(Exception):
    """The operation cannot be run, or not any longer. `body` is the response: `errors` without `data`."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__()
        self.body = body


class Ending(NamedTuple):
    """Why the server ends a stream, and how the client hears it."""

    close_code: int
    """Of a websocket."""
    code: str
    """Of the error that ends an event stream."""
    sentence: str


class Ended(Exception):
    """The server ends a stream."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.sentence)
        self.close_code = ending.close_code
        self.code = ending.code


SUPERGRAPH_CHANGED: Final = Ending(1012, "SUPERGRAPH_CHANGED", "The supergraph has changed: subscribe again.")
TOO_SLOW: Final = Ending(1013, "TOO_SLOW", "Results waited too long for this subscriber, which reads too slowly.")
SERVER_STOPS: Final = Ending(1001, "STOPPING", "The server stops: connect again.")
STATE_LOST: Final = Ending(4410, "READ_ANEW", "Changes were missed: read the state anew, then subscribe.")
TOKEN_EXPIRED: Final = Ending(4403, "UNAUTHENTICATED", "The token has expired: log in again.")
