"""What the router bears: its limits, its deadline, callers that leave, and a new supergraph in the middle of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from support.far_end import answer_with, run_server
from support.running_router import RunningRouter, run_router

from gateway.cli.router_config import ROUTER_LIMITS, RouterConfig, from_environment
from gateway.graph.federated import EXPOSE_PLAN_HEADER

SUPERGRAPH = """
schema { query: Query mutation: Mutation }
enum join__Graph { A @join__graph(name: "a", url: "%s") }
scalar Any @join__type(graph: A)
type Query @join__type(graph: A) { greeting: String list: [Query] echo(v: Any): Any }
type Mutation @join__type(graph: A) { greet(x: Int): String }
"""


def written(tmp_path: Path, url: str) -> Path:
    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH % url)
    return file


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Path]:
    async with run_server(answer_with({"greeting": "halo"})) as url:
        yield written(tmp_path, url)


def from_env(monkeypatch: pytest.MonkeyPatch, **limits: object) -> RouterConfig:
    for name, value in limits.items():
        monkeypatch.setenv(f"SATUGRAF_ROUTER_{name.upper()}", str(value))
    return from_environment()


@pytest.mark.parametrize(
    ("limit", "query", "code"),
    [
        ({"depth_limit": 2}, "{ list { list { greeting } } }", "DOCUMENT_TOO_LARGE"),
        ({"alias_limit": 1}, "{ a: greeting b: greeting }", "DOCUMENT_TOO_LARGE"),
        ({"root_field_limit": 1}, "{ greeting list { greeting } }", "DOCUMENT_TOO_LARGE"),
        (
            {"token_limit": 10},
            "{" + " greeting" * 9 + "}",
            "GRAPHQL_PARSE_FAILED",
        ),
        ({"body_limit_bytes": 1024}, "{ greeting } #" + "x" * 2000, "BODY_TOO_LARGE"),
        ({"introspection": "false"}, "{ __schema { queryType { name } } }", "GRAPHQL_VALIDATION_FAILED"),
        ({"fetch_limit": 1}, "mutation { a: greet(x: 1) b: greet(x: 2) }", "QUERY_PLANNING_FAILED"),
    ],
)
async def test_each_limit_is_the_operators(
    file: Path, monkeypatch: pytest.MonkeyPatch, limit: dict[str, object], query: str, code: str
) -> None:
    async with run_router(file, from_env(monkeypatch, **limit)) as routed:
        assert (await routed(query))["errors"][0]["extensions"]["code"] == code
        assert (await routed("{ greeting }"))["data"] == {"greeting": "halo"}


async def test_an_answer_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with run_server(answer_with({"greeting": "x" * 2000})) as url:
        config = from_env(monkeypatch, response_limit_bytes=1024)
        async with run_router(written(tmp_path, url), config) as routed:
            body = await routed("{ greeting }")
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "RESPONSE_TOO_LARGE"


async def test_what_is_nested_too_deeply_to_be_passed_on_is_refused(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    async with run_server(answer_with({"echo": deep})) as url, run_router(written(tmp_path, url)) as routed:
        for body in (await routed("query ($v: Any) { echo(v: $v) }", v=deep), await routed("{ echo }")):
            assert [error["extensions"]["code"] for error in body["errors"]] == ["NESTED_TOO_DEEPLY"]


async def test_no_request_outlives_its_deadline(tmp_path: Path) -> None:
    async def hung(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    config = RouterConfig(replace(ROUTER_LIMITS, deadline_ms=300))
    async with run_server(hung) as url, run_router(written(tmp_path, url), config) as routed:
        late = []
        for _ in range(5):
            started = time.monotonic()
            body = await routed("{ greeting }")
            late.append(time.monotonic() - started - 0.3)
            assert body["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert min(late) < 0.1


async def test_who_leaves_is_not_worked_for_any_more(tmp_path: Path) -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def noting(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return web.Response()

    async with run_server(noting) as url, run_router(written(tmp_path, url)) as routed:
        async with aiohttp.ClientSession() as leaving:
            asking = asyncio.create_task(leaving.post(routed.url, json={"query": "{ greeting }"}))
            async with asyncio.timeout(10):
                await began.wait()
            asking.cancel()
            await asyncio.wait([asking])
        async with asyncio.timeout(5):
            await stopped.wait()


async def test_a_new_supergraph_under_load_fails_no_request(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    text, over = file.read_text(), asyncio.Event()

    async def load(routed: RunningRouter) -> int:
        answered = 0
        while not over.is_set():
            assert await routed("{ a: greeting }") == {"data": {"a": "halo"}}
            answered += 1
        return answered

    async with run_router(file) as routed:
        asking = [asyncio.create_task(load(routed)) for _ in range(4)]
        try:
            for number in range(5):
                file.write_text(text.replace("greeting: String", f"greeting: String more{number}: String"))
                give_up = time.monotonic() + 20
                while "errors" in await routed(f"{{ more{number} }}"):
                    assert time.monotonic() < give_up
                    await asyncio.sleep(0.02)
        finally:
            over.set()
            answered = await asyncio.gather(*asking)
        assert min(answered) > 0


async def test_the_plan_is_told_where_the_operator_allows_it_to_who_asks(file: Path) -> None:
    for exposes in (True, False):
        async with run_router(file, RouterConfig(exposes_plan=exposes)) as routed:
            assert "extensions" not in await routed("{ greeting }")
            headers = {EXPOSE_PLAN_HEADER: "1"}
            async with routed.session.post(routed.url, json={"query": "{ greeting }"}, headers=headers) as response:
                body = await response.json()
            assert ("extensions" in body) is exposes
            if exposes:
                assert body["extensions"]["queryPlan"]["node"]["serviceName"] == "a"
                assert body["extensions"]["fetches"][0]["serviceName"] == "a"


async def test_a_mutation_is_not_taken_by_get(file: Path) -> None:
    async with run_router(file) as routed:
        parameters = {"query": "mutation { greet }"}
        async with routed.session.get(routed.url, params=parameters) as response:
            assert response.status == 405
        headers = {"accept": "text/event-stream"}
        async with routed.session.get(routed.url, params=parameters, headers=headers) as response:
            assert b"METHOD_NOT_ALLOWED" in await response.read()


async def test_other_paths_are_nothing(file: Path) -> None:
    async with run_router(file) as routed:
        base = routed.url.removesuffix("/graphql")
        async with routed.session.get(f"{base}/healthz") as response:
            assert response.status == 200
        async with routed.session.post(f"{base}/other") as response:
            assert response.status == 404
