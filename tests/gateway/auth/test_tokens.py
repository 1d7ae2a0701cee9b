"""Bearer tokens: what is taken, and that nothing else is."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.auth.keys import KeysUnavailable, ProviderKeys
from gateway.auth.tokens import (
    InvalidToken,
    make_development_verifier,
    make_provider_verifier,
    make_viewer,
    mint,
    refuse_token,
)
from resolvers.domain.vocabulary import Role
from resolvers.viewer import Viewer

KEY = "a development key of the tests, not a secret"
NOW = datetime.now(UTC)
CLAIMS: dict[str, Any] = {
    "iss": "https://login.example.go.id",
    "aud": "satugraf",
    "sub": "ni-luh",
    "role": "LIAISON",
    "agency": "kab-badung",
    "unit": "kab-badung/dinas-pupr",
    "exp": NOW + timedelta(hours=1),
}


def minted(**given: Any) -> str:
    arguments: dict[str, Any] = {"role": Role.CITIZEN, "subject": "wayan", "now": NOW, "lifetime": timedelta(hours=1)}
    return mint(KEY, **(arguments | given))


async def test_a_minted_token_is_its_bearer() -> None:
    verify = make_development_verifier(KEY)
    token = minted(role=Role.LIAISON, subject="ni-luh", agency="kab-badung", unit="kab-badung/dinas-pupr")
    assert await verify(token) == Viewer(Role.LIAISON, "ni-luh", "kab-badung", "kab-badung/dinas-pupr")
    assert await verify(minted()) == Viewer(Role.CITIZEN, "wayan")


@pytest.mark.parametrize("role", [Role.LIAISON, Role.AGENCY_ADMIN, Role.PROVINCE_COORDINATOR, Role.SUBGRAPH])
def test_a_role_of_an_agency_is_not_minted_without_one(role: Role) -> None:
    with pytest.raises(ValueError, match=f"The role {role} needs an agency"):
        minted(role=role)


def unsigned() -> str:
    head, body = ({"alg": "none"}, {**CLAIMS, "exp": 9999999999, "iss": "satugraf-development"})
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body)]
    return ".".join((*parts, ""))


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "signature or form"),
        ("a.b.c", "signature or form"),
        (unsigned(), "signature or form"),
        (minted() + "x", "signature or form"),
        (minted(now=NOW - timedelta(hours=3)), "expired"),
        (jwt.encode({"sub": "x", "role": "CITIZEN", "aud": "satugraf", "iss": "satugraf-development"}, KEY), "'exp'"),
        (jwt.encode(CLAIMS, KEY), "another issuer"),
        (jwt.encode(CLAIMS | {"iss": "satugraf-development", "aud": "other"}, KEY), "another audience"),
        (jwt.encode(CLAIMS | {"iss": "satugraf-development"}, KEY + "x"), "signature or form"),
        ("x" * 9000, "9000 characters"),
    ],
)
async def test_a_token_that_is_not_valid_is_refused_without_being_repeated(token: str, words: str) -> None:
    with pytest.raises(InvalidToken, match=words) as refused:
        await make_development_verifier(KEY)(token)
    assert not token or token not in str(refused.value)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"role": "SYSTEM"}, "role"),
        ({"role": "PUBLIC"}, "role"),
        ({"role": "ROOT"}, "role"),
        ({"role": None}, "role"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"agency": None, "unit": None}, "agency"),
        ({"agency": ["kab-badung"]}, "strings"),
        ({"unit": "kab-sleman/dinas-pupr"}, "unit"),
    ],
)
def test_claims_that_make_no_viewer_are_refused(claims: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidToken, match=words):
        make_viewer(CLAIMS | claims)


def test_a_citizen_is_of_no_agency_whatever_the_token_says() -> None:
    assert make_viewer({"sub": "wayan", "role": "CITIZEN", "agency": "kab-badung"}) == Viewer(Role.CITIZEN, "wayan")


async def test_a_server_without_keys_takes_no_token() -> None:
    with pytest.raises(InvalidToken):
        await refuse_token(minted())


class Provider:
    """An identity provider's far end: it publishes keys, or is away."""

    def __init__(self) -> None:
        self.private: dict[str, Any] = {
            "rsa": rsa.generate_private_key(65537, 2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
            "ed": Ed25519PrivateKey.generate(),
        }
        self.published = list(self.private)
        self.away = False
        self.asked = 0

    async def fetch(self, url: str) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise TimeoutError
        algorithms: dict[str, Any] = {"rsa": RSAAlgorithm, "ec": ECAlgorithm, "ed": OKPAlgorithm}
        keys = [
            json.loads(algorithms[name].to_jwk(self.private[name].public_key())) | {"kid": name}
            for name in self.published
        ]
        return {"keys": keys}

    def sign(self, name: str, **claims: Any) -> str:
        algorithm = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}[name]
        return jwt.encode(CLAIMS | claims, self.private[name], algorithm, headers={"kid": name})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.mark.parametrize("name", ["rsa", "ec", "ed"])
async def test_the_providers_signatures_are_taken(provider: Provider, name: str) -> None:
    keys = ProviderKeys("https://login", provider.fetch)
    verify = make_provider_verifier(keys, issuer="https://login.example.go.id", audience="satugraf")
    for _ in range(3):
        assert (await verify(provider.sign(name))).subject == "ni-luh"
    assert provider.asked == 1
    with pytest.raises(InvalidToken, match="issuer"):
        await verify(provider.sign(name, iss="https://elsewhere"))


async def test_a_shared_key_is_no_way_in_where_a_provider_signs(provider: Provider) -> None:
    """A public key must never be taken for an HS256 secret."""
    keys = ProviderKeys("https://login", provider.fetch)
    verify = make_provider_verifier(keys, issuer=None, audience="satugraf")
    for token in (minted(), jwt.encode(CLAIMS, "x" * 40, "HS256", headers={"kid": "rsa"}), "nonsense"):
        with pytest.raises(InvalidToken):
            await verify(token)


async def test_a_new_key_is_fetched_and_an_unknown_one_refused(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.auth.keys.RETRY_SECONDS", -1)
    provider.published = ["rsa"]
    verify = make_provider_verifier(ProviderKeys("https://login", provider.fetch), issuer=None, audience="satugraf")
    await verify(provider.sign("rsa"))
    with pytest.raises(InvalidToken, match="does not publish"):
        await verify(provider.sign("ec"))
    provider.published = ["rsa", "ec"]
    assert (await verify(provider.sign("ec"))).role is Role.LIAISON


async def test_unknown_key_ids_do_not_make_us_ask_again_and_again(provider: Provider) -> None:
    provider.published = ["rsa"]
    verify = make_provider_verifier(ProviderKeys("https://login", provider.fetch), issuer=None, audience="satugraf")
    for _ in range(20):
        with pytest.raises(InvalidToken):
            await verify(provider.sign("ec"))
    assert provider.asked == 1


async def test_a_provider_that_is_away_is_no_refusal_and_known_keys_go_on(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.auth.keys.RETRY_SECONDS", -1)
    provider.away = True
    verify = make_provider_verifier(ProviderKeys("https://login", provider.fetch), issuer=None, audience="satugraf")
    with pytest.raises(KeysUnavailable):
        await verify(provider.sign("rsa"))
    provider.away = False
    await verify(provider.sign("rsa"))
    provider.away = True
    monkeypatch.setattr("gateway.auth.keys.FRESH_SECONDS", -1)
    assert (await verify(provider.sign("rsa"))).subject == "ni-luh"
