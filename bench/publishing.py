"""`python -m bench publishing`: publishes one version among all agencies' subgraphs, and measures its costs.

CPU counts: composition runs in one child process, but every serving process exchanges its graph, under requests.
"""

import dataclasses
import http.client
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from rich.table import Table

import schema
from bench import progress, report
from bench.dataset import VIEWER, Dataset
from bench.executor import Failed
from bench.load import build_request, request_once
from bench.process import Server, start_server
from bench.targets import Target
from gateway.federation.composition import SubgraphSource
from gateway.registry.check import NATIONAL, Checker, CheckResult, PublishedSubgraph
from gateway.registry.prefixes import assign_prefixes
from resolvers.request.composer import NO_GRAPH, PublishedGraph
from resolvers.store import register

PROBE_SECONDS: Final = 0.002
READY_SECONDS: Final = 120
SERVED_SECONDS: Final = 120
REST_SECONDS: Final = 3
FREED_SECONDS: Final = 20
"""Time after an exchange until the old graph is freed: a request's deadline, and the work itself."""
NOWHERE: Final = "http://127.0.0.1:9/"
IN_PROCESS: Final = "http://national.invalid/"
SDL: Final = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])
scalar DateTime
type Complaint @key(fields: "id") {{
  id: ID! receivedAt: DateTime! @external
  {field}Survey: Int {field}Age: Int @requires(fields: "receivedAt") {field}Visits(first: Int = 5): [{type}Visit!]
}}
type Agency @key(fields: "id") {{ id: ID! {field}Office: String }}
interface LocalCase {{ id: ID! number: String unit: String url: String }}
type {type}LocalCase implements LocalCase @key(fields: "id") {{
  id: ID! number: String unit: String url: String visits(first: Int! = 5): [{type}Visit!]
}}
type {type}Visit {{ on: String! finding: String! state: {type}State complaint: Complaint }}
enum {type}State {{ OPEN CLOSED }}
type Query {{ {field}Version{version}: Int }}
type Mutation {{ {field}PlanVisit(complaint: ID!): Int }}
"""


class Registry:
    """The published subgraphs, and a checker as the composing child has one."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.checker = Checker()
        self.by_agency = assign_prefixes([row["_id"] for row in register.agencies()])
        self.national = SubgraphSource(NATIONAL, IN_PROCESS, schema.print_subgraph_sdl())
        self.version = 0

    def source(self, agency: str, version: int) -> SubgraphSource:
        prefix = self.by_agency[agency]
        return SubgraphSource(agency, NOWHERE, SDL.format(field=prefix.field, type=prefix.type, version=version))

    def check(
        self, standing: Sequence[SubgraphSource], candidate: SubgraphSource, before: PublishedGraph
    ) -> CheckResult:
        """Raises Failed if the candidate could not be published."""
        rows = [PublishedSubgraph(row, self.by_agency[row.name]) for row in standing]
        done = self.checker.check(
            self.national, rows, PublishedSubgraph(candidate, self.by_agency[candidate.name]), before
        )
        if not done.ok:
            raise Failed(f"The agencies' subgraphs do not compose: {done.findings[:3]}")
        return done

    def store(self, sources: Sequence[SubgraphSource], done: CheckResult) -> None:
        """Makes a checked graph live, as a publication does."""
        self.version += 1
        members = {row.name: self.version for row in sources}
        now = datetime.now(UTC)
        with MongoClient[dict[str, Any]](self.dataset.uri) as client:
            database = client[self.dataset.name]
            database.subgraph_versions.insert_many(
                {"_id": f"{row.name}@{self.version}", "agency": row.name, "version": self.version, "url": row.url}
                | {"sdl": row.sdl, "publishedAt": now, "publishedBy": None}
                for row in sources
            )
            live = {"version": self.version, "sdl": done.supergraph_sdl, "apiSchema": done.api_schema}
            live |= {"composedAt": now, "processed": [], "members": members}
            database.supergraphs.update_one({"_id": "live"}, {"$set": live}, upsert=True)


@dataclass(slots=True)
class Result:
    """CPU seconds, except `served` (wall time). Latencies are of /healthz: idle, during exchanges, after the last."""

    agencies: int
    first_check: float = 0.0
    checks: list[float] = field(default_factory=list)
    exchanges: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    idle_ms: list[float] = field(default_factory=list)
    exchange_ms: list[float] = field(default_factory=list)
    freeing_ms: list[float] = field(default_factory=list)
    sdl_bytes: int = 0
    resident_mib: float = 0.0


