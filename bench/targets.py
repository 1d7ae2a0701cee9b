"""What is measured beside what: how each is started, and how it is asked."""

import itertools
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bench.dataset import ROOT, Dataset
from bench.load import Ask, NextAsk, http_request
from bench.operations import Operation, Question, right
from bench.process import Command

OURS: Final = "ours"
BASELINE: Final = "baseline"
NODE_PEERS: Final = ROOT / "bench" / "peers" / "node"

_UVICORN: Final = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers the operations, at /graphql or under the paths of a hand-written endpoint."""

    name: str
    title: str
    words: tuple[str, ...]
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    speaks: Literal["graphql", "rest"] = "graphql"

    def command(self, dataset: Dataset) -> Command:
        return Command(self.words, self.folder, dataset.environment | self.environment)

    def request(self, operation: Operation, question: Question, port: int, token: str) -> bytes:
        if self.speaks == "rest":
            method = "GET" if question.body is None else "POST"
            return http_request(
                method, question.path, port=port, token=token, body=question.body, headers=operation.headers
            )
        asked = {"query": operation.document, "variables": question.variables}
        return http_request("POST", "/graphql", port=port, token=token, body=asked, headers=operation.headers)

    def asks(self, operation: Operation, dataset: Dataset, port: int, token: str) -> NextAsk:
        """The operation's questions as requests: reads again and again, a write once each."""
        made = (Ask(self.request(operation, each, port, token), right(each)) for each in operation.ask(dataset))
        return (made if operation.is_write else itertools.cycle(made)).__next__


def named_checkouts(checkout: Path, baseline: Path | None) -> dict[str, Path]:
    """Checkouts of this project by the name of their target: ours, and beside it the baseline where one is given."""
    return {OURS: checkout} | ({} if baseline is None else {BASELINE: baseline})


def ours(checkout: Path, name: str = OURS) -> Target:
    """`satugraf serve` of a checkout, by this interpreter and its libraries."""
    return Target(name, "SatuGraf", (sys.executable, "-m", "gateway", "serve", "--port", "{port}"), checkout)


def python_peer(name: str, title: str, module: str, **further: str) -> Target:
    words = (sys.executable, "-m", "uvicorn", f"bench.peers.{module}:app", "--port", "{port}", *_UVICORN)
    return Target(name, title, words, environment=further)


def node_peer(name: str, title: str, module: str, **further: str) -> Target:
    return Target(name, title, ("node", f"{module}.mjs"), NODE_PEERS, {"NODE_ENV": "production"} | further)


REST: Final = Target(
    "rest",
    "hand-written REST, Starlette and orjson, projections, agencies and teams in memory",
    python_peer("rest", "", "rest").words,
    speaks="rest",
)
PEERS: Final = (
    python_peer("stock", "stock Strawberry", "stock"),
    python_peer("stock+caches", "stock Strawberry with its parser and validation caches", "stock", STOCK_CACHES="1"),
    REST,
    node_peer("mercurius", "Mercurius with jit, idiomatic", "mercurius"),
    node_peer("mercurius-tuned", "Mercurius with jit, projections, agencies in memory", "mercurius", TUNED="1"),
    node_peer("yoga", "GraphQL Yoga with graphql-jit, idiomatic", "yoga"),
)


def node_is_missing() -> str | None:
    """Why the Node peers cannot run; None where they can."""
    if shutil.which("node") is None:
        return "there is no node on this machine"
    if not (NODE_PEERS / "node_modules").is_dir():
        return f"run `npm ci` in {NODE_PEERS.relative_to(ROOT)} first"
    return None
