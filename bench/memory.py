"""`python -m bench memory`: measures whether a process's memory stays flat under many mixed requests."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench import progress, report
from bench.dataset import Dataset, mint_token
from bench.executor import UNBOUNDED, Failed
from bench.goals import MEMORY_MIB
from bench.load import Bounds, CheckedRequest, run_load
from bench.operations import OPERATIONS, make_check
from bench.process import start_server
from bench.rounds import CONNECTIONS
from bench.targets import Target

SAMPLES: Final = 20
NEW_EVERY: Final = 8
"""One in so many requests has a document that the server has never seen, which fills its caches to their bounds."""
FLAT_MIB: Final = 8
"""Most that the second half of the requests may add."""


@dataclass(frozen=True, slots=True)
class Sample:
    requests: int
    resident_mib: float


def measure_memory(dataset: Dataset, target: Target, requests: int) -> list[Sample]:
    """Returns the resident memory at the start and after each twentieth of the requests. Raises Failed."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(start_server(target.name, target.make_command(dataset), logs / "log"))
        bar = stack.enter_context(progress.show_bar(SAMPLES))
        samples = [Sample(0, server.resident_mib())]
        next_request = _generate_mixed(dataset, target, server.port).__next__
        for part in range(1, SAMPLES + 1):
            bar.step(f"{samples[-1].resident_mib:.0f} MiB")
            done = run_load(server.port, next_request, CONNECTIONS, Bounds(UNBOUNDED, requests // SAMPLES))
            if done.failed:
                raise Failed(f"{done.failed} requests were not answered right; the first: {done.first_failure}")
            samples.append(Sample(part * (requests // SAMPLES), server.resident_mib()))
        bar.step("")
    return samples


def _generate_mixed(dataset: Dataset, target: Target, port: int) -> Iterator[CheckedRequest]:
    """Yields the six operations in turn, some under a new operation name, which makes a new document."""
    bearer = mint_token()
    turns = itertools.cycle(
        [target.make_requests(operation, dataset, port, bearer) for operation in OPERATIONS.values()]
    )
    seldom = _generate_unseen(dataset, target, port, bearer)
    for number in itertools.count():
        yield next(seldom) if number % NEW_EVERY == 0 else next(turns)()


def _generate_unseen(dataset: Dataset, target: Target, port: int, bearer: str) -> Iterator[CheckedRequest]:
    reads = [(operation, next(operation.ask(dataset))) for operation in OPERATIONS.values() if not operation.is_write]
    for number in itertools.count():
        operation, question = reads[number % len(reads)]
        unseen = operation.rename(f"Unseen{number}")
        yield CheckedRequest(target.build_request(unseen, question, port, bearer), make_check(question))


def make_tables(samples: Sequence[Sample]) -> list[Table]:
    rows = [[f"{sample.requests}", f"{sample.resident_mib:.0f}"] for sample in samples]
    peak, added = find_peak_mib(samples), compute_added_mib(samples)
    title = (
        f"Resident memory: peak {peak:.0f} MiB (goal ≤ {MEMORY_MIB}{'' if peak <= MEMORY_MIB else ' ✗'}); "
        f"the second half added {added:.1f} MiB ({'flat' if added <= FLAT_MIB else 'not flat'})"
    )
    return [report.make_table(title, ["requests", "MiB"], rows)]


def find_peak_mib(samples: Sequence[Sample]) -> float:
    return max(sample.resident_mib for sample in samples)


def compute_added_mib(samples: Sequence[Sample]) -> float:
    return samples[-1].resident_mib - samples[len(samples) // 2].resident_mib


def samples_to_json(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "samples": [asdict(sample) for sample in samples],
        "peak_mib": find_peak_mib(samples),
        "second_half_added_mib": compute_added_mib(samples),
        "goal_mib": MEMORY_MIB,
    }
