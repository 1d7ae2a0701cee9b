"""Where a subgraph is, how it is spoken to, and how much of it is borne."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.federation.executor.subgraphs import Caller


class StreamProtocol(StrEnum):
    WEBSOCKET = "ws"
    EVENTS = "sse"


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """How a subgraph is subscribed to; an empty URL is that of its queries."""

    protocol: StreamProtocol = StreamProtocol.WEBSOCKET
    url: str = ""


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """For each subgraph: how long it may take, how much it may answer, how many requests it gets at once."""

    timeout_ms: int = 10_000
    response_bytes: int = 16 * 1024 * 1024
    connections: int = 64
    waiting: int = 1_000
    """So many more may wait for their turn; the next are told at once that it is too much."""
    failures_to_open: int = 10
    """So many failures in a row, and it is not asked for `open_ms`."""
    budget_percent: int = 50
    """As where more of the last 100 requests failed than these."""
    open_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a subgraph is, and what it is sent besides bodies."""

    url: str
    limits: TransportLimits = TransportLimits()
    tls: ssl.SSLContext | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every request."""
    propagated: tuple[str, ...] = ()
    """Lower-case names of the caller's headers that it gets too."""

    stream: StreamAddress = field(default_factory=StreamAddress)

    def headers_for(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        """What is sent with the caller's request besides what every request has."""
        given = caller.headers
        return self.headers + tuple((name, given[name]) for name in self.propagated if name in given)
