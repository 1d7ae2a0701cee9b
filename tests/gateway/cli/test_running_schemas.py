"""`satugraf router --config`: the schemas of running subgraphs are asked for again and again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from support.far_end import run_server
from support.running_router import RunningRouter, run_router

from gateway.cli.router import compose_config
from gateway.cli.router_config import RouterConfig
from gateway.cli.running_schemas import RunningSchemas
from gateway.cli.supergraph_config import list_schema_files

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")\n'
WATER = LINK + "type Query { water: String }"
MORE = LINK + "type Query { water: String more: String }"


@dataclass
class Agency:
    """A subgraph that says its schema when asked; with none it fails."""

    sdl: str | None = WATER
    heard: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        if "_service" not in asked["query"]:
            return web.json_response({"data": {name: name for name in ("water", "more") if name in asked["query"]}})
        self.heard += 1
        self.asked.set()
        if self.sdl is None:
            return web.Response(status=500, text="out of order")
        return web.json_response({"data": {"_service": {"sdl": self.sdl}}})

    async def is_asked_again(self) -> None:
        """Twice, as the first time may have begun before what the test did; what follows of it has then been done."""
        async with asyncio.timeout(30):
            for _ in range(3):
                self.asked.clear()
                await self.asked.wait()


@asynccontextmanager
async def polling(tmp_path: Path) -> AsyncIterator[tuple[Agency, RunningRouter]]:
    agency, running = Agency(), RunningSchemas()
    async with run_server(agency.answer) as url:
        file = tmp_path / "supergraph.yaml"
        file.write_text(yaml.safe_dump({"subgraphs": {"water": {"schema": {"subgraph_url": url}}}}))
        config = RouterConfig(schema_poll_ms=50)
        async with run_router(
            file, config, partial(compose_config, fetch_schema=running.find_sdl), list_schema_files, running
        ) as ask:
            yield agency, ask


async def once_served(ask: RunningRouter, query: str) -> None:
    give_up = time.monotonic() + 30
    while "errors" in await ask(query):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.02)


async def test_a_changed_schema_is_served_and_an_unchanged_one_changes_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with polling(tmp_path) as (agency, ask):
        await agency.is_asked_again()
        assert capfd.readouterr().err == ""
        agency.sdl = MORE
        await once_served(ask, "{ more }")
        await agency.is_asked_again()
    assert capfd.readouterr().err.count("The schema of a running subgraph has changed") == 1


async def test_who_does_not_say_its_schema_keeps_the_last_one_and_is_told_of_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with polling(tmp_path) as (agency, ask):
        agency.sdl = None
        await agency.is_asked_again()
        assert await ask("{ water }") == {"data": {"water": "water"}}
        told = capfd.readouterr().err
        assert told.count("Its last one is kept.") == 1
        assert "The schema of the subgraph water cannot be read from" in told
        agency.sdl = MORE
        await once_served(ask, "{ more }")
        agency.sdl = None
        await agency.is_asked_again()
    assert capfd.readouterr().err.count("Its last one is kept.") == 1


@pytest.mark.parametrize("broken", ["type Query {", LINK + "type Query { water: Missing }"])
async def test_a_schema_that_does_not_compose_is_told_of_once_and_the_last_supergraph_goes_on(
    tmp_path: Path, broken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with polling(tmp_path) as (agency, ask):
        agency.sdl = broken
        await agency.is_asked_again()
        assert await ask("{ water }") == {"data": {"water": "water"}}
        assert capfd.readouterr().err.count("the last valid one is served") == 1
        agency.sdl = MORE
        await once_served(ask, "{ more }")


async def test_a_changed_configuration_is_read_while_a_subgraph_does_not_say_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.router.LOOK_SECONDS", 0.02)
    async with polling(tmp_path) as (agency, ask):
        agency.sdl = None
        file = tmp_path / "supergraph.yaml"
        rows = yaml.safe_load(file.read_text())["subgraphs"]
        url = rows["water"]["schema"]["subgraph_url"]
        rows["roads"] = {"routing_url": url, "schema": {"sdl": LINK + "type Query { more: String }"}}
        file.write_text(yaml.safe_dump({"subgraphs": rows}))
        await once_served(ask, "{ more water }")
