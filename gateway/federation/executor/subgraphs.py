"""The protocols between the executor and its host: ask a subgraph, listen to it, and decide what may be sent to it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import orjson

from gateway.federation.authorization import ANONYMOUS, Claims

Object = dict[str, Any]
"""A JSON object."""

FAILED: Final = "DOWNSTREAM_SERVICE_ERROR"


class SubgraphFailed(Exception):
    """The subgraph gave no usable answer; `code` is the error code that the client sees."""

    def __init__(self, message: str, code: str = FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """The client that sent the request. The engine hands it to every hook of the host."""

    claims: Claims = ANONYMOUS
    headers: Mapping[str, str] = field(default_factory=dict)
    """The request's headers by lower-case name."""
    context: Any = None
    """The host's own context of the request; the engine does not read it."""


ANONYMOUS_CALLER: Final = Caller()


class SubgraphRequest(NamedTuple):
    """An operation for a subgraph, with its variables.

    It travels as a value: only a transport that sends it over a network encodes it.
    """

    document: str
    kind: str
    """"query", "mutation" or "subscription"."""
    variables: Mapping[str, Any]
    """JSON values by name. Receivers must not change them: the client's variables are shared by all fetches."""
    prefix: bytes
    """The JSON body up to the variables. It is constant for a document, so a plan encodes it once."""

    @classmethod
    def of(cls, document: str, kind: str, variables: Mapping[str, Any]) -> "SubgraphRequest":
        return cls(document, kind, variables, encode_prefix(document))

    def encode(self) -> bytes:
        """Returns the body of an HTTP request: `{"query": …, "variables": …}` as JSON."""
        return b"%b%b}" % (self.prefix, orjson.dumps(self.variables))


def encode_prefix(document: str) -> bytes:
    return b'{"query":' + orjson.dumps(document) + b',"variables":'


class Ask(Protocol):
    """Sends a query or mutation to a subgraph and returns the answer. Raises SubgraphFailed if there is no answer."""

    async def __call__(self, subgraph: str, request: SubgraphRequest, caller: Caller, /) -> Object: ...


class Listen(Protocol):
    """Subscribes at a subgraph and yields each event as an object. Raises SubgraphFailed if the stream breaks off."""

    def __call__(self, subgraph: str, request: SubgraphRequest, caller: Caller, /) -> AsyncGenerator[Object, None]: ...


class MaySend(Protocol):
    """Returns for each representation whether it may be sent to the subgraph.

    The fields of an object that may not be sent are null, without a request.
    """

    async def __call__(self, subgraph: str, representations: Sequence[Object], caller: Caller, /) -> Sequence[bool]: ...


class ShowsMessages(Protocol):
    """Returns whether the caller sees the subgraph's own error messages, which may reveal internals of its owner."""

    def __call__(self, subgraph: str, caller: Caller, /) -> bool: ...


class Sign(Protocol):
    """Returns the headers that prove to a subgraph that the host sent the request.

    HttpTransport sends one query for several callers only if these headers are the same for all of them.
    """

    def __call__(self, subgraph: str, body: bytes, kind: str, caller: Caller, /) -> tuple[tuple[str, str], ...]: ...


def show_messages(subgraph: str, caller: Caller) -> bool:
    """The policy of a host that trusts all its subgraphs (see ShowsMessages)."""
    return True


def hide_messages(subgraph: str, caller: Caller) -> bool:
    """The policy of a host that leaves error messages to the subgraphs' own logs (see ShowsMessages)."""
    return False
