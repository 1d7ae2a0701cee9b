"""The example of an agency's subgraph, as it is started and as the gateway asks it."""

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from far_end import free_port

from gateway.auth.outgoing import SubgraphTokens
from resolvers.domain.vocabulary import Role
from resolvers.viewer import Viewer

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "agency-subgraph" / "app.py"
TOKENS = SubgraphTokens(b"the secret key of the example's tests")
ADMIN = Viewer(Role.AGENCY_ADMIN, "demo-admin", "kab-badung")
NUMBERS = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on KabBadungLocalCase { number } } }"


@pytest.fixture
async def keys_url() -> AsyncIterator[str]:
    """Where the gateway publishes its keys."""

    async def published(request: web.Request) -> web.Response:
        return web.json_response(TOKENS.key_set(datetime.now(UTC)))

    app = web.Application()
    app.router.add_get("/jwks.json", published)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
    finally:
        await runner.cleanup()


@pytest.fixture
async def example(keys_url: str) -> AsyncIterator[str]:
    """The URL of the running example."""
    port = free_port()
    environment = {**os.environ, "SATUGRAF_KEYS_URL": keys_url}
    process = await asyncio.create_subprocess_exec(sys.executable, str(EXAMPLE), str(port), env=environment)
    try:
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                break
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        process.kill()
        await process.wait()


async def asked(url: str, body: Any, token: str | None) -> tuple[int, Any]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.post(url, **body, headers=headers) as answer:
        return answer.status, await answer.json()


def query_token() -> str:
    return TOKENS.for_query("kab-badung", ADMIN, datetime.now(UTC))


async def test_the_gateway_alone_is_answered(example: str) -> None:
    representations = [{"__typename": "KabBadungLocalCase", "id": "LP-1"}]
    body = {"json": {"query": NUMBERS, "variables": {"of": representations}}}
    number = int(hashlib.sha256(b"LP-1").hexdigest(), 16) % 10_000
    answer = await asked(example, body, query_token())
    assert answer == (200, {"data": {"_entities": [{"number": f"BDG-2026-{number:04}"}]}})

    claims = jwt.decode(query_token(), options={"verify_signature": False})
    now = datetime.now(UTC)
    refused = {
        "none": None,
        "nonsense": "x",
        "forged": SubgraphTokens(b"somebody else's key").for_query("kab-badung", ADMIN, now),
        "for another": TOKENS.for_query("kota-semarang", ADMIN, now),
        "expired": SubgraphTokens(TOKENS.secret).for_query("kab-badung", ADMIN, now - timedelta(minutes=2)),
        "signed otherwise": jwt.encode(claims, "x" * 32, algorithm="HS256"),
    }
    for what, token in refused.items():
        status, answered = await asked(example, body, token)
        assert status == 401, what
        assert "data" not in answered


async def test_a_token_for_a_change_is_good_once_and_for_its_body(example: str) -> None:
    body = b'{"query": "{ kabBadungVisitsPlanned }"}'
    token = TOKENS.for_mutation("kab-badung", ADMIN, datetime.now(UTC), body)
    assert (await asked(example, {"data": body + b" "}, token))[0] == 401
    assert await asked(example, {"data": body}, token) == (200, {"data": {"kabBadungVisitsPlanned": 4}})
    assert (await asked(example, {"data": body}, token))[0] == 401
