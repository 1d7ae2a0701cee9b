"""What supergraph.yaml says of each subgraph besides its schema: it is done, or refused with the way out."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from aiohttp import web
from support.far_end import run_server
from support.running_router import run_router
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.router import compose_config

SDL = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { greeting: String }
"""


def configured(tmp_path: Path, url: str, **further: Any) -> Path:
    file = tmp_path / "supergraph.yaml"
    row = {"routing_url": url, "schema": {"sdl": SDL}, **further}
    file.write_text(yaml.safe_dump({"subgraphs": {"roads": row}}))
    return file


async def test_headers_are_set_and_passed_on_as_the_rules_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    async def answer(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        seen.append(request.headers)
        return web.json_response({"data": {"greeting": "halo"}})

    monkeypatch.setenv("ROADS_KEY", "k-123")
    rules = [
        {"propagate": "Authorization"},
        {"set": "x-api-key", "from_env": "ROADS_KEY"},
        {"set": "x-from", "value": "the router"},
    ]
    async with (
        run_server(answer) as url,
        run_router(configured(tmp_path, url, headers=rules), read=compose_config) as routed,
    ):
        headers = {"authorization": "Bearer t", "x-other": "stays here"}
        async with routed.session.post(routed.url, json={"query": "{ greeting }"}, headers=headers) as response:
            assert (await response.json())["data"] == {"greeting": "halo"}
        assert (await routed("{ greeting }"))["data"] == {"greeting": "halo"}
    first, second = seen
    assert (first["authorization"], first["x-api-key"], first["x-from"]) == ("Bearer t", "k-123", "the router")
    assert "x-other" not in first
    assert "authorization" not in second


async def test_a_subgraph_has_its_own_limits(tmp_path: Path) -> None:
    async def long(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": {"greeting": "x" * 2000}})

    async with (
        run_server(long) as url,
        run_router(configured(tmp_path, url, response_limit_bytes=1000), read=compose_config) as routed,
    ):
        body = await routed("{ greeting }")
    assert body["data"] == {"greeting": None}
    assert body["errors"][0]["message"] == "The subgraph roads answered with more than 1000 bytes."


async def test_a_subgraph_that_does_not_tell_its_schema_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hung(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    monkeypatch.setattr("gateway.cli.running_schemas.FETCH_SECONDS", 1)
    async with run_server(hung) as url:
        file = configured(tmp_path, url, schema={"subgraph_url": url})
        async with asyncio.timeout(30):
            with pytest.raises(typer.Exit):
                await asyncio.to_thread(compose_config, file)
    assert "did not answer within 1000 ms" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("further", "words"),
    [
        ({"timeout": 5}, "the unknown key timeout. Known keys: routing_url, schema, timeout_ms"),
        ({"timeout_ms": "5"}, "timeout_ms must be a whole number above 0"),
        ({"timeout_ms": 0}, "timeout_ms must be"),
        ({"connections": True}, "connections must be"),
        ({"tls": "x"}, "tls takes certificate with key"),
        ({"tls": {"certificate": "c.pem"}}, "tls takes certificate with key"),
        ({"tls": {"ca": "missing.pem"}}, "the files of tls cannot be used"),
        ({"tls": {"ca": "supergraph.yaml"}}, "the files of tls cannot be used"),
        ({"headers": [{"send": "x"}]}, "a header is {propagate: NAME}"),
        ({"headers": [{"propagate": "x", "value": "y"}]}, "a header is {propagate: NAME}"),
        ({"headers": [{"propagate": "a b"}]}, "'a b' is not a header name"),
        ({"headers": [{"propagate": "Content-Length"}]}, "the router sets the header content-length itself"),
        ({"headers": [{"set": "x", "value": "a\r\nb: c"}]}, "characters that are not allowed in a header"),
        ({"headers": [{"set": "x", "from_env": "NOT_SET_ANYWHERE"}]}, "NOT_SET_ANYWHERE, which is not set"),
        ({"subscription": {"protocol": "carrier-pigeon"}}, "subscription takes protocol, one of ws, sse"),
        ({"subscription": {"protocol": "ws", "path": "/"}}, "subscription takes protocol"),
        ({"subscription": {"protocol": ["ws"]}}, "subscription takes protocol"),
    ],
)
def test_a_wrong_setting_ends_the_command_with_the_way_out(tmp_path: Path, further: dict[str, Any], words: str) -> None:
    done = CliRunner().invoke(app, ["router", "--config", str(configured(tmp_path, "http://roads/", **further))])
    assert done.exit_code == 1
    assert words in done.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEADLINE_MS", "soon"), ("DEPTH_LIMIT", "0"), ("BODY_LIMIT_BYTES", "-1"), ("INTROSPECTION", "7")],
)
def test_a_wrong_limit_in_the_environment_is_named(tmp_path: Path, name: str, value: str) -> None:
    file = configured(tmp_path, "http://roads/")
    done = CliRunner().invoke(app, ["router", "--config", str(file)], env={f"SATUGRAF_ROUTER_{name}": value})
    assert done.exit_code == 1
    assert f"SATUGRAF_ROUTER_{name}: " in done.stderr
