"""`python -m bench growth`: what more complaints cost; a server for each size, over one mongod, asked in turn."""

import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from rich.table import Table

from bench import progress, report
from bench.dataset import Dataset, token
from bench.executor import UNBOUNDED, Failed
from bench.goals import GROWTH
from bench.load import Ask, Bounds, NextAsk, ask_once, http_request
from bench.operations import LONG_PAGE, OPERATIONS, PAGE, Variables, document, without_errors
from bench.process import Server, cpu_seconds, serving
from bench.rounds import measure, steps
from bench.targets import Target

BOUNDED: Final = ("Q2", "last page", "Q4")
"""Where an index or the register's own size bounds the work: the goal holds."""


@dataclass(frozen=True, slots=True)
class Point:
    """One size at one thing: the time of an answer, and of it the CPU of server and database."""

    p50_ms: float
    cpu_ms: float
    mongod_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset and the server over it."""

    dataset: Dataset
    target: Target
    server: Server
    bearer: str

    def asking(self, name: str, variables: Variables) -> bytes:
        body = {"query": document(name), "variables": variables}
        return http_request("POST", "/graphql", port=self.server.port, token=self.bearer, body=body)

    def again(self, name: str, variables: Variables, is_right: Callable[[Any], bool]) -> NextAsk:
        check = without_errors(lambda data: is_right(data["complaints"]))
        return itertools.repeat(Ask(self.asking(name, variables), check)).__next__


Results = dict[tuple[str, int], list[Point]]
"""By what was asked and how many complaints there are."""


def compare(datasets: Sequence[Dataset], target: Target, rounds: int, seconds: float) -> Results:
    """Raises Failed, NotServing."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bearer = token()
        places = [
            Place(
                dataset,
                target,
                stack.enter_context(serving(dataset.name, target.command(dataset), logs / dataset.name)),
                bearer,
            )
            for dataset in datasets
        ]
        asked = [(place, dict(_asks(place))) for place in places]
        names = list(asked[0][1])
        results: Results = {(name, place.dataset.complaints): [] for name in names for place in places}
        todo = steps(rounds, names, asked)
        bar = stack.enter_context(progress.bar(len(todo)))
        for step in todo:
            name, (place, asks) = step.thing, step.item
            bar.step(f"{step.what}: {name} {place.dataset.complaints}")
            point = _point(place, asks[name], seconds)
            if step.turn:
                results[name, place.dataset.complaints].append(point)
        bar.step("")
    return results


def _asks(place: Place) -> Iterator[tuple[str, NextAsk]]:
    for name in ("Q2", "Q3", "Q4"):
        yield name, place.target.asks(OPERATIONS[name], place.dataset, place.server.port, place.bearer)
    end = orjson.loads(ask_once(place.server.port, place.asking("page", {"last": LONG_PAGE})))
    cursor = end["data"]["complaints"]["pageInfo"]["startCursor"]
    yield "first page", place.again("page", {"first": PAGE}, _is_full)
    yield "last page", place.again("page", {"first": PAGE, "after": cursor}, _is_full)
    province, status, _ = place.dataset.pages[0]
    yield (
        "count of a province and status",
        place.again("count", {"filter": {"region": [province], "status": [status]}}, _any),
    )
    yield "count of all", place.again("count", {}, _any)


def _is_full(connection: Any) -> bool:
    return len(connection["nodes"]) == PAGE


def _any(connection: Any) -> bool:
    """A count that ran out of its time is null, which is an answer too."""
    return "totalCount" in connection


def _point(place: Place, next_ask: NextAsk, seconds: float) -> Point:
    mongod = place.dataset.mongod_pid()
    before = cpu_seconds(mongod)
    cost = measure(place.server, next_ask, Bounds(seconds, UNBOUNDED), connections=1)
    if cost.failed:
        raise Failed(f"{cost.failed} requests at {place.dataset.name} were not answered right: {cost.first_failure}")
    return Point(cost.p50_ms, cost.cpu_ms, (cpu_seconds(mongod) - before) * 1000 / cost.requests)


def tables(results: Results) -> list[Table]:
    names = list(dict.fromkeys(name for name, _ in results))
    sizes = sorted({size for _, size in results})
    head = ["", *(f"{size:,}".replace(",", " ") for size in sizes), "largest ÷ smallest"]
    rows = [[name, *(_cell(results[name, size]) for size in sizes), _growth(results, name, sizes)] for name in names]
    return [
        report.table("ms for an answer (of which CPU of the server + of mongod), one request at a time", head, rows)
    ]


def _median(points: Sequence[Point], of: Callable[[Point], float]) -> float:
    return statistics.median(of(point) for point in points)


def _cell(points: Sequence[Point]) -> str:
    p50, cpu = _median(points, lambda point: point.p50_ms), _median(points, lambda point: point.cpu_ms)
    return f"{p50:.2f} ({cpu:.2f} + {_median(points, lambda point: point.mongod_cpu_ms):.2f})"


def growth(results: Results, name: str, smallest: int, largest: int) -> float:
    pairs = zip(results[name, largest], results[name, smallest], strict=True)
    return statistics.median(large.p50_ms / small.p50_ms for large, small in pairs)


def _growth(results: Results, name: str, sizes: Sequence[int]) -> str:
    found = growth(results, name, sizes[0], sizes[-1])
    if name not in BOUNDED:
        return f"{found:.2f}"
    return f"{found:.2f} (≤ {GROWTH:g}{'' if found <= GROWTH else ' ✗'})"


def as_json(results: Results) -> dict[str, Any]:
    return {
        "results": [
            {"asked": name, "complaints": size, "rounds": [asdict(point) for point in points]}
            for (name, size), points in results.items()
        ]
    }
