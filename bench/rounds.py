"""Interleaved rounds: each round measures every target in turn, and targets are compared within a round.

So a machine that gets slower during a run changes no ratio.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

from bench.load import Bounds, NextRequest, run_load
from bench.process import TICK_SECONDS, Server

CONNECTIONS: Final = 16

Thing = TypeVar("Thing")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Cost:
    """The costs per request of one run."""

    cpu_ms: float
    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int
    failed: int = 0
    first_failure: str | None = None


@dataclass(slots=True)
class MeasuredRounds:
    """The costs of one target at one operation, one for each round."""

    rounds: list[Cost] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        return statistics.median(cost.cpu_ms for cost in self.rounds)

    @property
    def pace(self) -> str:
        """Requests per second and latencies, in the form of the tables."""
        per_second = statistics.median(cost.per_second for cost in self.rounds)
        p50, p99 = (statistics.median(getattr(cost, name) for cost in self.rounds) for name in ("p50_ms", "p99_ms"))
        return f"{per_second:.0f} · {p50:.1f} / {p99:.1f}"

    @property
    def failed(self) -> int:
        return sum(cost.failed for cost in self.rounds)

    def compare_cpu(self, reference: "MeasuredRounds") -> float:
        """Returns this CPU divided by the reference's: the median of the rounds' ratios."""
        pairs = zip(self.rounds, reference.rounds, strict=True)
        return statistics.median(own.cpu_ms / other.cpu_ms for own, other in pairs)


def measure(server: Server, next_request: NextRequest, bounds: Bounds, connections: int) -> Cost:
    before = server.read_cpu_seconds()
    done = run_load(server.port, next_request, connections, bounds)
    # At least one tick, because the cost may be a divisor.
    cpu = max(server.read_cpu_seconds() - before, TICK_SECONDS)
    return Cost(
        cpu_ms=cpu * 1000 / done.requests,
        per_second=done.per_second,
        p50_ms=done.percentile_ms(0.5),
        p99_ms=done.percentile_ms(0.99),
        requests=done.requests,
        failed=done.failed,
        first_failure=done.first_failure,
    )


class Step(NamedTuple, Generic[Thing, Item]):
    """One run of an item at a thing. Turn 0 warms up and is not counted."""

    turn: int
    thing: Thing
    item: Item

    @property
    def what(self) -> str:
        return f"round {self.turn}" if self.turn else "warming up"


def plan_steps(rounds: int, things: Iterable[Thing], items: Sequence[Item]) -> list[Step[Thing, Item]]:
    """Returns all runs in order. Each round starts with the next item, so that none is always first."""
    named = list(things)
    return [
        Step(turn, thing, items[(index + turn) % len(items)])
        for turn in range(rounds + 1)
        for thing in named
        for index in range(len(items))
    ]
