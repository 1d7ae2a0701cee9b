"""`python -m bench agencies`: measures requests with and without agencies' fields, and with an agency that hangs."""

import dataclasses
import http.client
import itertools
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from rich.table import Table

from bench import agreement, federation, progress, publishing, report
from bench.dataset import DEVELOPMENT_KEY, VIEWER, Dataset, mint_token
from bench.executor import UNBOUNDED, Failed
from bench.load import Bounds, CheckedRequest, NextRequest, build_request, request_once
from bench.operations import OPERATIONS, VARIETY, make_data_check, read_document
from bench.process import Command, Server, start_server
from bench.rounds import CONNECTIONS, Cost, MeasuredRounds, measure, plan_steps
from bench.targets import OURS, Target
from gateway.auth.tokens import mint
from gateway.federation.composition import SubgraphSource
from resolvers.domain.vocabulary import Role
from resolvers.request.composer import NO_GRAPH

ALONE: Final = "alone"
NATIONAL: Final = ("Q1", "Q2", "Q3")
CROSSING: Final = ("one", "page")
HUNG: Final = "kota-semarang"
PACE_SECONDS: Final = 0.05
BESIDE: Final = 4
"""Number of clients that query the hung subgraph, or the healthy one, at that pace during a measurement."""
WARM_SECONDS: Final = 3.0
TOLERATED_SHARE: Final = 0.1
"""Other gateways lose connections to the national server on a busy machine; --json has the number."""
SDL: Final = """extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Complaint @key(fields: "id") { id: ID! %sSurvey: Int }
"""


class Question(NamedTuple):
    body: dict[str, Any]
    is_right: Callable[[bytes], bool]
    bearer: str


@dataclass(slots=True)
class Results:
    """Costs by operation and variant: with and without agencies, by gateway, with a hanging and a healthy agency."""

    national: dict[tuple[str, str], MeasuredRounds] = field(default_factory=dict)
    crossing: dict[tuple[str, str], MeasuredRounds] = field(default_factory=dict)
    hung: dict[tuple[str, str], MeasuredRounds] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Servers:
    alone: Server
    joined: Server
    national: Server
    gateways: Sequence[Server]


def measure_all(dataset: Dataset, target: Target, rounds: int, seconds: float) -> Results:
    """Raises Disagreement, Failed, NotServing."""
    results, asked = Results(), _make_questions(dataset)
    with ExitStack() as stack:
        servers = _start_servers(stack, dataset, target)
        _check_agreement(servers, asked)
        pair = {ALONE: servers.alone, OURS: servers.joined}
        for name in NATIONAL:
            _measure_rounds(results.national, name, pair, asked[name], rounds, seconds)
        gateways = {OURS: servers.joined} | {server.name: server for server in servers.gateways}
        for name in CROSSING:
            _measure_rounds(results.crossing, name, gateways, asked[name], rounds, seconds, servers.national)
        for name in ("Q1", "one"):
            _measure_while_hanging(results.hung, name, servers.joined, asked[name], rounds, seconds)
    return results


def _start_servers(stack: ExitStack, dataset: Dataset, target: Target) -> Servers:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    words = ("node", "subgraphs.mjs")
    agency = stack.enter_context(
        start_server("agency", Command(words, federation.PEERS, {}), folder / "agency.log", on_server_core=False)
    )
    silent = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))
    sources = [
        SubgraphSource(str(VIEWER.agency), f"http://127.0.0.1:{agency.port}/agency", SDL % "kabBadung"),
        SubgraphSource(HUNG, f"http://127.0.0.1:{silent.getsockname()[1]}/", SDL % "kotaSemarang"),
    ]
    publishing.forget_subgraphs(dataset)
    stack.callback(publishing.forget_subgraphs, dataset)
    registry = publishing.Registry(dataset)
    done = registry.check(sources[1:], sources[0], NO_GRAPH)
    registry.store(sources, done)

    def ours(name: str, **settings: str) -> Server:
        command = target.make_command(dataset)
        changed = dataclasses.replace(command, environment={**command.environment, **settings})
        return stack.enter_context(start_server(name, changed, folder / f"{name}.log"))

    alone = ours(ALONE, SATUGRAF_REGISTRY="false")
    joined, national = ours(OURS), ours("national", SATUGRAF_SUBGRAPH_ENDPOINT="true")
    for server in (joined, national):
        publishing.wait_until_served(server, "__typename", publishing.READY_SECONDS)
    file = folder / "supergraph.graphql"
    file.write_text(
        done.supergraph_sdl.replace(publishing.IN_PROCESS, f"http://127.0.0.1:{national.port}/subgraph/graphql")
    )
    gateways = [
        stack.enter_context(start_server(name, Command(command, federation.PEERS, environment), folder / f"{name}.log"))
        for name, command, environment in _list_peers(file)
    ]
    for server in gateways:
        federation.wait_until_answering(server)
    return Servers(alone, joined, national, gateways)


