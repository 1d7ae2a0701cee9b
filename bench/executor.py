"""`python -m bench executor`: the six operations, ours beside stock Strawberry, hand-written REST and Node."""

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench import agreement, progress, report
from bench.dataset import Dataset, token
from bench.goals import GOALS
from bench.load import Bounds
from bench.operations import WITH_BARE, Operation
from bench.process import Server, serving
from bench.rounds import CONNECTIONS, Cost, Measured, measure, steps
from bench.targets import OURS, Target

WARM_SECONDS: Final = 3.0
TOLERATED_SHARE: Final = 0.02
"""More wrong answers than that end the run at once; fewer, a stall of the machine, are told at its end."""
UNBOUNDED: Final = 10**9

Results = dict[tuple[str, str], Measured]
"""By operation and target."""
Running = Sequence[tuple[Target, Server]]


@dataclass(frozen=True, slots=True)
class Plan:
    operations: Sequence[Operation]
    targets: Sequence[Target]
    rounds: int
    seconds: float
    writes: int
    """Follow-ups in one run: a count and not a time, since every one makes the documents longer."""
    connections: int = CONNECTIONS


class Failed(Exception):
    """Requests were not answered right; the sentence says how many and shows the first."""


def compare(dataset: Dataset, plan: Plan) -> Results:
    """Checks that all give the same, warms all, measures in rounds. Raises Disagreement, NotServing, Failed."""
    bearer = token()
    with _running(dataset, plan.targets) as running:
        for operation in plan.operations:
            progress.STDERR.print(f"{operation.name}: do all give the same data?", highlight=False)
            agreement.check(operation, dataset, running, bearer)
        return _measured(dataset, plan, running, bearer)


def _measured(dataset: Dataset, plan: Plan, running: Running, bearer: str) -> Results:
    results: Results = {}
    todo = steps(plan.rounds, plan.operations, running)
    with progress.bar(len(todo)) as bar:
        for step in todo:
            operation, (target, server) = step.thing, step.item
            bar.step(f"{step.what}: {operation.name} {target.name}")
            cost = _cost(dataset, plan, operation, target, server, bearer, warming=step.turn == 0)
            if step.turn:
                _check(cost, operation, target)
                results.setdefault((operation.name, target.name), Measured()).rounds.append(cost)
        bar.step("")
    return results


@contextmanager
def _running(dataset: Dataset, targets: Sequence[Target]) -> Iterator[Running]:
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        yield [
            (target, stack.enter_context(serving(target.name, target.command(dataset), logs / f"{target.name}.log")))
            for target in targets
        ]


def _cost(
    dataset: Dataset, plan: Plan, operation: Operation, target: Target, server: Server, bearer: str, *, warming: bool
) -> Cost:
    seconds = min(plan.seconds, WARM_SECONDS) if warming else plan.seconds
    bounds = Bounds(UNBOUNDED, plan.writes) if operation.is_write else Bounds(seconds, UNBOUNDED)
    return measure(server, target.asks(operation, dataset, server.port, bearer), bounds, plan.connections)


def _check(cost: Cost, operation: Operation, target: Target) -> None:
    if cost.failed > cost.requests * TOLERATED_SHARE:
        raise Failed(
            f"{cost.failed} of {cost.requests} requests of {operation.name} to {target.name} were not answered right; "
            f"the first: {cost.first_failure}"
        )


def tables(plan: Plan, results: Results) -> list[Table]:
    names = [operation.name for operation in plan.operations]
    peers = [target.name for target in plan.targets]
    found = [
        report.table(
            "Server CPU, ms per request",
            ["", *names],
            ([peer, *(f"{results[name, peer].cpu_ms:.2f}" for name in names)] for peer in peers),
        ),
        report.table(
            "Requests per second · p50 / p99 ms",
            ["", *names],
            ([peer, *(results[name, peer].pace for name in names)] for peer in peers),
        ),
    ]
    if OURS in peers and len(peers) > 1:
        rows = [[peer, *(_ratio(results, name, peer) for name in names)] for peer in peers if peer != OURS]
        title = "How many times our CPU goes into a peer's (the goal; ✗ where it is missed)"
        found.insert(1, report.table(title, ["", *names], rows))
    return found


def ratio(results: Results, operation: str, peer: str) -> float:
    return results[operation, peer].times(results[operation, OURS])


def _ratio(results: Results, operation: str, peer: str) -> str:
    found, goal = ratio(results, operation, peer), GOALS.get(peer, {}).get(operation)
    if goal is None:
        return f"{found:.2f}"
    return f"{found:.2f} (≥ {goal:g}{'' if found >= goal else ' ✗'})"


def verdict(results: Results) -> str:
    """Which goals are missed, in a sentence; empty where no goal was measured."""
    measured = [
        (name, peer, ratio(results, name, peer), GOALS[peer][name])
        for name, peer in results
        if (name, OURS) in results and name in GOALS.get(peer, {})
    ]
    missed = [f"{peer} {name} {found:.2f} (≥ {goal:g})" for name, peer, found, goal in measured if found < goal]
    if not measured:
        return ""
    return f"{len(missed)} of {len(measured)} goals are missed{': ' if missed else ''}{', '.join(missed)}."


def failures(results: Results) -> str:
    """What was not answered right, in a sentence; empty where everything was."""
    failed = {key: measured.failed for key, measured in results.items() if measured.failed}
    return ", ".join(f"{number} requests of {name} to {peer}" for (name, peer), number in failed.items())


def as_json(plan: Plan, results: Results) -> dict[str, Any]:
    peers = [target.name for target in plan.targets]
    ratios = {
        f"{name} {peer}": {"ratio": ratio(results, name, peer), "goal": GOALS.get(peer, {}).get(name)}
        for name, peer in results
        if OURS in peers and peer != OURS
    }
    return {
        "seconds": plan.seconds,
        "results": [
            {"operation": name, "target": peer, "rounds": [dataclasses.asdict(cost) for cost in measured.rounds]}
            for (name, peer), measured in results.items()
        ],
        "ratios": ratios,
    }


def chosen(only: Sequence[str], targets: Sequence[Target]) -> tuple[list[Operation], list[Target]]:
    """What `--only` names: operations, targets or both; everything of a kind that it names none of."""
    operations = [operation for operation in WITH_BARE.values() if operation.name in only]
    named = [target for target in targets if target.name in only]
    unknown = set(only) - {operation.name for operation in operations} - {target.name for target in named}
    if unknown:
        known = [*WITH_BARE, *(target.name for target in targets)]
        raise LookupError(f"There is no {', '.join(sorted(unknown))}: choose from {', '.join(known)}.")
    return operations or list(WITH_BARE.values()), named or list(targets)
