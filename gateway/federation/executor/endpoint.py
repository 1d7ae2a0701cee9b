"""The endpoint of a subgraph: its URL, headers and TLS, its protocol for subscriptions, and its limits."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.federation.executor.subgraphs import Caller


class StreamProtocol(StrEnum):
    WEBSOCKET = "ws"
    EVENTS = "sse"


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where subscriptions are sent, and over which protocol. An empty URL means the URL of queries."""

    protocol: StreamProtocol = StreamProtocol.WEBSOCKET
    url: str = ""


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """Limits for one subgraph."""

    timeout_ms: int = 10_000
    """The time for one request, including the wait for a connection and a retry."""
    response_bytes: int = 16 * 1024 * 1024
    """The largest response, before and after decompression."""
    connections: int = 64
    """Most requests that are sent at the same time."""
    waiting: int = 1_000
    """Most requests that wait for a connection; further ones fail at once with SUBGRAPH_BUSY."""
    failures_to_open: int = 10
    """After this many failures in a row the breaker opens."""
    budget_percent: int = 50
    """The breaker also opens if more than this share of the last 100 requests failed."""
    open_ms: int = 5_000
    """How long the breaker stays open."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests to a subgraph are sent, and what is sent with them."""

    url: str
    limits: TransportLimits = TransportLimits()
    tls: ssl.SSLContext | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that are sent with every request."""
    propagated: tuple[str, ...] = ()
    """Lower-case names of the caller's headers that are passed on."""
    stream: StreamAddress = field(default_factory=StreamAddress)

    def build_headers(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        """Returns the endpoint's own headers and those that are passed on from the caller."""
        headers = caller.headers
        return self.headers + tuple((name, headers[name]) for name in self.propagated if name in headers)
