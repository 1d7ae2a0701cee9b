"""The proof that an agency controls its subgraph's host: the host serves a text that only this gateway can make."""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from gateway.registry.addresses import PublicResolver

FETCH_SECONDS: Final = 5
_MAX_BYTES: Final = 1024


def make_proof(secret: bytes, agency: str, url: str) -> str:
    """Returns the text that the host must serve. It depends on agency and host, so no copy proves anything."""
    said = f"subgraph\0{agency}\0{urlsplit(url).hostname}".encode()
    return f"satugraf-{hmac.digest(secret, said, hashlib.sha256).hex()[:32]}"


def make_proof_url(agency: str, url: str) -> str:
    """Returns the URL at which the host must serve the text."""
    return f"https://{urlsplit(url).netloc}/.well-known/satugraf-{agency}.txt"


async def is_proven(expected: str, make_proof_url: str) -> bool:
    """Whether the host serves the text. It never says why not: callers must not learn what the gateway can reach."""
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    connector = aiohttp.TCPConnector(resolver=PublicResolver(), force_close=True)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.get(make_proof_url, allow_redirects=False) as answer,
        ):
            text = await answer.content.read(_MAX_BYTES)
            return answer.status == 200 and hmac.compare_digest(text.strip(), expected.encode())
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return False
