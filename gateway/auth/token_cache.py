"""Caches verified tokens, so that a client's token is not verified for each of its requests."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.auth.tokens import Verify, read_expiry
from resolvers.viewer import Viewer

MAX_TOKENS: Final = 10_000
MAX_SECONDS: Final = 60.0
"""A token stays valid this long after the provider has withdrawn its key, but never longer than its own expiry."""


@dataclass(slots=True)
class TokenCache:
    """Wraps a verifier. Keeps digests instead of tokens, and no refusals; drops the oldest entry above MAX_TOKENS."""

    verify: Verify
    now: Callable[[], float] = time.time
    _viewers: OrderedDict[bytes, tuple[Viewer, float]] = field(default_factory=OrderedDict)

    async def __call__(self, token: str) -> Viewer:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._viewers.get(digest)
        if known is not None and self.now() < known[1]:
            return known[0]
        viewer = await self.verify(token)
        self._viewers[digest] = (viewer, min(read_expiry(token), self.now() + MAX_SECONDS))
        self._viewers.move_to_end(digest)
        if len(self._viewers) > MAX_TOKENS:
            self._viewers.popitem(last=False)
        return viewer
