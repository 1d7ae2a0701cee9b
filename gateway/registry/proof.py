"""The proof that a subgraph's host is the agency's: a text that it serves."""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from gateway.registry.addresses import PublicResolver

FETCH_SECONDS: Final = 5
_MAX_BYTES: Final = 1024


def proof(secret: bytes, agency: str, url: str) -> str:
    """What the host serves: it follows from agency and host, so that nobody else's copy of it is worth anything."""
    said = f"subgraph\0{agency}\0{urlsplit(url).hostname}".encode()
    return f"satugraf-{hmac.digest(secret, said, hashlib.sha256).hex()[:32]}"


def place(agency: str, url: str) -> str:
    """Where the host serves it."""
    return f"https://{urlsplit(url).netloc}/.well-known/satugraf-{agency}.txt"


async def is_proven(expected: str, place: str) -> bool:
    """Whether the host serves it; why not is nobody's business, lest the gateway be used to look around."""
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    connector = aiohttp.TCPConnector(resolver=PublicResolver(), force_close=True)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.get(place, allow_redirects=False) as answer,
        ):
            served = await answer.content.read(_MAX_BYTES)
            return answer.status == 200 and hmac.compare_digest(served.strip(), expected.encode())
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return False
