"""The targets of the measurements: how each is started, and how it is queried."""

import itertools
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bench.dataset import ROOT, Dataset
from bench.load import CheckedRequest, NextRequest, build_request
from bench.operations import Operation, Question, make_check
from bench.process import Command

OURS: Final = "ours"
BASELINE: Final = "baseline"
NODE_PEERS: Final = ROOT / "bench" / "peers" / "node"

_UVICORN: Final = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers the operations: at /graphql, or under the paths of a hand-written REST endpoint."""

    name: str
    title: str
    words: tuple[str, ...]
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    speaks: Literal["graphql", "rest"] = "graphql"

    def make_command(self, dataset: Dataset) -> Command:
        return Command(self.words, self.folder, dataset.environment | self.environment)

    def build_request(self, operation: Operation, question: Question, port: int, token: str) -> bytes:
        if self.speaks == "rest":
            method = "GET" if question.body is None else "POST"
            return build_request(
                method, question.path, port=port, token=token, body=question.body, headers=operation.headers
            )
        asked = {"query": operation.document, "variables": question.variables}
        return build_request("POST", "/graphql", port=port, token=token, body=asked, headers=operation.headers)

    def make_requests(self, operation: Operation, dataset: Dataset, port: int, token: str) -> NextRequest:
        """Returns the operation's requests: reads in a cycle, each write once."""
        made = (
            CheckedRequest(self.build_request(operation, each, port, token), make_check(each))
            for each in operation.ask(dataset)
        )
        return (made if operation.is_write else itertools.cycle(made)).__next__


def name_checkouts(checkout: Path, baseline: Path | None) -> dict[str, Path]:
    """Returns the checkouts to measure by target name: ours, and the baseline if one is given."""
    return {OURS: checkout} | ({} if baseline is None else {BASELINE: baseline})


def ours(checkout: Path, name: str = OURS) -> Target:
    """Returns `satugraf serve` of a checkout as a target. It runs with this interpreter and its libraries."""
    return Target(name, "SatuGraf", (sys.executable, "-m", "gateway", "serve", "--port", "{port}"), checkout)


def make_python_peer(name: str, title: str, module: str, **further: str) -> Target:
    words = (sys.executable, "-m", "uvicorn", f"bench.peers.{module}:app", "--port", "{port}", *_UVICORN)
    return Target(name, title, words, environment=further)


def make_node_peer(name: str, title: str, module: str, **further: str) -> Target:
    return Target(name, title, ("node", f"{module}.mjs"), NODE_PEERS, {"NODE_ENV": "production"} | further)


REST: Final = Target(
    "rest",
    "hand-written REST, Starlette and orjson, projections, agencies and teams in memory",
    make_python_peer("rest", "", "rest").words,
    speaks="rest",
)
PEERS: Final = (
    make_python_peer("stock", "stock Strawberry", "stock"),
    make_python_peer(
        "stock+caches", "stock Strawberry with its parser and validation caches", "stock", STOCK_CACHES="1"
    ),
    REST,
    make_node_peer("mercurius", "Mercurius with jit, idiomatic", "mercurius"),
    make_node_peer("mercurius-tuned", "Mercurius with jit, projections, agencies in memory", "mercurius", TUNED="1"),
    make_node_peer("yoga", "GraphQL Yoga with graphql-jit, idiomatic", "yoga"),
)


def find_missing_node() -> str | None:
    """Returns why the Node peers cannot run; None if they can."""
    if shutil.which("node") is None:
        return "there is no node on this machine"
    if not (NODE_PEERS / "node_modules").is_dir():
        return f"run `npm ci` in {NODE_PEERS.relative_to(ROOT)} first"
    return None
