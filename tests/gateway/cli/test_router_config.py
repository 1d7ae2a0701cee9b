"""`satugraf router --config`: the schemas that supergraph.yaml names are followed while requests run."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from support.far_end import run_server
from support.running_router import RunningRouter, run_router
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.router import compose_config
from gateway.cli.supergraph_config import list_schema_files
from gateway.federation.composition import Contract

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@tag"])\n'
ROADS = LINK + 'type Query { roads: String old: String @tag(name: "internal") }'
WATER = LINK + "type Query { water: String }"


async def everything(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
    names = ("roads", "old", "water", "more")
    return web.json_response({"data": {name: name for name in names if name in asked["query"]}})


def written(tmp_path: Path, url: str) -> Path:
    (tmp_path / "roads.graphql").write_text(ROADS)
    (tmp_path / "water.graphql").write_text(WATER)
    names = ("roads", "water")
    rows = {name: {"routing_url": url, "schema": {"file": f"{name}.graphql"}} for name in names}
    file = tmp_path / "supergraph.yaml"
    file.write_text(yaml.safe_dump({"subgraphs": rows}))
    return file


async def once_served(ask: RunningRouter, query: str) -> None:
    give_up = time.monotonic() + 30
    while "errors" in await ask(query):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.02)


async def test_a_changed_schema_file_is_served_while_requests_run_and_none_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    async with run_server(everything) as url:
        file = written(tmp_path, url)
        async with run_router(file, read=compose_config, named=list_schema_files) as ask, asyncio.TaskGroup() as group:
            ends = asyncio.Event()

            async def asking() -> int:
                answered = 0
                while not ends.is_set():
                    assert await ask("{ roads water }") == {"data": {"roads": "roads", "water": "water"}}
                    answered += 1
                return answered

            clients = [group.create_task(asking()) for _ in range(8)]
            for number in range(3):
                more = f"more{number}"
                (tmp_path / "water.graphql").write_text(WATER.replace("water:", f"{more}: String water:"))
                await once_served(ask, f"{{ {more} }}")
            ends.set()
        assert all(client.result() > 0 for client in clients)


@pytest.mark.parametrize("broken", ["type Query {", LINK + "type Query { water: Missing }", None, "\0" * 10])
async def test_a_broken_or_missing_schema_file_changes_nothing_until_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str | None
) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    async with run_server(everything) as url:
        file = written(tmp_path, url)
        async with run_router(file, read=compose_config, named=list_schema_files) as ask:
            water = tmp_path / "water.graphql"
            water.unlink() if broken is None else water.write_text(broken)
            await asyncio.sleep(0.2)
            assert await ask("{ roads water }") == {"data": {"roads": "roads", "water": "water"}}
            water.write_text(WATER.replace("water:", "more: String water:"))
            await once_served(ask, "{ more }")


async def test_a_file_that_the_configuration_names_from_now_on_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    async with run_server(everything) as url:
        file = written(tmp_path, url)
        async with run_router(file, read=compose_config, named=list_schema_files) as ask:
            moved = tmp_path / "water2.graphql"
            moved.write_text("type Query {")
            file.write_text(file.read_text().replace("water.graphql", "water2.graphql"))
            await asyncio.sleep(0.2)
            moved.write_text(WATER.replace("water:", "more: String water:"))
            await once_served(ask, "{ more }")


async def test_a_variant_is_served_without_what_its_tags_leave_out(tmp_path: Path) -> None:
    async with run_server(everything) as url:
        file = written(tmp_path, url)
        async with run_router(
            file, read=partial(compose_config, tags=Contract(exclude=frozenset({"internal"})))
        ) as ask:
            assert await ask("{ roads }") == {"data": {"roads": "roads"}}
            assert "errors" in await ask("{ old }")


def test_tags_take_a_configuration(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["router", "--supergraph", str(tmp_path / "s.graphql"), "--exclude-tag", "x"])
    assert outcome.exit_code == 1
    assert "need --config: a composed supergraph has its tags applied already." in outcome.stderr


def test_a_configuration_whose_graph_must_be_guarded_as_we_do_not_is_refused_with_a_sentence(tmp_path: Path) -> None:
    link = LINK.replace('"@tag"', '"@composeDirective"')
    sdl = f"""{link} @link(url: "https://example.org/sealed/v1.0", import: ["@sealed"], for: SECURITY)
    @composeDirective(name: "@sealed")
    directive @sealed on FIELD_DEFINITION
    type Query {{ office: String @sealed }}
    """
    file = tmp_path / "supergraph.yaml"
    file.write_text(yaml.safe_dump({"subgraphs": {"a": {"routing_url": "http://a", "schema": {"sdl": sdl}}}}))
    outcome = CliRunner().invoke(app, ["router", "--config", str(file)])
    assert outcome.exit_code == 1
    assert "https://example.org/sealed/v1.0" in outcome.stderr
    assert "not enforced here" in outcome.stderr
