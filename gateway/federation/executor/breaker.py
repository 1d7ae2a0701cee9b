"""When a subgraph is left alone: after failures in a row, or once its error budget is spent."""

import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.federation.executor.endpoint import TransportLimits
from gateway.federation.executor.subgraphs import SubgraphFailed

BUDGET_REQUESTS: Final = 100
_FEWEST: Final = 20
"""So many outcomes are known before a share of them says anything."""


class State(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(slots=True)
class Breaker:
    """Knows the last outcomes; while open, nothing is sent but one request after each pause."""

    limits: TransportLimits
    in_a_row: int = 0
    opened_at: float | None = None
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=BUDGET_REQUESTS))
    """Of the last requests, whether each failed."""

    @property
    def state(self) -> State:
        if self.opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._is_pause_over(time.monotonic()) else State.OPEN

    def check(self) -> None:
        """Raises SubgraphFailed while open; lets one request through once the pause is over."""
        if self.opened_at is None:
            return
        now = time.monotonic()
        if not self._is_pause_over(now):
            raise SubgraphFailed("The subgraph failed too often and is not asked for now.", "SUBGRAPH_UNAVAILABLE")
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
        known = len(self._outcomes)
        return known >= _FEWEST and sum(self._outcomes) * 100 > known * self.limits.budget_percent

    def _is_pause_over(self, now: float) -> bool:
        return self.opened_at is not None and (now - self.opened_at) * 1000 >= self.limits.open_ms
