"""One graph at /graphql: national fields beside those of an agency's own subgraph, published while it serves."""

import asyncio
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema
from support import agency_example
from support.agency_example import SDL
from support.far_end import free_port
from support.live import INBOX, connected
from support.one_graph import a_stored, knows, until
from support.portal import ADMIN, CITIZEN, NATIONAL, OTHER_ADMIN, SUBGRAPH, Portal, bearer
from support.served_gateway import serving

from gateway.graph import garbage
from gateway.settings import Settings
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

CROSSING = """query ($id: ID!) { complaint(id: $id) { id title holder { name } kabBadungSurvey
  localCase { __typename id number ... on KabBadungLocalCase { visits(first: 2) { on finding } } } } }"""
NATIONAL_ONLY = "query ($id: ID!) { complaint(id: $id) { id localCase { __typename id } } }"


@pytest.fixture
async def port(portal: Portal) -> AsyncIterator[int]:
    """Where the running example listens, which is published and served."""
    chosen = free_port()
    async with agency_example.running(chosen, portal.url):
        await _publish(portal, chosen)
        yield chosen


async def _publish(portal: Portal, port: int) -> None:
    done = await agency_example.published(portal.session, portal.url, f"http://127.0.0.1:{port}/graphql")
    assert done["userErrors"] == []
    await until(lambda: knows(portal, "kabBadungSurvey"))


async def test_one_query_crosses_both_graphs(register: Store, portal: Portal, port: int) -> None:
    complaint_id = await a_stored(register)
    found = (await portal.data(CROSSING, {"id": complaint_id}, NATIONAL))["complaint"]
    assert found["holder"]["name"]
    assert found["localCase"]["__typename"] == "KabBadungLocalCase"
    assert found["localCase"]["id"] == complaint_id
    assert found["localCase"]["number"].startswith("BDG-2026-")
    assert (await portal.data("{ kabBadungVisitsPlanned }")) == {"kabBadungVisitsPlanned": 4}


async def test_without_its_process_an_agencys_fields_are_null_and_heal(register: Store, portal: Portal) -> None:
    complaint_id, port = await a_stored(register), free_port()
    async with agency_example.running(port, portal.url):
        await _publish(portal, port)
        assert "errors" not in await portal.ask(CROSSING, {"id": complaint_id}, NATIONAL)
    answer = await portal.ask(CROSSING, {"id": complaint_id}, NATIONAL)
    found = answer["data"]["complaint"]
    assert found["title"] == "Jalan berlubang"
    assert found["holder"]["name"]
    assert found["kabBadungSurvey"] is None
    assert found["localCase"]["number"] is None
    assert {error["extensions"]["serviceName"] for error in answer["errors"]} == {"kab-badung"}
    national = await portal.data(NATIONAL_ONLY, {"id": complaint_id}, NATIONAL)
    assert national["complaint"]["localCase"] == {"__typename": "KabBadungLocalCase", "id": complaint_id}

    async def healed() -> bool:
        return "errors" not in await portal.ask(CROSSING, {"id": complaint_id}, NATIONAL)

    async with agency_example.running(port, portal.url):
        await until(healed)


CROSSING_LIVE = """subscription ($agency: ID!) { agencyInbox(agency: $agency) {
  id revision kabBadungSurvey localCase { number } holder { name } } }"""


