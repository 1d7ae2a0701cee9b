"""The open connections of streams: allowed origins, limits per address and account, and the end of all at a stop."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.types import Scope

from gateway.http.stream import CLOSE_SECONDS
from gateway.operation.refusal import SERVER_STOPS, Ended, Ending

_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    per_address: int = 2_000
    """High, because a portal's server connects for all its users, and a whole office shares one address."""
    per_subject: int = 2_000
    origins: frozenset[str] = frozenset()
    """Allowed besides the host's own; `*` allows all."""


def parse_origins(text: str) -> frozenset[str]:
    """Parse a setting: origins, separated by commas."""
    return frozenset(origin.strip().rstrip("/") for origin in text.split(",") if origin.strip())


@dataclass(slots=True)
class Connections:
    """The open connections of a process."""

    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _ends: set[Callable[[Ended], None]] = field(default_factory=set)
    _is_stopping: bool = False
    _all_closed: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self) -> int:
        return len(self._ends)

    @contextmanager
    def register(self, scope: Scope, end: Callable[[Ended], None]) -> Iterator[None]:
        """Count the connection during the block. Calls `end` when the process stops. Raises Ended above the limit."""
        if self._is_stopping:
            raise Ended(SERVER_STOPS)
        client = scope.get("client")
        with self._count_one("address", client[0] if client else None, self.limits.per_address):
            self._ends.add(end)
            try:
                yield
            finally:
                self._ends.discard(end)
                if self._is_stopping and not self._ends:
                    self._all_closed.set()

    @contextmanager
    def register_subject(self, subject: str | None) -> Iterator[None]:
        """Count the connection for an account during the block. Raises Ended above the limit."""
        with self._count_one("account", subject, self.limits.per_subject):
            yield

    @contextmanager
    def _count_one(self, kind: str, name: str | None, limit: int) -> Iterator[None]:
        if name is None:
            yield
            return
        key = (kind, name)
        if self._counts[key] >= limit:
            raise Ended(Ending(4429, "TOO_MANY_CONNECTIONS", f"More than {limit} connections of one {kind}."))
        self._counts[key] += 1
        try:
            yield
        finally:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    async def stop(self) -> None:
        """End all connections and admit no more. Returns once all are closed, or when their time is over."""
        self._is_stopping = True
        if not self._ends:
            return
        for end in list(self._ends):
            end(Ended(SERVER_STOPS))
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS + 1):
                await self._all_closed.wait()


def is_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page of this origin may connect: the origin is the host's own, or it is allowed.

    Clients that are no browsers send no origin, and may connect.
    """
    if origin is None or origin in allowed or "*" in allowed:
        return True
    try:
        page = urlsplit(origin)
        port = page.port or _DEFAULT_PORTS.get(page.scheme)
        own = urlsplit(f"{page.scheme}://{host}")
        return bool(page.hostname) and (page.hostname, port) == (
            own.hostname,
            own.port or _DEFAULT_PORTS.get(page.scheme),
        )
    except ValueError:
        return False
