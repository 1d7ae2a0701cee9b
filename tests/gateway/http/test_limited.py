"""A production gateway: no introspection, no console, a deadline on every operation."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from support.portal import ADMIN, Portal, bearer

from gateway.settings import Mode, Settings
from resolvers.request.context import RequestContext


@pytest.fixture
def settings() -> Settings:
    return Settings(
        mode=Mode.PRODUCTION,
        secret_key=SecretStr("the secret key of the tests, 32 long"),
        introspection=False,
        console=False,
        request_deadline_ms=200,
        cost_limit_points=100,
    )


async def test_introspection_and_suggestions_tell_nothing(edge: Portal) -> None:
    hidden = await edge.ask("{ __schema { types { name } } }")
    assert hidden["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    for query in ("{ complaint_ }", "{ complaints(filtr: 1) { nodes { id } } }", "{ agencies { nods { id } } }"):
        assert "Did you mean" not in str(await edge.ask(query))


async def test_there_is_no_console(edge: Portal) -> None:
    async with edge.session.get(f"{edge.url}/console/") as response:
        assert response.status == 404


async def test_without_a_provider_no_token_is_taken(edge: Portal) -> None:
    async with edge.session.post(
        f"{edge.url}/graphql", json={"query": "{ viewer { role } }"}, headers=bearer(ADMIN)
    ) as response:
        assert response.status == 401


async def test_an_operation_that_takes_too_long_ends(edge: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(context: RequestContext, agency_id: str) -> Any:
        await asyncio.sleep(5)

    monkeypatch.setattr("resolvers.agencies.agency.by_id", slow)
    body = await edge.ask('{ agency(id: "x") { id } }')
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "TIMEOUT"


async def test_the_cost_limit_is_the_operators(edge: Portal) -> None:
    body = await edge.ask("{ agencies(first: 100) { nodes { id } } }")
    assert body["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert "100" in body["errors"][0]["message"]
