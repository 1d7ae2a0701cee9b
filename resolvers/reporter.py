"""Reporters: sealed at submission in a collection of their own; no field of a complaint holds who they are."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resolvers import text
from resolvers.context import RequestContext

_INCLUSION: Final = ("sex", "ageBand", "disability")
_LIMITS: Final = {"name": 200, "email": 254, "phone": 30, "nik": 16}


async def seal(context: RequestContext, complaint_id: str, given: Mapping[str, Any]) -> str | None:
    """Stores what the reporter gave, encrypted; the sealed record's id, or None where nothing was given.

    Inclusion data are kept only with consent. Raises InvalidInput for a text that is too long.
    """
    kept = {key: text.optional(given.get(key), "reporter", key, at_most=limit) for key, limit in _LIMITS.items()}
    if given.get("inclusionConsent"):
        kept |= {key: given.get(key) for key in _INCLUSION}
    kept = {key: value for key, value in kept.items() if value is not None}
    if not kept:
        return None
    reporter_id, nonce = f"RP-{secrets.token_hex(12)}", secrets.token_bytes(12)
    sealed = AESGCM(_key(context)).encrypt(nonce, orjson.dumps(kept), reporter_id.encode())
    await context.store.reporters.insert_one(
        {"_id": reporter_id, "complaint": complaint_id, "sealed": nonce + sealed, "sealedAt": context.now}
    )
    return reporter_id


async def discard(context: RequestContext, reporter_id: str | None) -> None:
    """Takes back what was sealed for a submission that had been made before."""
    if reporter_id is not None:
        await context.store.reporters.delete_one({"_id": {"$eq": reporter_id}})


def _key(context: RequestContext) -> bytes:
    return hmac.digest(context.secret_key, b"reporters\0", hashlib.sha256)
