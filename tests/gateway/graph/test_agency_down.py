"""An agency's subgraph that fails: what its own staff and operators see of it, and a gateway that starts meanwhile."""

import asyncio
import re

import aiohttp
from support import agency_example
from support.far_end import free_port
from support.hostile_subgraph import SDL, hostile
from support.one_graph import a_stored, knows, until
from support.portal import ADMIN, NATIONAL, OTHER_ADMIN, Portal
from support.ports import free_port as another_port
from support.served_gateway import serving
from support.serving_processes import ready, served

from gateway.settings import Settings
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC

HEALTH = "{ subgraphs { id url health { state requests failures medianMs p99Ms failedAt } } }"
SURVEY = "query ($id: ID!) { complaint(id: $id) { title kabBadungSurvey } }"
NATIONAL_ONLY = "query ($id: ID!) { complaint(id: $id) { title } }"


async def published(portal: Portal, url: str, sdl: str = SDL) -> None:
    done = await agency_example.published(portal.session, portal.url, url, sdl)
    assert done["userErrors"] == []
    await until(lambda: knows(portal, "kabBadungSurvey"))


async def metrics(portal: Portal) -> dict[str, float]:
    """What `/metrics` says of kab-badung's subgraph, by name and labels."""
    async with portal.session.get(f"{portal.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    rows = (line.rpartition(" ") for line in lines if 'subgraph="kab-badung"' in line)
    return {name: float(value) for name, _, value in rows}


async def test_its_health_is_told_to_its_agency_and_counted_for_operators(register: Store, portal: Portal) -> None:
    complaint_id = await a_stored(register)
    async with hostile() as badung:
        await published(portal, badung.url)
        before = await metrics(portal)
        badung.gives({"kabBadungSurvey": 3})
        await portal.data(SURVEY, {"id": complaint_id}, NATIONAL)
        [row] = (await portal.data(HEALTH, viewer=ADMIN))["subgraphs"]
        assert row["health"] == row["health"] | {"state": "CLOSED", "requests": 1, "failures": 0, "failedAt": None}
        assert row["health"]["medianMs"] == row["health"]["p99Ms"] > 0
        port = badung.url
    for _ in range(8):
        answer = await portal.ask(SURVEY, {"id": complaint_id}, NATIONAL)
        assert answer["data"]["complaint"] == {"title": "Jalan berlubang", "kabBadungSurvey": None}
        [error] = answer["errors"]
        assert error["extensions"] == {"code": "SUBGRAPH_UNAVAILABLE", "serviceName": "kab-badung"}
    [row] = (await portal.data(HEALTH, viewer=ADMIN))["subgraphs"]
    assert (row["url"], row["health"]["state"]) == (port, "OPEN")
    # Five in a row, and it is left alone, but for one in two seconds; how long failures took is not told.
    sent = row["health"]["failures"]
    assert 5 <= sent < 8
    assert row["health"]["requests"] == sent + 1
    assert row["health"]["medianMs"] > 0
    assert row["health"]["failedAt"] is not None
    for viewer in (PUBLIC, OTHER_ADMIN):
        [row] = (await portal.data(HEALTH, viewer=viewer))["subgraphs"]
        assert (row["id"], row["url"], row["health"]) == ("kab-badung", None, None)
    now = await metrics(portal)
    grown = {name: value - before.get(name, 0) for name, value in now.items() if not name.endswith("_created")}
    labels = '{code="%s",subgraph="kab-badung"}'
    assert grown['satugraf_subgraph_request_seconds_count{subgraph="kab-badung"}'] == sent + 1
    assert grown["satugraf_subgraph_failures_total" + labels % "SUBGRAPH_UNAVAILABLE"] == sent
    assert grown["satugraf_subgraph_failures_total" + labels % "LEFT_ALONE"] == 8 - sent
    assert now['satugraf_subgraph_breaker_open{subgraph="kab-badung"}'] == 1
    assert not [name for name in now if re.search("Refused|Lost|gaierror|Error", name)]


async def test_a_gateway_starts_with_the_last_good_supergraph_while_the_subgraph_is_down_and_nothing_composes(
    register: Store, mongodb_uri: str, settings: Settings
) -> None:
    complaint_id, port = await a_stored(register), free_port()
    async with (
        serving(settings, mongodb_uri, register.database.name) as portal,
        agency_example.running(port, portal.url),
    ):
        await published(portal, f"http://127.0.0.1:{port}/graphql", agency_example.SDL)
    # As after an upgrade of ours: what was published would not compose any more.
    broken = {"$set": {"sdl": "type KabBadungLocalCase {"}}
    assert (await register.subgraph_versions.update_one({"_id": "kab-badung@1"}, broken)).modified_count == 1
    gateway = another_port()
    async with aiohttp.ClientSession() as session:
        portal = Portal(session, f"http://127.0.0.1:{gateway}")
        with served(mongodb_uri, register.database.name, gateway):
            await ready(portal)
            asked = "query ($id: ID!) { complaint(id: $id) { title kabBadungSurvey localCase { id number } } }"
            answer = await portal.ask(asked, {"id": complaint_id}, NATIONAL)
            expected = {"title": "Jalan berlubang", "kabBadungSurvey": None}
            assert answer["data"]["complaint"] == expected | {"localCase": {"id": complaint_id, "number": None}}
            assert {error["extensions"]["serviceName"] for error in answer["errors"]} == {"kab-badung"}
            checked = await portal.do(
                "checkSubgraph", OTHER_ADMIN, "ok findings { kind }", agency="kab-sleman", sdl="type Query { a: Int }"
            )
            assert checked["ok"] is False
            async with agency_example.running(port, portal.url):

                async def healed() -> bool:
                    return "errors" not in await portal.ask(asked, {"id": complaint_id}, NATIONAL)

                await until(healed)


async def test_a_stored_supergraph_that_cannot_be_read_leaves_the_national_graph(
    register: Store, mongodb_uri: str, settings: Settings
) -> None:
    complaint_id = await a_stored(register)
    async with serving(settings, mongodb_uri, register.database.name) as portal:
        await published(portal, "http://127.0.0.1:9/")
        spoilt = {"$set": {"sdl": "type Query {"}, "$inc": {"version": 1}}
        await register.supergraphs.update_one({"_id": "live"}, spoilt)
        await asyncio.sleep(0.5)
        # The process that serves the last good one goes on with it.
        assert await knows(portal, "kabBadungSurvey")
    async with serving(settings, mongodb_uri, register.database.name) as portal:
        found = await portal.data(NATIONAL_ONLY, {"id": complaint_id}, NATIONAL)
        assert found == {"complaint": {"title": "Jalan berlubang"}}
        assert not await knows(portal, "kabBadungSurvey")
