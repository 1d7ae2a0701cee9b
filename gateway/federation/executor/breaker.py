"""Circuit breaker: stops requests to a subgraph after failures in a row, or when its error budget is spent.

CLOSED: every request passes. OPEN: none passes for `open_ms`. HALF_OPEN: the next request passes; it closes the breaker
if it succeeds, otherwise the pause begins again.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.federation.executor.endpoint import TransportLimits
from gateway.federation.executor.subgraphs import SubgraphFailed

BUDGET_REQUESTS: Final = 100
_MIN_OUTCOMES: Final = 20
"""The error budget is not judged by fewer outcomes than these."""


class State(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(slots=True)
class Breaker:
    """The breaker of one subgraph. Call `check` before each request and `note` after it."""

    limits: TransportLimits
    in_a_row: int = 0
    opened_at: float | None = None
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=BUDGET_REQUESTS))
    """For each of the last requests: whether it failed."""

    @property
    def state(self) -> State:
        if self.opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._is_pause_over(time.monotonic()) else State.OPEN

    def check(self) -> None:
        """Raises SubgraphFailed while open. After the pause it lets one request through."""
        if self.opened_at is None:
            return
        now = time.monotonic()
        if not self._is_pause_over(now):
            raise SubgraphFailed("The subgraph failed too often; requests to it are paused.", "SUBGRAPH_UNAVAILABLE")
        # Starts the next pause, so that only this one request is let through until its outcome is known.
        self.opened_at = now

    def note(self, *, failed: bool) -> None:
        self.in_a_row = self.in_a_row + 1 if failed else 0
        self._outcomes.append(failed)
        if not failed and self.opened_at is not None:
            self.opened_at = None
            self._outcomes.clear()
        elif failed and self.opened_at is None and (self.in_a_row >= self.limits.failures_to_open or self._is_spent()):
            self.opened_at = time.monotonic()

    def _is_spent(self) -> bool:
        count = len(self._outcomes)
        return count >= _MIN_OUTCOMES and sum(self._outcomes) * 100 > count * self.limits.budget_percent

    def _is_pause_over(self, now: float) -> bool:
        return self.opened_at is not None and (now - self.opened_at) * 1000 >= self.limits.open_ms
