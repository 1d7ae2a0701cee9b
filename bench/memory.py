"""`python -m bench memory`: one process under many mixed requests; does its memory stay flat?"""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench import progress, report
from bench.dataset import Dataset, token
from bench.executor import UNBOUNDED, Failed
from bench.goals import MEMORY_MIB
from bench.load import Ask, Bounds, run
from bench.operations import OPERATIONS, right
from bench.process import serving
from bench.rounds import CONNECTIONS
from bench.targets import Target

SAMPLES: Final = 20
NEW_EVERY: Final = 8
"""One of so many requests is a document that was never seen before: caches are driven to their bounds."""
FLAT_MIB: Final = 8
"""What the second half of the requests may add."""


@dataclass(frozen=True, slots=True)
class Sample:
    requests: int
    resident_mib: float


def watch(dataset: Dataset, target: Target, requests: int) -> list[Sample]:
    """The process's resident memory at the start and after each twentieth of the requests. Raises Failed."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(serving(target.name, target.command(dataset), logs / "log"))
        bar = stack.enter_context(progress.bar(SAMPLES))
        samples = [Sample(0, server.resident_mib())]
        next_ask = _mixed(dataset, target, server.port).__next__
        for part in range(1, SAMPLES + 1):
            bar.step(f"{samples[-1].resident_mib:.0f} MiB")
            done = run(server.port, next_ask, CONNECTIONS, Bounds(UNBOUNDED, requests // SAMPLES))
            if done.failed:
                raise Failed(f"{done.failed} requests were not answered right; the first: {done.first_failure}")
            samples.append(Sample(part * (requests // SAMPLES), server.resident_mib()))
        bar.step("")
    return samples


def _mixed(dataset: Dataset, target: Target, port: int) -> Iterator[Ask]:
    """The six operations in turn, some of them under a name that no document had before."""
    bearer = token()
    turns = itertools.cycle([target.asks(operation, dataset, port, bearer) for operation in OPERATIONS.values()])
    seldom = _never_seen(dataset, target, port, bearer)
    for number in itertools.count():
        yield next(seldom) if number % NEW_EVERY == 0 else next(turns)()


def _never_seen(dataset: Dataset, target: Target, port: int, bearer: str) -> Iterator[Ask]:
    reads = [(operation, next(operation.ask(dataset))) for operation in OPERATIONS.values() if not operation.is_write]
    for number in itertools.count():
        operation, question = reads[number % len(reads)]
        unseen = operation.renamed(f"Unseen{number}")
        yield Ask(target.request(unseen, question, port, bearer), right(question))


def tables(samples: Sequence[Sample]) -> list[Table]:
    rows = [[f"{sample.requests}", f"{sample.resident_mib:.0f}"] for sample in samples]
    peak, added = peak_mib(samples), added_mib(samples)
    title = (
        f"Resident memory: peak {peak:.0f} MiB (goal ≤ {MEMORY_MIB}{'' if peak <= MEMORY_MIB else ' ✗'}); "
        f"the second half added {added:.1f} MiB ({'flat' if added <= FLAT_MIB else 'not flat'})"
    )
    return [report.table(title, ["requests", "MiB"], rows)]


def peak_mib(samples: Sequence[Sample]) -> float:
    return max(sample.resident_mib for sample in samples)


def added_mib(samples: Sequence[Sample]) -> float:
    return samples[-1].resident_mib - samples[len(samples) // 2].resident_mib


def as_json(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "samples": [asdict(sample) for sample in samples],
        "peak_mib": peak_mib(samples),
        "second_half_added_mib": added_mib(samples),
        "goal_mib": MEMORY_MIB,
    }
