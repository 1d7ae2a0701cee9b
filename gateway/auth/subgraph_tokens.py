"""Tokens that the gateway signs for its requests to agencies' subgraphs, and the public keys to verify them.

The signing key is derived from the secret key and the day, so every process has the same key and none is stored. Each
key is published from the day before its use to the day after.
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

CachedToken = tuple[datetime, str]


@dataclass(slots=True)
class SubgraphTokens:
    """Signs the tokens; `secret` is the gateway's secret key."""

    secret: bytes
    _made: "OrderedDict[tuple[str, str, str | None], CachedToken]" = field(default_factory=OrderedDict)

    def make_query_token(self, subgraph: str, viewer: Viewer, now: datetime) -> str:
        """Returns a token for the subgraph as audience. It names the viewer's role and agency, never the person.

        It is valid for a minute, and reused for half of that: signing costs more than a small request.
        """
        key = (subgraph, viewer.role.value, viewer.agency)
        made = self._made.get(key)
        if made is not None and timedelta(0) <= now - made[0] < _REUSED_FOR:
            return made[1]
        token = self._sign(subgraph, viewer, now, {})
        self._made[key] = (now, token)
        if len(self._made) > _REUSED:
            self._made.popitem(last=False)
        return token

    def make_mutation_token(self, subgraph: str, viewer: Viewer, now: datetime, body: bytes) -> str:
        """Returns a token for this one request: `jti` names it, and `bsh` is the SHA-256 of its body."""
        return self._sign(subgraph, viewer, now, {"jti": secrets.token_urlsafe(16), "bsh": digest_body(body)})

    def _sign(self, subgraph: str, viewer: Viewer, now: datetime, further: dict[str, str]) -> str:
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
        return jwt.encode(claims, _derive_key(self.secret, day), algorithm="EdDSA", headers={"kid": day.isoformat()})

    def build_key_set(self, now: datetime) -> dict[str, Any]:
        """Returns the JSON Web Key Set for `/.well-known/jwks.json`: yesterday's, today's and tomorrow's key."""
        today = now.astimezone(UTC).date()
        return {"keys": [_to_jwk(self.secret, today + _DAY * offset) for offset in (-1, 0, 1)]}


def digest_body(body: bytes) -> str:
    return _encode_base64url(hashlib.sha256(body).digest())


@lru_cache(maxsize=8)
def _derive_key(secret: bytes, day: date) -> Ed25519PrivateKey:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"subgraph tokens\0" + day.isoformat().encode())
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret))


def _to_jwk(secret: bytes, day: date) -> dict[str, str]:
    public = _derive_key(secret, day).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": day.isoformat(),
        "x": _encode_base64url(public),
    }


def _encode_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
