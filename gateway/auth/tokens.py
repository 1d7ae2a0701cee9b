"""Mints development tokens, and verifies bearer tokens: JWT claims become a Viewer."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import jwt

from gateway.auth.keys import DEVELOPMENT_ALGORITHMS, PROVIDER_ALGORITHMS, ProviderKeys
from resolvers.domain.vocabulary import Role
from resolvers.viewer import Viewer

DEVELOPMENT_ISSUER: Final = "satugraf-development"
AUDIENCE: Final = "satugraf"
LEEWAY_SECONDS: Final = 30
MAX_TOKEN_LENGTH: Final = 8192

OF_AN_AGENCY: Final = frozenset({Role.LIAISON, Role.AGENCY_ADMIN, Role.PROVINCE_COORDINATOR, Role.SUBGRAPH})
"""Roles that a person has in an agency: a token with such a role must name the agency."""

Verify = Callable[[str], Awaitable[Viewer]]


class InvalidToken(Exception):
    """The token is refused. The message says why and never repeats the token."""


def mint(
    key: str,
    *,
    role: Role,
    subject: str,
    now: datetime,
    lifetime: timedelta,
    agency: str | None = None,
    unit: str | None = None,
) -> str:
    """Returns a development token. Raises ValueError if the role needs an agency and none is given."""
    if role in OF_AN_AGENCY and agency is None:
        raise ValueError(f"The role {role} needs an agency.")
    claims: dict[str, Any] = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "iat": now,
        "exp": now + lifetime,
    }
    claims |= {name: value for name, value in (("agency", agency), ("unit", unit)) if value is not None}
    return jwt.encode(claims, key, algorithm=DEVELOPMENT_ALGORITHMS[0])


def make_development_verifier(key: str) -> Verify:
    async def verify(token: str) -> Viewer:
        return _verify_claims(token, key, DEVELOPMENT_ALGORITHMS, issuer=DEVELOPMENT_ISSUER, audience=AUDIENCE)

    return verify


def make_provider_verifier(keys: ProviderKeys, *, issuer: str | None, audience: str) -> Verify:
    async def verify(token: str) -> Viewer:
        key = await keys.find_key(_read_key_id(token))
        if key is None:
            raise InvalidToken("The token is signed with a key that the identity provider does not publish.")
        return _verify_claims(token, key.key, PROVIDER_ALGORITHMS, issuer=issuer, audience=audience)

    return verify


async def refuse_token(token: str) -> Viewer:
    """The verifier of a server that has neither a provider nor a development key."""
    raise InvalidToken("This server takes no tokens: SATUGRAF_JWKS_URL is not set.")


def _read_key_id(token: str) -> str | None:
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        raise InvalidToken("The token is not a JSON Web Token.") from None
    return key_id if isinstance(key_id, str) else None


def _verify_claims(token: str, key: Any, algorithms: tuple[str, ...], *, issuer: str | None, audience: str) -> Viewer:
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidToken(f"The token has {len(token)} characters; at most {MAX_TOKEN_LENGTH} are taken.")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=list(algorithms),
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "sub"]},
        )
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired: log in again.") from None
    except jwt.MissingRequiredClaimError as failure:
        raise InvalidToken(f"The token has no claim {failure.claim!r}.") from None
    except jwt.InvalidAudienceError:
        raise InvalidToken("The token is meant for another audience.") from None
    except jwt.InvalidIssuerError:
        raise InvalidToken("The token comes from another issuer.") from None
    except jwt.InvalidTokenError:
        raise InvalidToken("The token's signature or form is not valid.") from None
    return make_viewer(claims)


def read_expiry(token: str) -> float:
    """Returns the expiry of a token that has been verified before, in seconds of Unix time."""
    return float(jwt.decode(token, options={"verify_signature": False})["exp"])


def make_viewer(claims: Mapping[str, Any]) -> Viewer:
    """Returns the viewer that verified claims describe. Raises InvalidToken if a claim is missing or wrong."""
    subject, role, agency, unit = (claims.get(name) for name in ("sub", "role", "agency", "unit"))
    if role not in set(Role) - {Role.PUBLIC, Role.SYSTEM}:
        raise InvalidToken("The token's claim 'role' is not a role of this graph.")
    if not isinstance(subject, str) or not subject or len(subject) > 255:
        raise InvalidToken("The token's claim 'sub' is empty or too long.")
    if any(not isinstance(name, str | None) for name in (agency, unit)):
        raise InvalidToken("The token's claims 'agency' and 'unit' must be strings.")
    if role in OF_AN_AGENCY and not agency:
        raise InvalidToken(f"The token's role {role} needs the claim 'agency'.")
    if unit is not None and unit.partition("/")[0] != agency:
        raise InvalidToken("The token's claim 'unit' does not belong to its 'agency'.")
    scope = claims.get("scope", "")
    scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset()
    has_agency = role in OF_AN_AGENCY
    return Viewer(Role(role), subject, agency if has_agency else None, unit if has_agency else None, scopes)