def measure(dataset: Dataset, target: Target, agencies: int, rounds: int) -> Result:
    """Raises Failed, NotServing."""
    forget_subgraphs(dataset)
    registry, result, own = Registry(dataset), Result(agencies), str(VIEWER.agency)
    others = [row["_id"] for row in register.agencies() if row["connected"] and row["_id"] != own]
    standing = [registry.source(agency, 0) for agency in others[: agencies - 1]]
    began = time.process_time()
    done = registry.check(standing, registry.source(own, 0), NO_GRAPH)
    result.first_check, result.sdl_bytes = time.process_time() - began, len(done.supergraph_sdl)
    registry.store([*standing, registry.source(own, 0)], done)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(start_server(target.name, target.make_command(dataset), folder / "ours.log"))
        wait_until_served(server, "kabBadungVersion0", READY_SECONDS)
        with _probe_latency(server, result.idle_ms):
            time.sleep(REST_SECONDS)
        for version in range(1, rounds + 1):
            progress.STDERR.print(f"round {version} of {rounds}", highlight=False)
            candidate = registry.source(own, version)
            began = time.process_time()
            done = registry.check(standing, candidate, PublishedGraph(done.api_schema, done.supergraph_sdl))
            result.checks.append(time.process_time() - began)
            before, began = server.read_cpu_seconds(), time.monotonic()
            with _probe_latency(server, result.exchange_ms):
                registry.store([*standing, candidate], done)
                wait_until_served(server, f"kabBadungVersion{version}", SERVED_SECONDS)
            result.served.append(time.monotonic() - began)
            result.exchanges.append(server.read_cpu_seconds() - before)
        with _probe_latency(server, result.freeing_ms):
            time.sleep(FREED_SECONDS)
        result.resident_mib = server.resident_mib()
    return result


def forget_subgraphs(dataset: Dataset) -> None:
    """Removes all agencies' subgraphs, for the other measurements."""
    with MongoClient[dict[str, Any]](dataset.uri) as client:
        client[dataset.name].subgraph_versions.delete_many({})
        client[dataset.name].supergraphs.delete_many({})


def wait_until_served(server: Server, root_field: str, seconds: float) -> None:
    asking = build_request("POST", "/graphql", port=server.port, body={"query": f"{{ {root_field} }}"})
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if b'"data"' in request_once(server.port, asking):
            return
        time.sleep(0.02)
    raise Failed(f"{root_field} was not served within {seconds:.0f} s.")


@contextmanager
def _probe_latency(server: Server, into: list[float]) -> Iterator[None]:
    """Measures the latency of /healthz, which does no work, during the block: how long the event loop is blocked."""
    ended = threading.Event()

    def probe() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        while not ended.is_set():
            began = time.perf_counter()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            into.append((time.perf_counter() - began) * 1000)
            time.sleep(PROBE_SECONDS)
        connection.close()

    probing = threading.Thread(target=probe)
    probing.start()
    try:
        yield
    finally:
        ended.set()
        probing.join()


def make_tables(result: Result) -> list[Table]:
    rows = [
        ["supergraph, kB", f"{result.sdl_bytes / 1000:.0f}"],
        ["first check of a process, which reads all, CPU s", f"{result.first_check:.1f}"],
        ["**each further one**, CPU s (goal: 5)", f"**{_format_median(result.checks)}**"],
        ["exchange in a process that serves, CPU s", _format_median(result.exchanges)],
        ["from storing until it is served, s", _format_median(result.served)],
        ["a request for nothing, at rest: p99 / most, ms", _format_most(result.idle_ms)],
        ["during the exchange: p99 / most, ms (goal: most 100)", _format_most(result.exchange_ms)],
        ["afterwards, when the graph before is freed: p99 / most, ms", _format_most(result.freeing_ms)],
        ["resident memory of the serving process, MiB", f"{result.resident_mib:.0f}"],
    ]
    return [report.make_table(f"One version more among {result.agencies} agencies", ["", ""], rows)]


def _format_median(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} (most {max(seconds):.1f})"


def _format_most(milliseconds: list[float]) -> str:
    return f"{sorted(milliseconds)[int(0.99 * (len(milliseconds) - 1))]:.1f} / {max(milliseconds):.1f}"


def result_to_json(result: Result) -> dict[str, Any]:
    kept = dataclasses.asdict(result)
    return kept | {name: sorted(kept[name])[-100:] for name in ("idle_ms", "exchange_ms", "freeing_ms")}