async def test_an_event_gets_its_agencys_fields_and_a_new_graph_ends_the_stream(
    register: Store, portal: Portal, port: int
) -> None:
    hidden = {"holder": "kab-sleman", "holders": ["kemenpanrb", "kab-sleman"], "confidential": True}
    async with connected(portal, NATIONAL) as socket, connected(portal, NATIONAL) as plain:
        await socket.standing(CROSSING_LIVE, agency="kab-badung")
        await socket.subscribe(CROSSING_LIVE, "elsewhere", agency="kab-sleman")
        await plain.standing(INBOX, agency="kab-badung")
        complaint_id = await a_stored(register)
        seen = await socket.event()
        assert seen["id"] == complaint_id
        assert seen["localCase"]["number"].startswith("BDG-2026-")
        assert (await plain.event())["id"] == complaint_id
        elsewhere = await a_stored(register, **hidden)
        seen = await socket.event()
        assert (seen["id"], seen["kabBadungSurvey"], seen["localCase"]) == (elsewhere, None, None)
        await register.complaints.update_one({"_id": complaint_id}, {"$inc": {"revision": 1}})
        assert (await socket.event())["revision"] == 2
        assert (await plain.event())["revision"] == 2
        payload = await portal.do("retireSubgraph", ADMIN, "subgraph { version }", agency="kab-badung")
        assert payload["userErrors"] == []
        assert (await socket.closed())[0] == 1012
        # What asks for national fields alone goes on.
        await register.complaints.update_one({"_id": complaint_id}, {"$inc": {"revision": 1}})
        assert (await plain.event())["revision"] == 3


async def test_an_agency_is_not_asked_of_complaints_it_may_not_know(register: Store, portal: Portal, port: int) -> None:
    hidden = await a_stored(register, holder="kab-sleman", holders=["kemenpanrb", "kab-sleman"], confidential=True)
    found = (await portal.data(CROSSING, {"id": hidden}, NATIONAL))["complaint"]
    assert found["id"] == hidden
    assert found["kabBadungSurvey"] is None
    assert found["localCase"] is None


async def test_federations_own_fields_are_none_of_the_graphs(portal: Portal, port: int) -> None:
    for query in ("{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"):
        answer = await portal.ask(query)
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_what_costs_too_much_or_is_malformed_is_refused_as_ever(portal: Portal, port: int) -> None:
    many = " ".join(
        f"a{number}: complaints(first: 100) {{ nodes {{ kabBadungSurvey holder {{ name }} }} }}" for number in range(28)
    )
    answer = await portal.ask(f"{{ {many} }}")
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    answer = await portal.ask("{ kabBadungVisitsPlanned nothing }")
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    answer = await portal.ask("query ($id: ID!) { complaint(id: $id) { kabBadungSurvey } }")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_retired_subgraph_leaves_the_graph_as_it_was(register: Store, portal: Portal, port: int) -> None:
    payload = await portal.do("retireSubgraph", ADMIN, "subgraph { version }", agency="kab-badung")
    assert payload["userErrors"] == []

    async def gone() -> bool:
        return not await knows(portal, "kabBadungSurvey")

    await until(gone)
    found = await portal.data("query ($id: ID!) { complaint(id: $id) { localCase { id } } }", {"id": "LP-0"})
    assert found == {"complaint": None}


async def test_a_check_says_how_often_clients_ask_for_what_would_break(
    register: Store, monkeypatch: pytest.MonkeyPatch, settings: Settings, mongodb_uri: str
) -> None:
    monkeypatch.setattr("gateway.app.USAGE_PAUSE_SECONDS", 0.1)
    async with serving(settings, mongodb_uri, register.database.name) as portal:
        port = free_port()
        async with agency_example.running(port, portal.url):
            await _publish(portal, port)
            await portal.data("{ kabBadungVisitsPlanned }")
            await until(lambda: _used(register))
            sdl = SDL.replace("kabBadungVisitsPlanned", "kabBadungVisitsToday")
            plans = "plans { operation uses fetchesBefore fetchesAfter subgraphsBefore subgraphsAfter }"
            selection = f"ok findings {{ kind code coordinate uses }} {plans}"
            checked = await portal.do("checkSubgraph", ADMIN, selection, agency="kab-badung", sdl=sdl)
    gone = {"kind": "BREAKING", "code": "FIELD_REMOVED", "coordinate": "Query.kabBadungVisitsPlanned", "uses": 1}
    assert checked["ok"] is True
    assert gone in checked["findings"]
    cost = {"fetchesBefore": 1, "fetchesAfter": None, "subgraphsBefore": ["kab-badung"], "subgraphsAfter": None}
    assert {"operation": "{kabBadungVisitsPlanned}", "uses": 1} | cost in checked["plans"]


