"""`python -m bench growth`: measures databases of several sizes, with a server for each, over one mongod."""

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
from bench.dataset import Dataset, mint_token
from bench.executor import UNBOUNDED, Failed
from bench.goals import GROWTH
from bench.load import Bounds, CheckedRequest, NextRequest, build_request, request_once
from bench.operations import LONG_PAGE, OPERATIONS, PAGE, Variables, make_data_check, read_document
from bench.process import Server, read_cpu_seconds, start_server
from bench.rounds import measure, plan_steps
from bench.targets import Target

BOUNDED: Final = ("Q2", "last page", "Q4")
"""The goal holds for these: an index or the register's own size bounds their work."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement: the time of an answer, and the CPU of server and database in it."""

    p50_ms: float
    cpu_ms: float
    mongod_cpu_ms: float


@dataclass(frozen=True, slots=True)
class SizedServer:
    """A dataset with its server."""

    dataset: Dataset
    target: Target
    server: Server
    bearer: str

    def build_request(self, name: str, variables: Variables) -> bytes:
        body = {"query": read_document(name), "variables": variables}
        return build_request("POST", "/graphql", port=self.server.port, token=self.bearer, body=body)

    def repeat_request(self, name: str, variables: Variables, is_right: Callable[[Any], bool]) -> NextRequest:
        check = make_data_check(lambda data: is_right(data["complaints"]))
        return itertools.repeat(CheckedRequest(self.build_request(name, variables), check)).__next__


Results = dict[tuple[str, int], list[Point]]
"""By (question, number of complaints)."""


def compare(datasets: Sequence[Dataset], target: Target, rounds: int, seconds: float) -> Results:
    """Raises Failed, NotServing."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        bearer = mint_token()
        places = [
            SizedServer(
                dataset,
                target,
                stack.enter_context(start_server(dataset.name, target.make_command(dataset), logs / dataset.name)),
                bearer,
            )
            for dataset in datasets
        ]
        asked = [(place, dict(_list_questions(place))) for place in places]
        names = list(asked[0][1])
        results: Results = {(name, place.dataset.complaints): [] for name in names for place in places}
        todo = plan_steps(rounds, names, asked)
        bar = stack.enter_context(progress.show_bar(len(todo)))
        for step in todo:
            name, (place, asks) = step.thing, step.item
            bar.step(f"{step.what}: {name} {place.dataset.complaints}")
            point = _measure_point(place, asks[name], seconds)
            if step.turn:
                results[name, place.dataset.complaints].append(point)
        bar.step("")
    return results


def _list_questions(place: SizedServer) -> Iterator[tuple[str, NextRequest]]:
    for name in ("Q2", "Q3", "Q4"):
        yield name, place.target.make_requests(OPERATIONS[name], place.dataset, place.server.port, place.bearer)
    end = orjson.loads(request_once(place.server.port, place.build_request("page", {"last": LONG_PAGE})))
    cursor = end["data"]["complaints"]["pageInfo"]["startCursor"]
    yield "first page", place.repeat_request("page", {"first": PAGE}, _is_full)
    yield "last page", place.repeat_request("page", {"first": PAGE, "after": cursor}, _is_full)
    province, status, _ = place.dataset.pages[0]
    yield (
        "count of a province and status",
        place.repeat_request("count", {"filter": {"region": [province], "status": [status]}}, _has_count),
    )
    yield "count of all", place.repeat_request("count", {}, _has_count)


def _is_full(connection: Any) -> bool:
    return len(connection["nodes"]) == PAGE


def _has_count(connection: Any) -> bool:
    """A count that takes too long is null, which is a valid answer."""
    return "totalCount" in connection


def _measure_point(place: SizedServer, next_request: NextRequest, seconds: float) -> Point:
    mongod = place.dataset.read_mongod_pid()
    before = read_cpu_seconds(mongod)
    cost = measure(place.server, next_request, Bounds(seconds, UNBOUNDED), connections=1)
    if cost.failed:
        raise Failed(f"{cost.failed} requests at {place.dataset.name} were not answered right: {cost.first_failure}")
    return Point(cost.p50_ms, cost.cpu_ms, (read_cpu_seconds(mongod) - before) * 1000 / cost.requests)


def make_tables(results: Results) -> list[Table]:
    names = list(dict.fromkeys(name for name, _ in results))
    sizes = sorted({size for _, size in results})
    head = ["", *(f"{size:,}".replace(",", " ") for size in sizes), "largest ÷ smallest"]
    rows = [
        [name, *(_format_cell(results[name, size]) for size in sizes), _format_growth(results, name, sizes)]
        for name in names
    ]
    return [
        report.make_table(
            "ms for an answer (of which CPU of the server + of mongod), one request at a time", head, rows
        )
    ]


def _find_median(points: Sequence[Point], of: Callable[[Point], float]) -> float:
    return statistics.median(of(point) for point in points)


def _format_cell(points: Sequence[Point]) -> str:
    p50, cpu = _find_median(points, lambda point: point.p50_ms), _find_median(points, lambda point: point.cpu_ms)
    return f"{p50:.2f} ({cpu:.2f} + {_find_median(points, lambda point: point.mongod_cpu_ms):.2f})"


def compute_growth(results: Results, name: str, smallest: int, largest: int) -> float:
    pairs = zip(results[name, largest], results[name, smallest], strict=True)
    return statistics.median(large.p50_ms / small.p50_ms for large, small in pairs)


def _format_growth(results: Results, name: str, sizes: Sequence[int]) -> str:
    found = compute_growth(results, name, sizes[0], sizes[-1])
    if name not in BOUNDED:
        return f"{found:.2f}"
    return f"{found:.2f} (≤ {GROWTH:g}{'' if found <= GROWTH else ' ✗'})"


def results_to_json(results: Results) -> dict[str, Any]:
    return {
        "results": [
            {"asked": name, "complaints": size, "rounds": [asdict(point) for point in points]}
            for (name, size), points in results.items()
        ]
    }
