"""Tokens that the gateway itself signs for the agencies' subgraphs that it calls, and the keys to verify them by.

Keys follow from the secret key and the day: every process has the same, none is stored, and each is published the day
before it is used until the day after.
"""

import base64
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from resolvers.viewer import Viewer

ISSUER: Final = "satugraf"
LIFETIME: Final = timedelta(seconds=60)
_REUSED_FOR: Final = timedelta(seconds=30)
_REUSED: Final = 1000
_DAY: Final = timedelta(days=1)

Reused = tuple[datetime, str]


@dataclass(slots=True)
class SubgraphTokens:
    """Makes the tokens; `secret` is the gateway's secret key."""

    secret: bytes
    _made: "OrderedDict[tuple[str, str, str | None], Reused]" = field(default_factory=OrderedDict)

    def for_query(self, subgraph: str, viewer: Viewer, now: datetime) -> str:
        """For the subgraph as audience: the viewer's role and agency, never who it is; good for a minute at most."""
        key = (subgraph, viewer.role.value, viewer.agency)
        made = self._made.get(key)
        if made is not None and timedelta(0) <= now - made[0] < _REUSED_FOR:
            return made[1]
        token = self._signed(subgraph, viewer, now, {})
        self._made[key] = (now, token)
        if len(self._made) > _REUSED:
            self._made.popitem(last=False)
        return token

    def for_mutation(self, subgraph: str, viewer: Viewer, now: datetime, body: bytes) -> str:
        """As for a query, and good for this one body alone: `jti` names the call, `bsh` is the body's SHA-256."""
        return self._signed(subgraph, viewer, now, {"jti": secrets.token_urlsafe(16), "bsh": body_digest(body)})

    def _signed(self, subgraph: str, viewer: Viewer, now: datetime, further: dict[str, str]) -> str:
        day = now.astimezone(UTC).date()
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": subgraph,
            "iat": now,
            "exp": now + LIFETIME,
            "role": viewer.role.value,
            **({} if viewer.agency is None else {"agency": viewer.agency}),
            **further,
        }
        return jwt.encode(claims, _key(self.secret, day), algorithm="EdDSA", headers={"kid": day.isoformat()})

    def key_set(self, now: datetime) -> dict[str, Any]:
        """The JSON Web Key Set at `/.well-known/jwks.json`: yesterday's key, today's and tomorrow's."""
        today = now.astimezone(UTC).date()
        return {"keys": [_published(self.secret, today + _DAY * offset) for offset in (-1, 0, 1)]}


def body_digest(body: bytes) -> str:
    return _base64url(hashlib.sha256(body).digest())


@lru_cache(maxsize=8)
def _key(secret: bytes, day: date) -> Ed25519PrivateKey:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"subgraph tokens\0" + day.isoformat().encode())
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret))


def _published(secret: bytes, day: date) -> dict[str, str]:
    public = _key(secret, day).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": day.isoformat(),
        "x": _base64url(public),
    }


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
