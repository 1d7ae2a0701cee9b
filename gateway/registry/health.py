"""Records the health of agencies' subgraphs: for the graph's own fields, for metrics, and in the log."""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from gateway.federation.executor.breaker import State
from gateway.federation.executor.subgraphs import SubgraphFailed
from gateway.observability import metrics
from gateway.observability.log import logger
from resolvers.results import SubgraphHealthResult

WINDOW_SECONDS: Final = 60.0
KEPT_REQUESTS: Final = 1_000

_NOT_SENT: Final = {"SUBGRAPH_UNAVAILABLE": "LEFT_ALONE", "SUBGRAPH_BUSY": "SUBGRAPH_BUSY"}
"""Codes of failures without a request, with their label in the metric. They are not logged: they come in masses."""


class _RequestRecord(NamedTuple):
    at: float
    seconds: float
    failed: bool


@dataclass(slots=True)
class _SubgraphRecord:
    seen: deque[_RequestRecord] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    failed_at: datetime | None = None


@dataclass(slots=True)
class SubgraphHealth:
    """The recent requests of this process to each subgraph. `state` returns the state of a circuit breaker."""

    state: Callable[[str], State]
    _subgraphs: dict[str, _SubgraphRecord] = field(default_factory=dict)

    def note(self, subgraph: str, seconds: float, failed: SubgraphFailed | None) -> None:
        """Records a request. Only the log says why a connection failed: publishers must not probe our network."""
        if failed is not None and failed.__cause__ is None and failed.code in _NOT_SENT:
            metrics.subgraph_failures.labels(subgraph, _NOT_SENT[failed.code]).inc()
            return
        kept = self._subgraphs.get(subgraph)
        if kept is None:
            kept = self._subgraphs[subgraph] = _SubgraphRecord()
            metrics.subgraph_breaker_open.labels(subgraph).set_function(partial(self._is_open, subgraph))
        kept.seen.append(_RequestRecord(time.monotonic(), seconds, failed is not None))
        metrics.subgraph_seconds.labels(subgraph).observe(seconds)
        if failed is None:
            return
        kept.failed_at = datetime.now(UTC)
        metrics.subgraph_failures.labels(subgraph, failed.code).inc()
        kind = failed.code if failed.__cause__ is None else type(failed.__cause__).__name__
        logger.warning("subgraph_failed", subgraph=subgraph, kind=kind, ms=round(seconds * 1000))

    def _is_open(self, subgraph: str) -> float:
        return float(self.state(subgraph) is not State.CLOSED)

    def describe(self, subgraph: str) -> SubgraphHealthResult:
        """Returns the fields of the GraphQL type SubgraphHealth, over the last minute."""
        kept = self._subgraphs.get(subgraph) or _SubgraphRecord()
        since = time.monotonic() - WINDOW_SECONDS
        seen = [row for row in kept.seen if row.at >= since]
        milliseconds = sorted(row.seconds * 1000 for row in seen if not row.failed)
        return {
            "state": self.state(subgraph).value,
            "requests": len(seen),
            "failures": sum(row.failed for row in seen),
            "medianMs": _find_percentile(milliseconds, 0.5),
            "p99Ms": _find_percentile(milliseconds, 0.99),
            "failedAt": kept.failed_at,
        }

    def forget_others(self, served: Collection[str]) -> None:
        """Forgets all subgraphs that are not served any more, and their metrics."""
        for subgraph in [name for name in self._subgraphs if name not in served]:
            del self._subgraphs[subgraph]
            metrics.forget_subgraph(subgraph)


def _find_percentile(ascending: Sequence[float], share: float) -> float | None:
    return round(ascending[int(share * (len(ascending) - 1))], 1) if ascending else None
