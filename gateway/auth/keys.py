"""The identity provider's verification keys: fetched, cached and refreshed."""

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

FetchJson = Callable[[str], Awaitable[dict[str, Any]]]


class KeysUnavailable(Exception):
    """The identity provider's keys cannot be fetched: the client gets 503, because its token may well be valid."""


async def fetch_json(url: str) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as answer:
        answer.raise_for_status()
        found: dict[str, Any] = await answer.json()
        return found


@dataclass(slots=True)
class ProviderKeys:
    """The keys of a JWKS URL.

    They are fetched again after FRESH_SECONDS and for an unknown key id, but at most every RETRY_SECONDS: a client that
    sends tokens with invented key ids causes no more requests. If a fetch fails, the keys fetched before stay in use.
    """

    url: str
    fetch: FetchJson = fetch_json
    _keys: dict[str, PyJWK] = field(default_factory=dict)
    _fetched_at: float = -FRESH_SECONDS
    _tried_at: float = -FRESH_SECONDS

    async def find_key(self, key_id: str | None) -> PyJWK | None:
        """Returns the key, or None if the provider has no key with this id. Raises KeysUnavailable."""
        now = time.monotonic()
        stale = now - self._fetched_at > FRESH_SECONDS or key_id not in self._keys
        if stale and now - self._tried_at > RETRY_SECONDS:
            self._tried_at = now
            await self._fetch_keys()
        if not self._keys:
            raise KeysUnavailable("The identity provider's keys cannot be read now.")
        return self._keys.get(key_id or "")

    async def _fetch_keys(self) -> None:
        try:
            found = PyJWKSet.from_dict(await self.fetch(self.url))
        except (aiohttp.ClientError, TimeoutError, ValueError, PyJWKSetError):
            return
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._fetched_at = time.monotonic()
