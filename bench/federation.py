"""`python -m bench federation`: measures the router and other federation gateways over the same four subgraphs."""

import dataclasses
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import yaml
from rich.table import Table

from bench import agreement, progress, report
from bench.dataset import ROOT
from bench.executor import UNBOUNDED, Failed
from bench.load import Bounds, CheckedRequest, NextRequest, build_request, request_once
from bench.operations import make_data_check, read_document
from bench.process import Command, NotServing, Server, start_server
from bench.rounds import MeasuredRounds, measure, plan_steps
from bench.targets import OURS

PEERS: Final = ROOT / "bench" / "peers" / "federation"
SUBGRAPHS: Final = ("national", "works", "regions", "figures")
OPERATIONS: Final = {"page": "federated_page", "list": "federated_list"}
"""A page needs all four subgraphs, three of them by key; a list needs one."""
ROWS: Final = 20
PAGES: Final = 10**6
CONNECTIONS: Final = 20
SAMPLES: Final = 5
READY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Gateway:
    name: str
    words: tuple[str, ...]
    folder: Path = PEERS
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    rounds: int
    warm: int
    requests: int


@dataclass(slots=True)
class Result:
    """The costs of one gateway at one operation, and the number of subgraph requests for each request."""

    measured: MeasuredRounds = field(default_factory=MeasuredRounds)
    calls: list[float] = field(default_factory=list)


Results = dict[tuple[str, str], Result]
Running = Sequence[tuple[Gateway, Server]]


def list_gateways(supergraph: Path, checkouts: Mapping[str, Path]) -> list[Gateway]:
    """The router of each checkout by its name, then the peers; all serve the file `supergraph`."""
    file = str(supergraph)
    hive = ("node", "node_modules/.bin/hive-gateway", "supergraph", file, "--port", "{port}", "--host", "127.0.0.1")
    production = {"NODE_ENV": "production"}
    router = (sys.executable, "-m", "gateway", "router", "--supergraph", file, "--port", "{port}")
    return [
        *(Gateway(name, router, checkout) for name, checkout in checkouts.items()),
        Gateway("apollo-gateway", ("node", "apollo.mjs"), environment=production | {"SUPERGRAPH": file}),
        Gateway("hive-gateway", (*hive, "--fork", "1"), environment=production),
        Gateway("hive-gateway-rust", (*hive, "--fork", "1", "--hive-router-runtime"), environment=production),
    ]


def find_missing() -> str | None:
    """Returns why the peers cannot run; None if they can."""
    return None if (PEERS / "node_modules").is_dir() else f"Run `npm ci` in {PEERS.relative_to(ROOT)} first."


def compare(plan: Plan, checkouts: Mapping[str, Path], only: Sequence[str] = ()) -> Results:
    """Checks that all gateways give the same data, warms them up, and measures in interleaved rounds.

    `checkouts` are ours by name; `only` names the gateways to measure, all where it is empty.
    Raises Disagreement, Failed, NotServing, and LookupError for a name that no gateway has.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        command = Command(("node", "subgraphs.mjs"), PEERS, {"NODE_ENV": "production"})
        subgraphs = stack.enter_context(
            start_server("subgraphs", command, folder / "subgraphs.log", on_server_core=False)
        )
        supergraph = compose(folder, subgraphs.port)
        measured = choose(only, list_gateways(supergraph, checkouts))
        running = [(gateway, stack.enter_context(_start_gateway(gateway, folder))) for gateway in measured]
        for _, server in running:
            wait_until_answering(server)
        for operation in OPERATIONS:
            _check_agreement(operation, running)
        return _measure_rounds(plan, running, subgraphs)


def choose(only: Sequence[str], known: Sequence[Gateway]) -> list[Gateway]:
    """The gateways that `only` names, in their own order; all where it is empty. Raises LookupError."""
    names = [gateway.name for gateway in known]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise LookupError(f"There is no gateway {', '.join(unknown)}: choose from {', '.join(names)}.")
    return [gateway for gateway in known if not only or gateway.name in only]


def compose(folder: Path, port: int) -> Path:
    """Composes the four subgraphs by ours, and returns the supergraph's file."""
    schemas = {
        name: {"routing_url": f"http://127.0.0.1:{port}/{name}", "schema": {"file": str(PEERS / f"{name}.graphql")}}
        for name in SUBGRAPHS
    }
    config, supergraph = folder / "supergraph.yaml", folder / "supergraph.graphql"
    config.write_text(yaml.safe_dump({"subgraphs": schemas}), encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "supergraph", "compose", "--config", str(config), "-o", str(supergraph)]
    subprocess.run(command, cwd=ROOT, check=True)
    return supergraph