def _list_peers(supergraph: Path) -> Iterator[tuple[str, tuple[str, ...], dict[str, str]]]:
    if federation.find_missing() is not None:
        return
    started = ("node", "node_modules/.bin/hive-gateway", "supergraph", str(supergraph), "--port", "{port}")
    hive = (*started, "--host", "127.0.0.1", "--fork", "1", "--config-path", "hive.config.mjs")
    production = {"NODE_ENV": "production"}
    yield "apollo-gateway", ("node", "agencies.mjs"), production | {"SUPERGRAPH": str(supergraph)}
    yield "hive-gateway", hive, production
    yield "hive-gateway-rust", (*hive, "--hive-router-runtime"), production


def _make_questions(dataset: Dataset) -> dict[str, list[Question]]:
    """Returns the bodies of each operation, with the check of their answers."""
    made: dict[str, list[Question]] = {}
    for name in NATIONAL:
        operation = OPERATIONS[name]
        made[name] = [
            Question(
                {"query": operation.document, "variables": row.variables}, make_data_check(row.is_right), mint_token()
            )
            for row in operation.ask(dataset)
        ]
    one, page = read_document("crossing_one"), read_document("crossing_page")
    bearer = _mint_router_token()
    made["one"] = [
        Question({"query": one, "variables": {"id": row}}, make_data_check(_is_crossing(row)), bearer)
        for row in dataset.public_complaints[:VARIETY]
    ]
    filters = [{"region": [province], "status": [status]} for province, status, _ in dataset.pages[:VARIETY]]
    made["page"] = [
        Question({"query": page, "variables": {"filter": each}}, make_data_check(_is_page), bearer) for each in filters
    ]
    return made


def _is_crossing(wanted: str) -> Callable[[Any], bool]:
    def is_right(data: Any) -> bool:
        return bool(data["complaint"]["id"] == wanted and data["complaint"]["kabBadungSurvey"] is not None)

    return is_right


def _is_page(data: Any) -> bool:
    return isinstance(data["complaints"]["nodes"], list)


def _mint_router_token() -> str:
    """Returns the token of a router, which may query /subgraph/graphql and /graphql."""
    agency, lifetime = VIEWER.agency, timedelta(days=1)
    return mint(
        DEVELOPMENT_KEY, role=Role.SUBGRAPH, subject="bench", now=datetime.now(UTC), lifetime=lifetime, agency=agency
    )


def _build_requests(server: Server, questions: Sequence[Question]) -> list[CheckedRequest]:
    return [
        CheckedRequest(
            build_request("POST", "/graphql", port=server.port, token=row.bearer, body=row.body), row.is_right
        )
        for row in questions
    ]


def _repeat_requests(server: Server, questions: Sequence[Question]) -> NextRequest:
    return itertools.cycle(_build_requests(server, questions)).__next__


def _check_agreement(servers: Servers, asked: dict[str, list[Question]]) -> None:
    for name, group in [(name, (servers.alone, servers.joined)) for name in NATIONAL] + [
        (name, (servers.joined, *servers.gateways)) for name in CROSSING
    ]:
        expected = None
        for server in group:
            requests = _build_requests(server, asked[name][: federation.SAMPLES])
            given = [orjson.loads(request_once(server.port, each.content)) for each in requests]
            failed = [answer["errors"] for answer in given if answer.get("errors")]
            if failed:
                raise agreement.Disagreement(f"{server.name} answers {name} with {failed[0]}")
            data = [answer["data"] for answer in given]
            expected = data if expected is None else expected
            different = agreement.find_difference(expected, data, name)
            if different is not None:
                raise agreement.Disagreement(f"{server.name} answers otherwise: {different}")


