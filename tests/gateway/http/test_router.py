"""The standalone router over HTTP: what it serves, what it refuses, and how it changes its supergraph."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.far_end import answer_with, run_server
from support.running_router import run_router
from typer.testing import CliRunner

from gateway.cli import app as cli
from gateway.federation.engine import Engine
from gateway.federation.executor.subgraphs import Caller, SubgraphRequest
from gateway.federation.join import read_supergraph
from gateway.graph.federated import FederatedGraph
from gateway.operation.document import Documents, InvalidDocument

SUPERGRAPH = """
schema { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "%s") }
type Query @join__type(graph: A) { greeting: String list: [Query] add(x: Int): Int }
"""


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Path]:
    async with run_server(answer_with({"greeting": "halo"})) as url:
        written = tmp_path / "supergraph.graphql"
        written.write_text(SUPERGRAPH % url)
        yield written


async def test_it_serves_a_supergraph(file: Path) -> None:
    async with run_router(file) as ask:
        assert await ask("{ hello: greeting }") == {"data": {"hello": "halo"}}
        assert (await ask("{ __schema { queryType { name } } }"))["data"]["__schema"]["queryType"] == {"name": "Query"}


# Alone: a busy neighbour on the same core makes the same work take a third more CPU time.
@pytest.mark.alone
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ greeting @defer { x } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query { ... @defer { greeting } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("query ($x: Int!) { add(x: $x) }", "BAD_USER_INPUT"),
        ("{ " + " ".join(f"a{number}: greeting" for number in range(1000)) + " }", "DOCUMENT_TOO_LARGE"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "DOCUMENT_TOO_LARGE"),
        ("{ add(x: " + "[" * 1500 + "]" * 1500 + ") }", "GRAPHQL_PARSE_FAILED"),
        ("{ add(x: " + "[" * 150 + "]" * 150 + ") }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ list {" + " list { list { list { greeting } } }" * 300 + " } }", "DOCUMENT_TOO_LARGE"),
        ("{ list {" + " greeting" * 3900 + " } }", "DOCUMENT_TOO_LARGE"),
        (
            "{ list {"
            + "".join(f" ...F{n}" for n in range(48))
            + " } }"
            + "".join(f" fragment F{n} on Query {{" + " list { greeting }" * 15 + " }" for n in range(48)),
            "DOCUMENT_TOO_LARGE",
        ),
        ("{ " + "list { " * 60 + "greeting" + " }" * 61, "DOCUMENT_TOO_LARGE"),
        ("{ " + "list { " * 3000 + "greeting" + " }" * 3001, "GRAPHQL_PARSE_FAILED"),
        (
            "{ ...F0 } "
            + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
            + " fragment F40 on Query { greeting }",
            "DOCUMENT_TOO_LARGE",
        ),
    ],
)
async def test_a_hostile_or_wrong_operation_is_refused_at_once(file: Path, query: str, code: str) -> None:
    async with run_router(file) as ask:
        await ask("{ greeting }")
        spent = []
        for number in range(3):
            started = time.process_time()
            body = await ask(f"{query} # {number}: not one that is known already")
            spent.append(time.process_time() - started)
            assert body["errors"][0]["extensions"]["code"] == code
            assert "data" not in body
        assert min(spent) < 0.1


async def test_subgraphs_messages_are_masked(tmp_path: Path) -> None:
    error = {"message": "SELECT * FROM secrets", "path": ["greeting"], "extensions": {"code": "DB", "trace": "x"}}
    async with run_server(answer_with({"greeting": None}, errors=[error])) as url:
        written = tmp_path / "supergraph.graphql"
        written.write_text(SUPERGRAPH % url)
        async with run_router(written) as ask:
            body = await ask("{ greeting }")
    assert body["data"] == {"greeting": None}
    assert body["errors"][0]["extensions"] == {"code": "DB", "serviceName": "a"}
    assert "secrets" not in json.dumps(body)


async def test_a_new_version_is_served_and_a_broken_one_is_not(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    text = file.read_text()
    async with run_router(file) as ask:
        file.write_text("type Query {")
        await asyncio.sleep(0.1)
        assert (await ask("{ greeting }"))["data"] == {"greeting": "halo"}
        file.unlink()
        await asyncio.sleep(0.1)
        assert (await ask("{ greeting }"))["data"] == {"greeting": "halo"}
        file.write_text(text.replace("greeting: String", "greeting: String more: String"))
        give_up = time.monotonic() + 5
        while "errors" in await ask("{ more }"):
            assert time.monotonic() < give_up
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("sdl", "words"),
    [
        ("", "Syntax Error"),
        ("type Query { a: Int }", "names no subgraphs"),
        ('enum join__Graph { A @join__graph(name: "a", url: "") } type Query { a: Missing }', "Missing"),
        ('enum join__Graph { A @join__graph(name: "a", url: "") } type Query @join__type(graph: B) { a: Int }', "B"),
        (
            'enum join__Graph { A @join__graph(name: "a", url: "") } '
            'type Query @join__type(graph: A, key: "{") { a: Int }',
            "Syntax Error",
        ),
        ('schema @link(url: "https://specs.apollo.dev/secret/v1.0", for: SECURITY) { query: Query }', "secret/v1.0"),
    ],
)
def test_what_is_no_supergraph_is_refused_in_a_sentence(tmp_path: Path, sdl: str, words: str) -> None:
    (tmp_path / "x.graphql").write_text(sdl)
    done = CliRunner().invoke(cli, ["router", "--supergraph", str(tmp_path / "x.graphql")])
    assert done.exit_code == 1
    assert words in done.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["router", "--supergraph", str(tmp_path / "none.graphql")])
    assert done.exit_code == 1
    assert "none.graphql" in done.stderr


def test_a_new_supergraph_is_warm_for_what_was_asked_before(tmp_path: Path) -> None:
    async def ask(subgraph: str, request: SubgraphRequest, caller: Caller) -> dict[str, Any]:
        return {"data": {}}

    def served(sdl: str) -> FederatedGraph:
        supergraph = read_supergraph(sdl)
        return FederatedGraph(Engine(supergraph, ask), Documents(supergraph.api_schema))

    old = served(SUPERGRAPH % "http://a")
    for query in ("{ greeting }", "{ list { greeting } }", "{ nothing }"):
        with suppress(InvalidDocument):
            old.documents.check(query)
    new = served((SUPERGRAPH % "http://a").replace("list: [Query]", ""))
    new.warm(old)
    checked = new.documents.check("{ greeting }")
    [operation] = checked.operations.values()
    prepared = new.engine.prepare(checked.document, operation, checked.fragments)
    assert prepared is new.engine.prepare(checked.document, operation, checked.fragments)
    assert new.documents.list_recent(10) == ["{ greeting }"]