def _start_gateway(gateway: Gateway, folder: Path) -> Any:
    command = Command(gateway.words, gateway.folder, gateway.environment)
    return start_server(gateway.name, command, folder / f"{gateway.name}.log")


def wait_until_answering(server: Server) -> None:
    """Waits until the server answers: some gateways listen before they have read their supergraph."""
    asking = build_request("POST", "/graphql", port=server.port, body={"query": "{ __typename }"})
    give_up = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up:
        try:
            request_once(server.port, asking)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise NotServing(f"{server.name} does not answer.")


def _build_page_request(operation: str, after: int, port: int) -> bytes:
    asked = {"query": read_document(OPERATIONS[operation]), "variables": {"after": after}}
    return build_request("POST", "/graphql", port=port, body=asked)


def _check_agreement(operation: str, running: Running) -> None:
    expected = None
    for gateway, server in running:
        given = [
            orjson.loads(request_once(server.port, _build_page_request(operation, 7 * turn, server.port)))
            for turn in range(SAMPLES)
        ]
        data = [answer["data"] for answer in given if "errors" not in answer]
        expected = data if expected is None else expected
        different = agreement.find_difference(expected, data, operation)
        if len(data) < SAMPLES or different is not None:
            raise agreement.Disagreement(f"{gateway.name} answers otherwise: {different or given}")


def make_requests(operation: str, port: int) -> NextRequest:
    """Asks for another page in every request, so that a gateway gains nothing by joining equal requests."""
    return _generate_requests(operation, port).__next__


def _generate_requests(operation: str, port: int) -> Iterator[CheckedRequest]:
    chance = random.Random(7)
    while True:
        after = chance.randrange(PAGES) * ROWS
        yield CheckedRequest(_build_page_request(operation, after, port), _is_page(after))


def _is_page(after: int) -> Callable[[bytes], bool]:
    wanted = [f"C{after + index}" for index in range(ROWS)]

    return make_data_check(lambda data: bool([row["id"] for row in data["latestComplaints"]] == wanted))


def _measure_rounds(plan: Plan, running: Running, subgraphs: Server) -> Results:
    results: Results = {(each, gateway.name): Result() for each in OPERATIONS for gateway, _ in running}
    todo = plan_steps(plan.rounds, OPERATIONS, running)
    with progress.show_bar(len(todo)) as bar:
        for step in todo:
            operation, (gateway, server) = step.thing, step.item
            bar.step(f"{step.what}: {operation} {gateway.name}")
            bounds = Bounds(UNBOUNDED, plan.requests if step.turn else plan.warm)
            before = _count_calls(subgraphs)
            cost = measure(server, make_requests(operation, server.port), bounds, CONNECTIONS)
            if cost.failed:
                raise Failed(f"{cost.failed} requests failed at {gateway.name}: {cost.first_failure}")
            if step.turn:
                results[operation, gateway.name].measured.rounds.append(cost)
                results[operation, gateway.name].calls.append((_count_calls(subgraphs) - before) / cost.requests)
        bar.step("")
    return results


def _count_calls(subgraphs: Server) -> int:
    return int(request_once(subgraphs.port, build_request("GET", "/", port=subgraphs.port)))


def make_tables(results: Results) -> list[Table]:
    names = list(dict.fromkeys(name for _, name in results))
    head = ["", "CPU ms per request", "× ours", "subgraph requests", "requests per second · p50 / p99 ms"]
    return [
        report.make_table(f"{operation}", head, [_make_row(results, operation, name) for name in names])
        for operation in OPERATIONS
    ]


def _make_row(results: Results, operation: str, name: str) -> list[str]:
    result = results[operation, name]
    measured, reference = result.measured, results.get((operation, OURS))
    times = "" if reference is None else f"{measured.compare_cpu(reference.measured):.2f}"
    calls = sum(result.calls) / len(result.calls)
    return [name, f"{measured.cpu_ms:.2f}", times, f"{calls:.2f}", measured.pace]


def results_to_json(results: Results) -> dict[str, Any]:
    return {
        "results": [
            {
                "operation": operation,
                "target": name,
                "rounds": [dataclasses.asdict(cost) for cost in result.measured.rounds],
                "subgraph_requests": result.calls,
            }
            for (operation, name), result in results.items()
        ]
    }