async def _used(store: Store) -> bool:
    return await store.field_usage.find_one({"name": "Query.kabBadungVisitsPlanned"}) is not None


async def test_only_the_agencys_admin_publishes(portal: Portal) -> None:
    given = {"agency": "kab-badung", "url": "http://127.0.0.1:9/", "sdl": SDL}
    payload = await portal.do("publishSubgraph", OTHER_ADMIN, "subgraph { version }", **given)
    assert payload["subgraph"] is None
    assert payload["userErrors"][0]["code"] == "NOT_ALLOWED"


async def test_the_keys_of_the_gateways_calls_are_published(edge: Portal) -> None:
    async with edge.session.get(f"{edge.url}/.well-known/jwks.json") as response:
        assert response.status == 200
        assert {key["crv"] for key in (await response.json())["keys"]} == {"Ed25519"}


@pytest.fixture
async def for_routers(register: Store, settings: Settings, mongodb_uri: str) -> AsyncIterator[Portal]:
    opened = settings.model_copy(update={"subgraph_endpoint": True})
    async with serving(opened, mongodb_uri, register.database.name) as portal:
        yield portal


async def as_router(portal: Portal, query: str, variables: Any, viewer: Viewer) -> tuple[int, Any]:
    asked = {"query": query, "variables": variables}
    async with portal.session.post(f"{portal.url}/subgraph/graphql", json=asked, headers=bearer(viewer)) as response:
        return response.status, None if response.status == 404 else await response.json()


async def test_other_routers_ask_for_entities_and_the_schema(register: Store, for_routers: Portal) -> None:
    complaint_id = await a_stored(register)
    query = """query ($of: [_Any!]!) { _service { sdl } _entities(representations: $of) {
      __typename ... on Complaint { id status } ... on Agency { name } } }"""
    of = [{"__typename": "Complaint", "id": complaint_id, "status": "CLOSED"}, {"__typename": "Agency", "id": "none"}]
    status, answer = await as_router(for_routers, query, {"of": of}, SUBGRAPH)
    assert status == 200
    assert '@key(fields: "id")' in answer["data"]["_service"]["sdl"]
    assert answer["data"]["_entities"] == [{"__typename": "Complaint", "id": complaint_id, "status": "ROUTED"}, None]


@pytest.mark.parametrize("viewer", [PUBLIC, CITIZEN, ADMIN, NATIONAL])
async def test_nobody_else_is_answered_there(for_routers: Portal, viewer: Viewer) -> None:
    status, answer = await as_router(for_routers, "{ _service { sdl } }", {}, viewer)
    assert status == 403
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_endpoint_for_routers_is_off_unless_it_is_opened(edge: Portal) -> None:
    status, _ = await as_router(edge, "{ _service { sdl } }", {}, SUBGRAPH)
    assert status == 404


async def test_a_graph_that_was_exchanged_is_freed_without_the_collectors_help(
    register: Store, portal: Portal, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[weakref.ref[Any]] = []
    free = garbage.free_schema

    async def watched(unused: GraphQLSchema) -> None:
        for name in ("Complaint", "KabBadungFieldVisit", "Query"):
            named = unused.type_map[name]
            assert isinstance(named, GraphQLObjectType)
            freed.extend(weakref.ref(field) for field in named.fields.values())
        del named
        await free(unused)

    monkeypatch.setattr(garbage, "free_schema", watched)
    assert "errors" not in await portal.ask(CROSSING, {"id": await a_stored(register)}, NATIONAL)
    wider = SDL.replace("kabBadungSurvey: Int", "kabBadungSurvey: Int kabBadungVersion: Int")
    done = await agency_example.published(portal.session, portal.url, f"http://127.0.0.1:{port}/graphql", wider)
    assert done["userErrors"] == []
    await until(lambda: knows(portal, "kabBadungVersion"))
    await until(lambda: asyncio.sleep(0, len(freed) > 100 and all(reference() is None for reference in freed)))
    assert "errors" not in await portal.ask(CROSSING, {"id": await a_stored(register)}, NATIONAL)
