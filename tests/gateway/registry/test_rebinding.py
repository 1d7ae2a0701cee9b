"""What an agency's name resolves to is looked at as each connection is made, and the connection is made to just that.

The resolver is the test's own; 127.0.0.2 stands for the agency's public address.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr
from support import agency_example
from support.authority import Authority
from support.far_end import run_server
from support.hostile_subgraph import SDL
from support.one_graph import a_stored, knows, until
from support.portal import Portal
from support.served_gateway import serving as gateway_serving

from gateway.federation.executor.endpoint import Endpoint, TransportLimits
from gateway.federation.executor.subgraphs import SubgraphFailed, SubgraphRequest
from gateway.federation.executor.transport import HttpTransport
from gateway.registry import addresses
from gateway.registry.addresses import resolve_public
from gateway.settings import Mode, Settings
from resolvers.store.database import Store

HOST = "api.badungkab.go.id"
PUBLIC_ONE = "127.0.0.2"
UNREACHED = ("The subgraph kab-badung cannot be reached.", "SUBGRAPH_UNAVAILABLE")


class Network:
    """What the agency's name resolves to, and to which addresses a connection to its port was tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resolves_to: list[str] = []
        self.port = 0
        self.tried: list[Any] = []
        lookup, connect = socket.getaddrinfo, asyncio.BaseEventLoop.create_connection
        is_public = addresses.is_public

        def getaddrinfo(host: Any, port: Any, *given: Any, **further: Any) -> list[Any]:
            if host != HOST:
                return lookup(host, port, *given, **further)
            return [(_family(row), socket.SOCK_STREAM, 6, "", (row, port)) for row in self.resolves_to]

        async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **further: Any) -> Any:
            if port == self.port:
                self.tried.append(host)
            return await connect(loop, factory, host, port, **further)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", create_connection)
        monkeypatch.setattr(addresses, "is_public", lambda address: address == PUBLIC_ONE or is_public(address))


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


class Badung:
    """The agency's server: what it was asked, and under which server name."""

    def __init__(self, folder: Path) -> None:
        Authority(folder, HOST).issue("badung")
        self.names: list[str | None] = []
        self.hosts: list[str] = []
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(folder / "badung.pem", folder / "badung.key")
        self.tls.sni_callback = lambda sock, name, context: self.names.append(name)

    async def answer(self, asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        self.hosts.append(request.headers["host"])
        answer = web.json_response({"data": {"_entities": [{"kabBadungSurvey": 3}]}})
        answer.force_close()  # so that each request takes a connection of its own
        return answer


@pytest.fixture
async def badung(tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Badung]:
    made = Badung(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with run_server(made.answer, host=PUBLIC_ONE, tls=made.tls) as url:
        network.port = urlsplit(url).port or 0
        yield made


async def survey(portal: Portal, complaint_id: str) -> tuple[Any, tuple[str, str] | None]:
    answer = await portal.ask("query ($id: ID!) { complaint(id: $id) { title kabBadungSurvey } }", {"id": complaint_id})
    assert answer["data"]["complaint"]["title"] == "Jalan berlubang"
    errors = [(error["message"], error["extensions"]["code"]) for error in answer.get("errors", [])]
    return answer["data"]["complaint"]["kabBadungSurvey"], errors[0] if errors else None


async def test_a_name_that_leads_inside_after_publishing_is_not_followed(
    register: Store, settings: Settings, mongodb_uri: str, network: Network, badung: Badung
) -> None:
    """Published in the demonstration, where no proof is asked for; served as in production."""
    complaint_id, reached = await a_stored(register), list[Any]()
    async with gateway_serving(settings, mongodb_uri, register.database.name) as portal:
        url = f"https://{HOST}:{network.port}/"
        done = await agency_example.published(portal.session, portal.url, url, SDL)
        assert done["userErrors"] == []

    async def inside(asked: dict[str, Any], request: web.Request) -> web.StreamResponse:
        reached.append(asked)
        return web.json_response({"data": {"_entities": [{"kabBadungSurvey": 666}]}})

    key = SecretStr("the secret key of the tests, 32 long")
    production = Settings(mode=Mode.PRODUCTION, registry=True, secret_key=key, worker=False)
    async with (
        gateway_serving(production, mongodb_uri, register.database.name) as portal,
        run_server(inside, network.port, tls=badung.tls),
    ):
        await until(lambda: knows(portal, "kabBadungSurvey"))
        network.resolves_to = [PUBLIC_ONE]
        assert await survey(portal, complaint_id) == (3, None)
        assert (badung.names, badung.hosts) == ([HOST], [f"{HOST}:{network.port}"])
        assert network.tried == [PUBLIC_ONE]
        for leads_to in (["127.0.0.1"], [PUBLIC_ONE, "127.0.0.1"], ["::1"], []):
            network.resolves_to = leads_to
            assert await survey(portal, complaint_id) == (None, UNREACHED)
        assert network.tried == [PUBLIC_ONE]
        network.resolves_to = [PUBLIC_ONE]
        assert await survey(portal, complaint_id) == (3, None)
        assert network.tried == [PUBLIC_ONE, PUBLIC_ONE]
    assert reached == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
async def test_no_connection_is_made_to_an_address_that_is_not_public(
    network: Network, badung: Badung, address: str
) -> None:
    limits = TransportLimits(timeout_ms=5_000)
    transport = HttpTransport({"kab-badung": Endpoint(f"https://{HOST}:{network.port}/", limits)})
    transport.resolve = resolve_public
    try:
        for resolves_to in ([address], [PUBLIC_ONE, address], [address, PUBLIC_ONE]):
            network.resolves_to = resolves_to
            with pytest.raises(SubgraphFailed) as failed:
                await transport.ask("kab-badung", SubgraphRequest.of("{ a }", "query", {}))
            assert (str(failed.value), failed.value.code) == UNREACHED
        assert network.tried == []
        network.resolves_to = [PUBLIC_ONE]
        assert "data" in await transport.ask("kab-badung", SubgraphRequest.of("{ a }", "query", {}))
        assert network.tried == [PUBLIC_ONE]
    finally:
        await transport.close()
    assert badung.names == [HOST]


async def test_a_server_without_the_names_certificate_is_not_told_anything(
    network: Network, badung: Badung, tmp_path: Path
) -> None:
    Authority(tmp_path, "other.go.id").issue("other")
    other = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    other.load_cert_chain(tmp_path / "other.pem", tmp_path / "other.key")
    network.resolves_to = [PUBLIC_ONE]
    async with run_server(badung.answer, host=PUBLIC_ONE, tls=other) as url:
        transport = HttpTransport({"kab-badung": Endpoint(f"https://{HOST}:{urlsplit(url).port}/")})
        transport.resolve = resolve_public
        try:
            with pytest.raises(SubgraphFailed) as failed:
                await transport.ask("kab-badung", SubgraphRequest.of("{ a }", "query", {}))
        finally:
            await transport.close()
    assert (str(failed.value), failed.value.code) == UNREACHED
    assert badung.hosts == []
