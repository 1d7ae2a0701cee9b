"""Restricts agencies' URLs to public addresses, checked when a connection is made (against SSRF)."""

import asyncio
import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

MAX_URL_LENGTH: Final = 2000

_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"),
        *("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16"),
    )
)
"""Networks that are never public. The first line: NAT64, 6to4, Teredo and IPv4-compatible addresses, which a router far
away maps to any IPv4 address. The second line: special purposes that older versions of `ipaddress` do not know."""


class ForbiddenAddress(OSError):
    """An agency's subgraph may not have this address. The message never says what the address leads to."""


def check_url(url: str, *, development: bool) -> None:
    """Raises ForbiddenAddress. In development, plain http and addresses of this machine are allowed too."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenAddress(f"{url[:200]!r} is no URL.") from None
    if len(url) > MAX_URL_LENGTH:
        raise ForbiddenAddress(f"The URL has {len(url)} characters; at most {MAX_URL_LENGTH} are taken.")
    schemes = ("https", "http") if development else ("https",)
    if parts.scheme not in schemes or not host:
        raise ForbiddenAddress(f"{url!r} must begin with {schemes[0]}:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("The URL may hold no user name or password: calls carry a token of the gateway's own.")
    if parts.fragment or not url.isascii() or any(character <= " " for character in url):
        raise ForbiddenAddress(f"{url!r} has a fragment, a blank or a character outside ASCII.")
    if not development and _is_literal(host):
        raise ForbiddenAddress(f"{host} is an address: name the host, as its certificate does.")


def is_public(address: str) -> bool:
    """Whether anybody on the internet could connect to the address. A text that is not an address is not public."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed.is_site_local:
            return False
    is_special = parsed.is_multicast or parsed.is_reserved or any(parsed in network for network in _NEVER)
    return parsed.is_global and not is_special


def _is_literal(host: str) -> bool:
    """Whether a resolver takes the host for an address, in the spellings of C libraries too: 127.1, 0x7f000001."""
    try:
        socket.inet_aton(host)
    except OSError:
        return ":" in host or host.rstrip(".").rpartition(".")[2].isdigit()
    return True


async def resolve_public(host: str, port: int) -> list[str]:
    """Resolves a host, without a cache. Raises ForbiddenAddress if any of its addresses is not public."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddress(f"{host} cannot be reached.")
    return addresses


class PublicResolver(AbstractResolver):
    """aiohttp's resolver for hosts of agencies: it raises ForbiddenAddress unless every address is public.

    The connection goes to the checked address itself. A name that resolves to another address a moment later (DNS
    rebinding) changes nothing; the certificate is still checked for the host's name.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, socket.AF_UNSPEC)
        if not found or not all(is_public(row["host"]) for row in found):
            raise ForbiddenAddress(f"{host} cannot be reached.")
        return found

    async def close(self) -> None:
        await self._resolver.close()
