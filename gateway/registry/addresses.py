"""Where the gateway may connect to on an agency's behalf: public addresses, checked as the connection is made."""

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
"""NAT64, 6to4, Teredo and IPv4-compatible addresses, each of which leads to an IPv4 address that only the far router
knows; and special purposes that not every version of Python's own table has."""


class ForbiddenAddress(OSError):
    """The address is none that an agency's subgraph may have; the sentence never says what was found there."""


def check_url(url: str, *, development: bool) -> None:
    """Raises ForbiddenAddress with a sentence; in development plain http and this machine are taken."""
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
    """Whether anybody on the internet could connect to it; what cannot be told is not public."""
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
    """Whether a resolver would take it for an address, also as C libraries spell it: 127.1, 0x7f000001."""
    try:
        socket.inet_aton(host)
    except OSError:
        return ":" in host or host.rstrip(".").rpartition(".")[2].isdigit()
    return True


async def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, each time as they are now. Raises ForbiddenAddress where any of them is not public."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddress(f"{host} cannot be reached.")
    return addresses


class PublicResolver(AbstractResolver):
    """Resolves for each new connection, and gives it the addresses only where every one of them is public.

    The connection is made to an address that was checked, under the host's own name: what the name resolves to a moment
    later changes nothing.
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
