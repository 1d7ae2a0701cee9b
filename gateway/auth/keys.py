"""Verification keys: the development key, or the identity provider's, fetched and refreshed."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWKSetError

FETCH_SECONDS: Final = 5
FRESH_SECONDS: Final = 300
RETRY_SECONDS: Final = 10

Algorithms = tuple[str, ...]
PROVIDER_ALGORITHMS: Final[Algorithms] = ("RS256", "ES256", "EdDSA")
DEVELOPMENT_ALGORITHMS: Final[Algorithms] = ("HS256",)

Fetch = Callable[[str], Awaitable[dict[str, Any]]]


class KeysUnavailable(Exception):
    """The identity provider's keys cannot be had: whoever asks is not refused but cannot be known."""


async def fetch_json(url: str) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as answer:
        answer.raise_for_status()
        found: dict[str, Any] = await answer.json()
        return found


@dataclass(slots=True)
class ProviderKeys:
    """A JWKS by URL: fetched once, again after five minutes, and for a key id that it does not hold yet."""

    url: str
    fetch: Fetch = fetch_json
    _keys: dict[str, PyJWK] = field(default_factory=dict)
    _fetched_at: float = -FRESH_SECONDS
    _tried_at: float = -FRESH_SECONDS

    async def get(self, key_id: str | None) -> PyJWK | None:
        """The key, or None where the provider has none of this id. Raises KeysUnavailable."""
        now = time.monotonic()
        stale = now - self._fetched_at > FRESH_SECONDS or key_id not in self._keys
        if stale and now - self._tried_at > RETRY_SECONDS:
            self._tried_at = now
            await self._refresh()
        if not self._keys:
            raise KeysUnavailable("The identity provider's keys cannot be read now.")
        return self._keys.get(key_id or "")

    async def _refresh(self) -> None:
        try:
            found = PyJWKSet.from_dict(await self.fetch(self.url))
        except (aiohttp.ClientError, TimeoutError, ValueError, PyJWKSetError):
            return
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._fetched_at = time.monotonic()
