"""Who is connected for streams: from where they may be, how many at once, and how all learn that the process stops."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.types import Scope

from gateway.http.subscribe import CLOSE_SECONDS, Ended, stopping

_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    per_address: int = 2_000
    """A portal's server connects for all of its users, and an office is behind one address."""
    per_subject: int = 2_000
    origins: frozenset[str] = frozenset()
    """Besides the host's own; `*` stands for all."""


def origins(text: str) -> frozenset[str]:
    """Those that a setting names, with commas between."""
    return frozenset(origin.strip().rstrip("/") for origin in text.split(",") if origin.strip())


@dataclass(slots=True)
class Connections:
    """The open connections of a process."""

    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _ends: set[Callable[[Ended], None]] = field(default_factory=set)
    _is_stopping: bool = False
    _none_is_open: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self) -> int:
        return len(self._ends)

    @contextmanager
    def opened(self, scope: Scope, end: Callable[[Ended], None]) -> Iterator[None]:
        """While it is open; `end` is called when the process stops. Raises Ended."""
        if self._is_stopping:
            raise stopping()
        client = scope.get("client")
        with self._counted("address", client[0] if client else None, self.limits.per_address):
            self._ends.add(end)
            try:
                yield
            finally:
                self._ends.discard(end)
                if self._is_stopping and not self._ends:
                    self._none_is_open.set()

    @contextmanager
    def held_by(self, subject: str | None) -> Iterator[None]:
        """While somebody has it. Raises Ended."""
        with self._counted("account", subject, self.limits.per_subject):
            yield

    @contextmanager
    def _counted(self, kind: str, name: str | None, limit: int) -> Iterator[None]:
        if name is None:
            yield
            return
        key = (kind, name)
        if self._counts[key] >= limit:
            raise Ended(4429, "TOO_MANY_CONNECTIONS", f"More than {limit} connections of one {kind}.")
        self._counts[key] += 1
        try:
            yield
        finally:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    async def stop(self) -> None:
        """Ends them all, and takes no more; returns once all have been told, or do not listen."""
        self._is_stopping = True
        if not self._ends:
            return
        for end in list(self._ends):
            end(stopping())
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS + 1):
                await self._none_is_open.wait()


def is_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page of the origin may connect: one of the host itself, or of an origin that is allowed.

    What is no browser sends none.
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
