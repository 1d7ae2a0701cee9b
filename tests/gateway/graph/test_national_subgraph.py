"""The national graph asked as routers ask a subgraph: the queries of the Federation subgraph compatibility suite.

Source: github.com/apollographql/apollo-federation-subgraph-compatibility, in the national graph's own types.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support import served_gateway
from support.commands import Commands
from support.examples import a_complaint
from support.portal import NATIONAL, SUBGRAPH, Portal, bearer

from gateway.federation.composition import SubgraphSource, compose
from gateway.settings import Settings
from resolvers.store.database import Store, connect

READS = ("find", "aggregate")


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def router(
    register: Store, settings: Settings, mongodb_uri: str, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """The gateway as a router sees it, each of its database commands noted."""
    monkeypatch.setattr(served_gateway, "connect", lambda uri, name: connect(uri, name, event_listeners=[commands]))
    opened = settings.model_copy(update={"subgraph_endpoint": True})
    async with served_gateway.serving(opened, mongodb_uri, register.database.name) as portal:
        yield portal


async def asked(router: Portal, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    async with router.session.post(f"{router.url}/subgraph/graphql", json=body, headers=bearer(SUBGRAPH)) as response:
        assert response.status == 200
        answer = await response.json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_the_service_tells_a_schema_that_composers_read(router: Portal) -> None:
    sdl = (await asked(router, "query { _service { sdl } }"))["_service"]["sdl"]
    assert compose([SubgraphSource("national", "", sdl)]).ok
    assert '@link(url: "https://specs.apollo.dev/federation/v2.9"' in sdl
    for key, name in (("id", "Complaint"), ("id", "Agency"), ("id", "Team"), ("code", "Region"), ("code", "Category")):
        assert f'@key(fields: "{key}")' in sdl.partition(f"type {name} ")[2].partition("{")[0]


async def test_the_machinery_is_as_the_specification_has_it(router: Portal) -> None:
    asking = """{
      entity: __type(name: "_Entity") { kind possibleTypes { name } }
      any: __type(name: "_Any") { kind }
      service: __type(name: "_Service") { fields { name type { name ofType { name } } } }
      query: __type(name: "Query") { fields { name args { name type { kind ofType { kind } } } } }
    }"""
    found = await asked(router, asking)
    assert found["entity"]["kind"] == "UNION"
    names = {row["name"] for row in found["entity"]["possibleTypes"]}
    assert names == {"Agency", "Category", "Complaint", "Region", "Team"}
    assert found["any"] == {"kind": "SCALAR"}
    assert [row["name"] for row in found["service"]["fields"]] == ["sdl"]
    [entities] = [row for row in found["query"]["fields"] if row["name"] == "_entities"]
    assert entities["args"] == [{"name": "representations", "type": {"kind": "NON_NULL", "ofType": {"kind": "LIST"}}}]


async def test_entities_of_several_types_and_under_aliases_in_one_request(router: Portal, register: Store) -> None:
    complaint = a_complaint()
    await register.complaints.insert_one(complaint)
    query = """query ($one: [_Any!]!, $other: [_Any!]!) {
      _entities(representations: $one) { __typename ... on Complaint { id holder { id } } ...A }
      regions: _entities(representations: $other) { ... on Region { code name } ... on Category { code } }
      again: _entities(representations: $one) { t: __typename ... on Node { id } }
    }
    fragment A on Agency { id key: id }"""
    one = [
        {"__typename": "Agency", "id": "kab-badung"},
        {"__typename": "Complaint", "id": complaint["_id"]},
        {"__typename": "Agency", "id": "kab-nowhere"},
        {"__typename": "Complaint", "id": "LP-0"},
    ]
    other = [{"__typename": "Category", "code": "ROAD.POTHOLE"}, {"__typename": "Region", "code": "99.99"}]
    found = await asked(router, query, one=one, other=other)
    assert found["_entities"] == [
        {"__typename": "Agency", "id": "kab-badung", "key": "kab-badung"},
        {"__typename": "Complaint", "id": complaint["_id"], "holder": {"id": "kab-badung"}},
        None,
        None,
    ]
    assert found["regions"] == [{"code": "ROAD.POTHOLE"}, None]
    kinds = [row and row["t"] for row in found["again"]]
    assert kinds == ["Agency", "Complaint", None, None]


async def test_many_entities_take_one_command_for_each_kind(
    router: Portal, register: Store, commands: Commands
) -> None:
    complaints = [a_complaint() for _ in range(50)]
    await register.complaints.insert_many(complaints)
    ids = [row["_id"] for row in await register.teams.find({}).limit(5).to_list(5)]
    of = [
        *({"__typename": "Complaint", "id": row["_id"]} for row in complaints),
        *({"__typename": "Agency", "id": agency} for agency in ("kab-badung", "kab-sleman", "prov-bali", "kpi")),
        *({"__typename": "Region", "code": code} for code in ("51", "51.03", "34")),
        *({"__typename": "Category", "code": "ROAD.POTHOLE"} for _ in range(3)),
        *({"__typename": "Team", "id": team} for team in ids),
    ]
    query = """query ($of: [_Any!]!) { _entities(representations: $of) { __typename
      ... on Complaint { id status holder { name } category { code } } ... on Agency { name } ... on Region { name }
      ... on Category { code } ... on Team { id } } }"""
    await asked(router, query, of=of[:1])
    commands.sent.clear()
    found = (await asked(router, query, of=of))["_entities"]
    assert [row["__typename"] for row in found] == [row["__typename"] for row in of]
    reads = [command for command in commands.sent if any(name in command for name in READS)]
    asked_for = [command.get("find") or command.get("aggregate") for command in reads]
    # Agencies, regions, categories and teams are held in the process.
    assert asked_for.count("complaints") == 1
    assert len(set(asked_for) & {"agencies", "regions", "categories", "teams"}) == len(
        [name for name in asked_for if name in {"agencies", "regions", "categories", "teams"}]
    )


async def test_the_graph_for_people_has_none_of_it(router: Portal) -> None:
    for query in ("{ _service { sdl } }", '{ __type(name: "_Entity") { name } }'):
        answer = await router.ask(query, viewer=NATIONAL)
        assert answer.get("data") in (None, {"__type": None}), answer
