"""The example of an agency's subgraph, as it is started and as the gateway asks it."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support import agency_example
from support.far_end import free_port
from support.portal import ADMIN, bearer

from gateway.auth.subgraph_tokens import SubgraphTokens
from resolvers.domain.vocabulary import Role
from resolvers.viewer import Viewer

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS = SubgraphTokens(b"the secret key of the example's tests")
NUMBERS = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on KabBadungLocalCase { number } } }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keys_url() -> AsyncIterator[str]:
    """A gateway that publishes its keys and does nothing else."""

    async def published(request: web.Request) -> web.Response:
        return web.json_response(TOKENS.build_key_set(datetime.now(UTC)))

    app = web.Application()
    app.router.add_get("/.well-known/jwks.json", published)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def example(keys_url: str) -> AsyncIterator[str]:
    """The URL of the running example, one for all tests."""
    port = free_port()
    async with agency_example.running(port, keys_url):
        yield f"http://127.0.0.1:{port}/graphql"


async def asked(url: str, body: Any, token: str | None) -> tuple[int, Any]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.post(url, **body, headers=headers) as answer:
        return answer.status, await answer.json()


def query_token() -> str:
    return TOKENS.make_query_token("kab-badung", ADMIN, datetime.now(UTC))


async def test_the_gateway_is_answered(example: str) -> None:
    representations = [{"__typename": "KabBadungLocalCase", "id": "LP-1"}]
    body = {"json": {"query": NUMBERS, "variables": {"of": representations}}}
    number = int(hashlib.sha256(b"LP-1").hexdigest(), 16) % 10_000
    answer = await asked(example, body, query_token())
    assert answer == (200, {"data": {"_entities": [{"number": f"BDG-2026-{number:04}"}]}})


def signed(key: Any, algorithm: str = "EdDSA", kid: str | None = None) -> str:
    """The gateway's claims, signed by another key or by none."""
    genuine = query_token()
    claims = jwt.decode(genuine, options={"verify_signature": False})
    return jwt.encode(
        claims, key, algorithm=algorithm, headers={"kid": kid or jwt.get_unverified_header(genuine)["kid"]}
    )


def tampered() -> str:
    """The gateway's own signature, under another role."""
    head, _, signature = query_token().split(".")
    claims = jwt.decode(query_token(), options={"verify_signature": False}) | {"role": "NATIONAL_ADMIN"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


async def test_nobody_else_is(example: str, keys_url: str) -> None:
    now, own = datetime.now(UTC), Ed25519PrivateKey.generate()
    published = jwt.PyJWKSet.from_dict(TOKENS.build_key_set(now)).keys[1].key
    raw = published.public_bytes(Encoding.Raw, PublicFormat.Raw)
    refused = {
        "none": None,
        "nonsense": "x",
        "two dots": "..",
        "signed by another key under a known name": SubgraphTokens(b"another").make_query_token(
            "kab-badung", ADMIN, now
        ),
        "by a key that is not published": signed(own, kid="2020-01-01"),
        "without a signature": signed(None, "none"),
        "by the public key as a secret": signed(raw, "HS256"),
        "a genuine one, changed": tampered(),
        "for another subgraph": TOKENS.make_query_token("kota-semarang", ADMIN, now),
        "expired": SubgraphTokens(TOKENS.secret).make_query_token("kab-badung", ADMIN, now - timedelta(seconds=61)),
        "a user's own": bearer(ADMIN)["authorization"].removeprefix("Bearer "),
    }
    for what, token in refused.items():
        for body in ({"json": {"query": "{ kabBadungVisitsPlanned }"}}, {"data": b"x"}):
            status, answered = await asked(example, body, token)
            assert status == 401, what
            assert "data" not in answered, what


PLAN = b'{"query": "mutation { kabBadungPlanVisit(complaint: \\"LP-9\\") }"}'


async def test_a_token_for_a_query_changes_nothing(example: str) -> None:
    assert (await asked(example, {"data": PLAN}, query_token()))[0] == 401
    planned = await asked(example, {"json": {"query": "{ kabBadungVisitsPlanned }"}}, query_token())
    assert planned == (200, {"data": {"kabBadungVisitsPlanned": 4}})


async def test_only_the_regencys_own_staff_plans(example: str) -> None:
    other = Viewer(Role.AGENCY_ADMIN, "somebody", "kab-sleman")
    token = TOKENS.make_mutation_token("kab-badung", other, datetime.now(UTC), PLAN)
    assert await asked(example, {"data": PLAN}, token) == (200, {"data": {"kabBadungPlanVisit": None}})


# Last: the others find what the example begins with.
async def test_a_token_for_a_change_is_good_once_and_for_its_body(example: str) -> None:
    token = TOKENS.make_mutation_token("kab-badung", ADMIN, datetime.now(UTC), PLAN)
    assert (await asked(example, {"data": PLAN + b" "}, token))[0] == 401
    assert (await asked(example, {"data": PLAN.replace(b"LP-9", b"LP-8")}, token))[0] == 401
    assert await asked(example, {"data": PLAN}, token) == (200, {"data": {"kabBadungPlanVisit": 5}})
    assert (await asked(example, {"data": PLAN}, token))[0] == 401
    planned = await asked(example, {"json": {"query": "{ kabBadungVisitsPlanned }"}}, query_token())
    assert planned == (200, {"data": {"kabBadungVisitsPlanned": 5}})
