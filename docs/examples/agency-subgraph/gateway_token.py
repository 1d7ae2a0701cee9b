"""Who the national gateway says is asking: the check of the token that it sends with each call.

SATUGRAF_KEYS_URL names the gateway's keys where it is not on this machine.
"""

import asyncio
import base64
import hashlib
import os
from typing import Any

import jwt

KEYS = jwt.PyJWKClient(os.environ.get("SATUGRAF_KEYS_URL", "http://127.0.0.1:8000/.well-known/jwks.json"), timeout=5)
InvalidToken = jwt.PyJWTError
seen: set[str] = set()  # calls that changed something; with several processes, a shared store


async def claims_of(authorization: str, body: bytes, agency: str) -> dict[str, Any]:
    """The claims of the gateway's token: `role` and `agency` of who is asking. Raises InvalidToken.

    A token for a mutation also names its call, taken once, and the digest of its body; no other token changes anything.
    """
    token = authorization.removeprefix("Bearer ")
    key = await asyncio.to_thread(KEYS.get_signing_key_from_jwt, token)
    claims: dict[str, Any] = jwt.decode(
        token, key.key, algorithms=["EdDSA"], audience=agency, issuer="satugraf", options={"require": ["exp", "role"]}
    )
    if "jti" in claims:
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        if claims["jti"] in seen or claims.get("bsh") != digest:
            raise jwt.InvalidTokenError("The token belongs to another call.")
        seen.add(claims["jti"])
    return claims
