"""Streams at /graphql as connections: who connects, until when, how much, and how they end. Over a real server."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.examples import a_complaint
from support.live import CHANGED, INBOX, Socket, connected, connecting
from support.portal import ADMIN, DEVELOPMENT_KEY, NATIONAL, OTHER_ADMIN, Portal, bearer
from support.ports import free_port
from support.served_gateway import serving
from support.stories import routed, submitted

from gateway.auth.tokens import mint
from gateway.http.connections import is_allowed
from gateway.settings import Settings
from resolvers.domain.vocabulary import Role
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

STREAM = {"accept": "text/event-stream"}
SATUGRAF = Path(sys.executable).with_name("satugraf")


def token(seconds: float) -> str:
    """A national admin's, that ends after so many seconds."""
    lifetime = timedelta(seconds=seconds)
    return mint(DEVELOPMENT_KEY, role=Role.NATIONAL_ADMIN, subject="desk", now=datetime.now(UTC), lifetime=lifetime)


async def event(response: aiohttp.ClientResponse) -> tuple[str, str, Any]:
    """Name, id and data of the next that is not a comment."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(20):
        async for line in response.content:
            name, _, value = line.decode().rstrip("\n").partition(":")
            if name:
                fields[name] = value.strip()
            elif line == b"\n" and "event" in fields:
                break
    return fields["event"], fields.get("id", ""), json.loads(fields["data"]) if fields["data"] else None


@asynccontextmanager
async def streaming(
    portal: Portal, query: str, viewer: Viewer = PUBLIC, method: str = "POST", headers: Any = None, **given: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    asked: dict[str, Any] = {"query": query, "variables": given if method == "POST" else json.dumps(given)}
    sent: dict[str, Any] = {"json": asked} if method == "POST" else {"params": asked}
    all_headers = STREAM | bearer(viewer) | (headers or {})
    async with portal.session.request(method, f"{portal.url}/graphql", headers=all_headers, **sent) as response:
        yield response
        response.close()


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_events_come_as_an_event_stream_that_goes_on_where_it_broke(portal: Portal, method: str) -> None:
    async with streaming(portal, INBOX, ADMIN, method, agency="kab-badung") as response:
        assert response.content_type == "text/event-stream"
        first = await routed(portal)
        name, position, body = await event(response)
        assert (name, body["data"]["agencyInbox"]["id"]) == ("next", first)
        assert body["extensions"]["position"] == position
    second = await routed(portal)
    again = {"last-event-id": position}
    async with streaming(portal, INBOX, ADMIN, method, again, agency="kab-badung") as response:
        assert (await event(response))[2]["data"]["agencyInbox"]["id"] == second
    too_old = {"last-event-id": "0" * 16}
    async with streaming(portal, INBOX, ADMIN, method, too_old, agency="kab-badung") as response:
        assert (await event(response))[2]["errors"][0]["extensions"]["code"] == "READ_ANEW"
        assert (await event(response))[0] == "complete"


async def test_a_secret_is_not_taken_in_a_url(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal, PUBLIC, confidential=True)
    for method, code in (("GET", "BAD_USER_INPUT"), ("POST", None)):
        async with streaming(portal, CHANGED, method=method, id=complaint_id, secret=secret) as response:
            _, _, body = await event(response)
            assert body.get("errors", [{}])[0].get("extensions", {}).get("code") == code


async def test_a_stream_that_ends_says_so_in_the_stream(register: Store, portal: Portal) -> None:
    row = a_complaint()
    await register.complaints.insert_one(row)
    async with streaming(portal, CHANGED, id=row["_id"]) as response:
        assert (await event(response))[0] == "next"
        hidden = {"$set": {"readers": ["national"]}, "$inc": {"revision": 1}}
        await register.complaints.update_one({"_id": row["_id"]}, hidden)
        assert (await event(response))[2]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert await event(response) == ("complete", "", None)


async def test_queries_and_mutations_have_one_result(portal: Portal) -> None:
    async with streaming(portal, "{ viewer { role } }", ADMIN) as response:
        assert (await event(response))[2]["data"] == {"viewer": {"role": "AGENCY_ADMIN"}}
        assert (await event(response))[0] == "complete"
    mutation = 'mutation { updateAgency(input: {agency: "kab-badung"}) { userErrors { code } } }'
    async with streaming(portal, mutation, method="GET") as response:
        assert (await event(response))[2]["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer nonsense"},
        {"Authorization": "Basic eA=="},
        {"authorization": "Bearer"},
        {"authorization": "Bearer " + "x" * 9000},
    ],
)
async def test_a_bad_token_closes_with_4403_and_why(edge: Portal, payload: dict[str, str]) -> None:
    async with connecting(edge) as raw:
        await raw.send_json({"type": "connection_init", "payload": payload})
        code, reason = await Socket(raw).closed()
        assert code == 4403
        assert "oken" in reason or "header" in reason
        assert "nonsense" not in reason


async def test_a_token_is_taken_from_the_handshake_too(edge: Portal) -> None:
    async with connecting(edge, headers=bearer(OTHER_ADMIN)) as raw:
        await raw.send_json({"type": "connection_init"})
        assert await raw.receive_json(timeout=20) == {"type": "connection_ack"}
        socket = Socket(raw)
        await socket.subscribe("{ viewer { role } }")
        assert (await socket.event())["role"] == "AGENCY_ADMIN"


async def test_a_token_that_ends_ends_its_streams(portal: Portal) -> None:
    soon = {"authorization": f"Bearer {token(2)}"}
    async with (
        connected(portal, payload=soon) as socket,
        streaming(portal, INBOX, headers=soon, agency="kab-badung") as response,
    ):
        await socket.standing(INBOX, agency="kab-badung")
        assert await socket.closed() == (4403, "The token has expired: log in again.")
        assert (await event(response))[2]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await event(response))[0] == "complete"
    async with connecting(portal) as raw:
        await raw.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {token(-5)}"}})
        assert (await Socket(raw).closed())[0] == 4403


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "may"),
    [
        (None, "lapor.go.id", (), True),
        ("https://lapor.go.id", "lapor.go.id", (), True),
        ("https://lapor.go.id", "lapor.go.id:443", (), True),
        ("http://localhost:8000", "localhost:8000", (), True),
        ("http://localhost:8001", "localhost:8000", (), False),
        ("https://evil.example", "lapor.go.id", (), False),
        ("https://lapor.go.id.evil.example", "lapor.go.id", (), False),
        ("null", "lapor.go.id", (), False),
        ("https://[", "lapor.go.id", (), False),
        ("https://lapor.go.id:x", "lapor.go.id", (), False),
        ("https://lapor.go.id", None, (), False),
        ("https://portal.go.id", "lapor.go.id", ("https://portal.go.id",), True),
        ("https://portal.go.id", "lapor.go.id", ("*",), True),
    ],
)
def test_pages_of_the_host_and_of_allowed_origins_connect(
    origin: str | None, host: str | None, allowed: tuple[str, ...], may: bool
) -> None:
    assert is_allowed(origin, host, allowed) is may


async def test_another_sites_page_is_refused_at_the_handshake(
    store: Store, settings: Settings, mongodb_uri: str
) -> None:
    opened = settings.model_copy(update={"allowed_origins": "https://portal.go.id, https://app.go.id/"})
    async with serving(opened, mongodb_uri, store.database.name) as portal:
        for origin in (portal.url, "https://portal.go.id", "https://app.go.id"):
            async with connecting(portal, headers={"origin": origin}):
                pass
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with connecting(portal, headers={"origin": "https://evil.example"}):
                pass


@pytest.fixture
def narrow(settings: Settings) -> Settings:
    limits = {"subscriptions_per_connection": 2, "connections_per_address": 3, "connections_per_subject": 2}
    return settings.model_copy(update=limits)


async def test_connections_and_subscriptions_are_bounded(register: Store, narrow: Settings, mongodb_uri: str) -> None:
    async with serving(narrow, mongodb_uri, register.database.name) as portal:
        async with connected(portal, ADMIN) as one, connected(portal, ADMIN), connecting(portal) as third:
            await third.send_json({"type": "connection_init", "payload": bearer(ADMIN)})
            assert (await Socket(third).closed())[0] == 4429
            async with connected(portal, NATIONAL), connecting(portal) as fourth:
                assert (await Socket(fourth).closed())[0] == 4429
                async with streaming(portal, INBOX, NATIONAL, agency="kab-badung") as response:
                    assert response.status == 503
                    assert (await response.json())["errors"][0]["extensions"]["code"] == "TOO_MANY_CONNECTIONS"
            for number in range(3):
                await one.subscribe(INBOX, str(number), agency="kab-badung")
            assert (await one.closed())[0] == 4429
        async with connected(portal, ADMIN), connected(portal, ADMIN):
            pass


async def test_a_subscription_may_not_cost_what_a_query_may(portal: Portal) -> None:
    query = (
        'subscription { agencyInbox(agency: "kab-badung") { holder { complaints(first: 100) { nodes { id%s } } } } }'
    )
    async with connected(portal, ADMIN) as socket:
        await socket.subscribe(query % " holder { teams { id } } region: location { region { code } }")
        assert await socket.refusal() == "COST_LIMIT_EXCEEDED"
        await socket.subscribe("subscription { " + "x" * 10)
        assert await socket.refusal() == "GRAPHQL_PARSE_FAILED"
        await socket.subscribe('subscription { a: agencyInbox(agency: "a") { id } b: agencyInbox(agency: "b") { id } }')
        assert await socket.refusal() == "GRAPHQL_VALIDATION_FAILED"
        await socket.subscribe('subscription { agencyInbox(agency: "kab-badung") @skip(if: true) { id } }')
        assert await socket.refusal() in ("GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["[]"], 4400),
        (['{"type": "connection_init", "payload": []}'], 4400),
        (['{"type": "connection_init", "payload": {"authorization": {}}}', '{"type": "next"}'], 4400),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { role } }"}}'], 4401),
        (['{"type": "connection_init"}'] * 2, 4429),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": "1", "payload": {"query": 5}}'], 4400),
        (["x" * 300_000], 1009),
    ],
)
async def test_what_is_not_the_protocol_closes_by_its_codes(edge: Portal, messages: list[str], code: int) -> None:
    async with connecting(edge) as raw:
        for message in messages:
            await raw.send_str(message)
        assert (await Socket(raw).closed())[0] == code


async def test_a_position_that_is_no_text_is_refused(portal: Portal) -> None:
    async with connected(portal, ADMIN) as socket:
        payload = {"query": INBOX, "variables": {"agency": "kab-badung"}, "extensions": {"position": 5}}
        await socket.raw.send_json({"id": "s", "type": "subscribe", "payload": payload})
        assert await socket.refusal() == "BAD_REQUEST"


async def test_who_is_too_slow_is_let_go_and_nobody_else(
    register: Store, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.websocket.ROOM_SECONDS", 0.2)
    row = a_complaint(body="x" * 10_000)
    await register.complaints.insert_one(row)
    large = (
        "subscription ($id: ID!) { complaintChanged(complaint: $id) { revision "
        + " ".join(f"b{number}: body" for number in range(40))
        + " } }"
    )
    async with connected(portal, ADMIN) as slow, connected(portal, ADMIN) as quick:
        await slow.subscribe(large, id=row["_id"])
        await quick.subscribe(CHANGED, id=row["_id"])
        seen = (await quick.event())["revision"]
        # More than the queue and the kernel's buffers between us hold.
        for _ in range(250):
            await register.complaints.update_one({"_id": row["_id"]}, {"$inc": {"revision": 1}})
            seen = (await quick.event())["revision"]
        assert seen == row["revision"] + 250
        assert (await slow.closed())[0] == 1013
        async with portal.session.get(f"{portal.url}/metrics") as response:
            text = await response.text()
        assert 'satugraf_closed_streams_total{code="1013"}' in text
        assert "satugraf_subscriptions 1.0" in text


async def test_a_fault_of_ours_is_told_by_a_code_and_heals(
    register: Store, portal: Portal, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gateway.app.RESTART_SECONDS", 0.05)

    def fails(event: Any) -> Any:
        raise ValueError("RAHASIA")

    async with connected(portal, ADMIN) as socket:
        await socket.standing(INBOX, agency="kab-badung")
        with monkeypatch.context() as faulty:
            faulty.setattr("resolvers.store.complaint_stream.read_change", fails)
            await register.complaints.insert_one(a_complaint())
            assert (await socket.closed())[0] == 4410
    async with connected(portal, ADMIN) as socket:
        await socket.subscribe(INBOX, agency="kab-badung")
        # The stream begins anew meanwhile: what is filed before it has begun is told to nobody.
        filing = asyncio.create_task(_filed_on_and_on(register))
        try:
            assert (await socket.event())["holder"] == {"id": "kab-badung"}
        finally:
            filing.cancel()
    assert "RAHASIA" not in "".join(capfd.readouterr())


async def _filed_on_and_on(register: Store) -> None:
    while True:
        await register.complaints.insert_one(a_complaint())
        await asyncio.sleep(0.1)


async def test_who_goes_leaves_nothing_behind(portal: Portal) -> None:
    async with connected(portal, ADMIN) as socket:
        await socket.standing(INBOX, agency="kab-badung")
        assert await metric(portal, "satugraf_subscriptions") == 1
        await socket.raw.send_json({"id": "s", "type": "complete"})
        await until_none(portal, "satugraf_subscriptions")
        await socket.standing(INBOX, agency="kab-badung")
    await until_none(portal, "satugraf_subscriptions")
    await until_none(portal, "satugraf_stream_connections")


async def metric(portal: Portal, name: str) -> float:
    async with portal.session.get(f"{portal.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


async def until_none(portal: Portal, name: str) -> None:
    async with asyncio.timeout(20):
        while await metric(portal, name):  # noqa: ASYNC110 - the gateway says it
            await asyncio.sleep(0.02)


@contextmanager
def served(uri: str, database: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATUGRAF_")} | {
        "SATUGRAF_MONGODB_URI": uri,
        "SATUGRAF_MONGODB_DATABASE": database,
        "SATUGRAF_MODE": "development",
        "SATUGRAF_SECRET_KEY": "the secret key of the tests, 32 long",
        "SATUGRAF_DEVELOPMENT_KEY": DEVELOPMENT_KEY,
    }
    running = subprocess.Popen([str(SATUGRAF), "serve", "--port", str(port)], env=environment)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


async def test_a_process_that_is_told_to_stop_says_so_to_all(register: Store, mongodb_uri: str) -> None:
    port = free_port()
    with served(mongodb_uri, register.database.name, port) as running:
        async with aiohttp.ClientSession() as session:
            portal = Portal(session, f"http://127.0.0.1:{port}")
            await ready(portal)
            async with (
                connected(portal, ADMIN) as socket,
                streaming(portal, INBOX, ADMIN, agency="kab-badung") as response,
            ):
                await socket.standing(INBOX, agency="kab-badung")
                started = time.monotonic()
                running.send_signal(signal.SIGTERM)
                assert (await socket.closed())[0] == 1001
                assert (await event(response))[2]["errors"][0]["extensions"]["code"] == "STOPPING"
                assert (await event(response))[0] == "complete"
        await asyncio.to_thread(running.wait, 30)
        assert time.monotonic() - started < 15


async def ready(portal: Portal) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with portal.session.get(f"{portal.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