def _measure_rounds(
    into: dict[tuple[str, str], MeasuredRounds],
    operation: str,
    servers: dict[str, Server],
    questions: Sequence[Question],
    rounds: int,
    seconds: float,
    national: Server | None = None,
) -> None:
    """`national` is the subgraph that the gateways query: its CPU is added to theirs."""
    for step in plan_steps(rounds, [operation], list(servers)):
        server = servers[step.item]
        progress.STDERR.print(f"{step.what}: {operation} {step.item}", highlight=False)
        before = 0.0 if national is None else national.read_cpu_seconds()
        bounds = Bounds(seconds if step.turn else min(seconds, WARM_SECONDS), UNBOUNDED)
        cost = measure(server, _repeat_requests(server, questions), bounds, CONNECTIONS)
        if national is not None:
            further = (national.read_cpu_seconds() - before) * 1000 / cost.requests
            cost = dataclasses.replace(cost, cpu_ms=cost.cpu_ms + further)
        if step.turn:
            _check_failures(cost, operation, step.item)
            into.setdefault((operation, step.item), MeasuredRounds()).rounds.append(cost)


def _check_failures(cost: Cost, operation: str, name: str) -> None:
    if cost.failed > cost.requests * TOLERATED_SHARE:
        raise Failed(f"{cost.failed} of {cost.requests} of {operation} failed at {name}: {cost.first_failure}")


def _measure_while_hanging(
    into: dict[tuple[str, str], MeasuredRounds],
    operation: str,
    server: Server,
    questions: Sequence[Question],
    rounds: int,
    seconds: float,
) -> None:
    fields = {"answers": "kabBadungSurvey", "hangs": "kotaSemarangSurvey"}
    for step in plan_steps(rounds, [operation], list(fields)):
        progress.STDERR.print(f"{step.what}: {operation} while an agency {step.item}", highlight=False)
        with _ask_beside(server, fields[step.item], questions):
            cost = measure(server, _repeat_requests(server, questions), Bounds(seconds, UNBOUNDED), CONNECTIONS)
        if step.turn:
            _check_failures(cost, operation, f"{server.name} while an agency {step.item}")
            into.setdefault((operation, step.item), MeasuredRounds()).rounds.append(cost)


@contextmanager
def _ask_beside(server: Server, name: str, questions: Sequence[Question]) -> Iterator[None]:
    """Queries one agency's field from some clients during the block, and ignores the answers."""
    ended, bearer = threading.Event(), _mint_router_token()
    query = f"query ($id: ID!) {{ complaint(id: $id) {{ id {name} }} }}"
    ids = [row.body["variables"]["id"] for row in questions]

    def ask(number: int) -> None:
        headers = {"content-type": "application/json", "authorization": f"Bearer {bearer}"}
        for complaint_id in itertools.cycle(ids[number::BESIDE]):
            if ended.is_set():
                return
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            body = orjson.dumps({"query": query, "variables": {"id": complaint_id}})
            connection.request("POST", "/graphql", body, headers)
            connection.getresponse().read()
            connection.close()
            time.sleep(PACE_SECONDS)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(BESIDE)]
    for thread in asking:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in asking:
            thread.join()


def make_tables(results: Results) -> list[Table]:
    return [
        _make_table("National fields alone: CPU, ms per request", results.national, ALONE, "cpu"),
        _make_table(
            "Fields of both graphs: CPU of gateway and national graph, ms a request", results.crossing, OURS, "cpu"
        ),
        _make_table("While an agency that others ask hangs", results.hung, "answers", "p99"),
    ]


def _make_table(title: str, measured: dict[tuple[str, str], MeasuredRounds], reference: str, what: str) -> Table:
    head = ["", "", "CPU ms", "p50 / p99 ms", f"× {reference}, {what}"]
    rows = []
    for (operation, name), row in measured.items():
        times = _compute_ratio(measured, operation, name, reference, what)
        rows.append([operation, name, f"{row.cpu_ms:.2f}", row.pace.partition(" · ")[2], f"{times:.2f}"])
    return report.make_table(title, head, rows)


def _compute_ratio(
    measured: dict[tuple[str, str], MeasuredRounds], operation: str, name: str, reference: str, what: str
) -> float:
    own, other = measured[operation, name], measured[operation, reference]
    if what == "cpu":
        return own.compare_cpu(other)
    return sum(cost.p99_ms for cost in own.rounds) / sum(cost.p99_ms for cost in other.rounds)


def results_to_json(results: Results) -> dict[str, Any]:
    return {
        part: [
            {"operation": operation, "target": name, "rounds": [dataclasses.asdict(cost) for cost in row.rounds]}
            for (operation, name), row in getattr(results, part).items()
        ]
        for part in ("national", "crossing", "hung")
    }
