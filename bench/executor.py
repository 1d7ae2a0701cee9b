"""`python -m bench executor`: measures the six operations on ours, stock Strawberry, hand-written REST and Node."""

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench import agreement, progress, report
from bench.dataset import Dataset, mint_token
from bench.goals import GOALS
from bench.load import Bounds
from bench.operations import WITH_BARE, Operation
from bench.process import Server, start_server
from bench.rounds import CONNECTIONS, Cost, MeasuredRounds, measure, plan_steps
from bench.targets import OURS, Target

WARM_SECONDS: Final = 3.0
TOLERATED_SHARE: Final = 0.02
"""A larger share of wrong answers ends the run; fewer (the machine stalled) are reported at its end."""
UNBOUNDED: Final = 10**9

Results = dict[tuple[str, str], MeasuredRounds]
"""By (operation, target)."""
Running = Sequence[tuple[Target, Server]]


@dataclass(frozen=True, slots=True)
class Plan:
    operations: Sequence[Operation]
    targets: Sequence[Target]
    rounds: int
    seconds: float
    writes: int
    """Follow-ups in one run. A number and not a duration, because each one makes the documents longer."""
    connections: int = CONNECTIONS


class Failed(Exception):
    """Answers were wrong; the message says how many and shows the first."""


def compare(dataset: Dataset, plan: Plan) -> Results:
    """Checks that all targets give the same data, warms them up, and measures in interleaved rounds.

    Raises Disagreement, NotServing, Failed.
    """
    bearer = mint_token()
    with _start_servers(dataset, plan.targets) as running:
        for operation in plan.operations:
            progress.STDERR.print(f"{operation.name}: do all give the same data?", highlight=False)
            agreement.check(operation, dataset, running, bearer)
        return _measure_rounds(dataset, plan, running, bearer)


def _measure_rounds(dataset: Dataset, plan: Plan, running: Running, bearer: str) -> Results:
    results: Results = {}
    todo = plan_steps(plan.rounds, plan.operations, running)
    with progress.show_bar(len(todo)) as bar:
        for step in todo:
            operation, (target, server) = step.thing, step.item
            bar.step(f"{step.what}: {operation.name} {target.name}")
            cost = _measure_cost(dataset, plan, operation, target, server, bearer, warming=step.turn == 0)
            if step.turn:
                _check_failures(cost, operation, target)
                results.setdefault((operation.name, target.name), MeasuredRounds()).rounds.append(cost)
        bar.step("")
    return results


@contextmanager
def _start_servers(dataset: Dataset, targets: Sequence[Target]) -> Iterator[Running]:
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        yield [
            (
                target,
                stack.enter_context(
                    start_server(target.name, target.make_command(dataset), logs / f"{target.name}.log")
                ),
            )
            for target in targets
        ]


def _measure_cost(
    dataset: Dataset, plan: Plan, operation: Operation, target: Target, server: Server, bearer: str, *, warming: bool
) -> Cost:
    seconds = min(plan.seconds, WARM_SECONDS) if warming else plan.seconds
    bounds = Bounds(UNBOUNDED, plan.writes) if operation.is_write else Bounds(seconds, UNBOUNDED)
    return measure(server, target.make_requests(operation, dataset, server.port, bearer), bounds, plan.connections)


def _check_failures(cost: Cost, operation: Operation, target: Target) -> None:
    if cost.failed > cost.requests * TOLERATED_SHARE:
        raise Failed(
            f"{cost.failed} of {cost.requests} requests of {operation.name} to {target.name} were not answered right; "
            f"the first: {cost.first_failure}"
        )


def make_tables(plan: Plan, results: Results) -> list[Table]:
    names = [operation.name for operation in plan.operations]
    peers = [target.name for target in plan.targets]
    found = [
        report.make_table(
            "Server CPU, ms per request",
            ["", *names],
            ([peer, *(f"{results[name, peer].cpu_ms:.2f}" for name in names)] for peer in peers),
        ),
        report.make_table(
            "Requests per second · p50 / p99 ms",
            ["", *names],
            ([peer, *(results[name, peer].pace for name in names)] for peer in peers),
        ),
    ]
    if OURS in peers and len(peers) > 1:
        rows = [[peer, *(_format_ratio(results, name, peer) for name in names)] for peer in peers if peer != OURS]
        title = "How many times our CPU goes into a peer's (the goal; ✗ where it is missed)"
        found.insert(1, report.make_table(title, ["", *names], rows))
    return found


def compute_ratio(results: Results, operation: str, peer: str) -> float:
    return results[operation, peer].compare_cpu(results[operation, OURS])


def _format_ratio(results: Results, operation: str, peer: str) -> str:
    found, goal = compute_ratio(results, operation, peer), GOALS.get(peer, {}).get(operation)
    if goal is None:
        return f"{found:.2f}"
    return f"{found:.2f} (≥ {goal:g}{'' if found >= goal else ' ✗'})"


def judge_goals(results: Results) -> str:
    """Returns a sentence with the missed goals; empty if no goal was measured."""
    measured = [
        (name, peer, compute_ratio(results, name, peer), GOALS[peer][name])
        for name, peer in results
        if (name, OURS) in results and name in GOALS.get(peer, {})
    ]
    missed = [f"{peer} {name} {found:.2f} (≥ {goal:g})" for name, peer, found, goal in measured if found < goal]
    if not measured:
        return ""
    return f"{len(missed)} of {len(measured)} goals are missed{': ' if missed else ''}{', '.join(missed)}."


def describe_failures(results: Results) -> str:
    """Returns the numbers of wrong answers; empty if there are none."""
    failed = {key: measured.failed for key, measured in results.items() if measured.failed}
    return ", ".join(f"{number} requests of {name} to {peer}" for (name, peer), number in failed.items())


def results_to_json(plan: Plan, results: Results) -> dict[str, Any]:
    peers = [target.name for target in plan.targets]
    ratios = {
        f"{name} {peer}": {"ratio": compute_ratio(results, name, peer), "goal": GOALS.get(peer, {}).get(name)}
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


def choose_targets(only: Sequence[str], targets: Sequence[Target]) -> tuple[list[Operation], list[Target]]:
    """Returns the operations and targets that `--only` names; all of a kind if it names none. Raises LookupError."""
    operations = [operation for operation in WITH_BARE.values() if operation.name in only]
    named = [target for target in targets if target.name in only]
    unknown = set(only) - {operation.name for operation in operations} - {target.name for target in named}
    if unknown:
        known = [*WITH_BARE, *(target.name for target in targets)]
        raise LookupError(f"There is no {', '.join(sorted(unknown))}: choose from {', '.join(known)}.")
    return operations or list(WITH_BARE.values()), named or list(targets)
