"""How an operation or a stream ends without its result: refused before it ran, or ended by the server."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The operation cannot be run, or not any longer. `body` is the response: `errors` without `data`."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__()
        self.body = body


class Ended(Exception):
    """The server ends a stream. A websocket closes with `close_code`; an event stream ends with an error of `code`."""

    def __init__(self, close_code: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.close_code = close_code
        self.code = code


# A new exception each time: one that is raised again keeps the frames that it was raised in before.


def supergraph_changed() -> Ended:
    return Ended(1012, "SUPERGRAPH_CHANGED", "The supergraph has changed: subscribe again.")


def too_slow() -> Ended:
    return Ended(1013, "TOO_SLOW", "Results waited too long for this subscriber, which reads too slowly.")


def server_stopping() -> Ended:
    return Ended(1001, "STOPPING", "The server stops: connect again.")


def unauthenticated(sentence: str) -> Ended:
    return Ended(4403, "UNAUTHENTICATED", sentence)


def token_expired() -> Ended:
    return unauthenticated("The token has expired: log in again.")


def state_lost() -> Ended:
    return Ended(4410, "READ_ANEW", "Changes were missed: read the state anew, then subscribe.")
