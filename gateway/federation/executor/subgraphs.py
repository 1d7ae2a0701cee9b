"""What the executor needs of its host: how a subgraph is asked, who asks, and what may be sent to whom."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gateway.federation.authorization import ANONYMOUS, Claims

Object = dict[str, Any]

FAILED: Final = "DOWNSTREAM_SERVICE_ERROR"


class SubgraphFailed(Exception):
    """The subgraph gave no answer that can be used; `code` says how it failed."""

    def __init__(self, message: str, code: str = FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: their claims, their request's headers by lower-case name, and what the host's hooks know them by."""

    claims: Claims = ANONYMOUS
    headers: Mapping[str, str] = field(default_factory=dict)
    viewer: Any = None


NOBODY: Final = Caller()


class Ask(Protocol):
    """Sends a body, `{"query", "variables"}` as JSON, to a subgraph; the answer as an object.

    `kind` is the operation's. Raises SubgraphFailed where there is no answer.
    """

    async def __call__(self, subgraph: str, body: bytes, kind: str, caller: Caller, /) -> Object: ...


class Listen(Protocol):
    """Starts a subscription at a subgraph; each event as an object. Raises SubgraphFailed where it breaks off."""

    def __call__(self, subgraph: str, body: bytes, caller: Caller, /) -> AsyncGenerator[Object, None]: ...


class MaySend(Protocol):
    """Whether each of the representations may be sent to a subgraph; those that may not are null without a request."""

    def __call__(self, subgraph: str, representations: Sequence[Object], caller: Caller, /) -> Sequence[bool]: ...
