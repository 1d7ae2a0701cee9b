"""Tokens that were verified a moment ago: the same bearer need not be verified for every request."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.auth.tokens import Verify, expires_at
from resolvers.viewer import Viewer

MAX_TOKENS: Final = 10_000
MAX_SECONDS: Final = 60.0
"""So long a token is taken after the provider has withdrawn its key; its own end it never outlives."""


@dataclass(slots=True)
class Remembered:
    """A verifier before another; it keeps digests of tokens, not tokens, and nothing of what was refused."""

    verify: Verify
    now: Callable[[], float] = time.time
    _viewers: OrderedDict[bytes, tuple[Viewer, float]] = field(default_factory=OrderedDict)

    async def __call__(self, token: str) -> Viewer:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._viewers.get(digest)
        if known is not None and self.now() < known[1]:
            return known[0]
        viewer = await self.verify(token)
        self._viewers[digest] = (viewer, min(expires_at(token), self.now() + MAX_SECONDS))
        self._viewers.move_to_end(digest)
        if len(self._viewers) > MAX_TOKENS:
            self._viewers.popitem(last=False)
        return viewer
