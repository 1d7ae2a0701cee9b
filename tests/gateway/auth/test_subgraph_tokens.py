"""The gateway's own tokens for agencies' subgraphs, verified as a subgraph would verify them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from gateway.auth.subgraph_tokens import LIFETIME, SubgraphTokens, digest_body
from resolvers.domain.vocabulary import Role
from resolvers.viewer import PUBLIC, Viewer

ADMIN = Viewer(Role.AGENCY_ADMIN, "somebody@badung.go.id", "kab-badung")


@pytest.fixture
def tokens() -> SubgraphTokens:
    return SubgraphTokens(b"the secret key of the tests, 32 long")


def claims(tokens: SubgraphTokens, token: str, now: datetime, audience: str = "kab-badung") -> dict[str, Any]:
    """What a subgraph reads that knows the published keys alone."""
    published = {key.key_id: key for key in jwt.PyJWKSet.from_dict(tokens.build_key_set(now)).keys}
    key = published[jwt.get_unverified_header(token)["kid"]]
    found: dict[str, Any] = jwt.decode(token, key.key, algorithms=["EdDSA"], audience=audience, issuer="satugraf")
    return found


def test_a_token_says_what_the_viewer_is_and_never_who(tokens: SubgraphTokens) -> None:
    now = datetime.now(UTC)
    read = claims(tokens, tokens.make_query_token("kab-badung", ADMIN, now), now)
    assert read.keys() == {"iss", "aud", "iat", "exp", "role", "agency"}
    assert (read["role"], read["agency"]) == ("AGENCY_ADMIN", "kab-badung")
    assert read["exp"] - read["iat"] <= LIFETIME.total_seconds() == 60
    assert "agency" not in claims(tokens, tokens.make_query_token("kab-badung", PUBLIC, now), now)


def test_a_token_is_for_one_subgraph(tokens: SubgraphTokens) -> None:
    now = datetime.now(UTC)
    with pytest.raises(jwt.InvalidAudienceError):
        claims(tokens, tokens.make_query_token("kab-badung", ADMIN, now), now, audience="kota-semarang")


def test_a_querys_token_is_reused_for_half_its_life(tokens: SubgraphTokens) -> None:
    now = datetime.now(UTC)
    first = tokens.make_query_token("kab-badung", ADMIN, now)
    assert tokens.make_query_token("kab-badung", ADMIN, now + timedelta(seconds=29)) == first
    of_another_agency = Viewer(Role.AGENCY_ADMIN, ADMIN.subject, "kota-semarang")
    other = tokens.make_query_token("kab-badung", of_another_agency, now)
    assert claims(tokens, other, now)["agency"] == "kota-semarang"
    assert tokens.make_query_token("kab-badung", ADMIN, now + timedelta(seconds=30)) != first
    assert tokens.make_query_token("kab-badung", PUBLIC, now) != first
    assert tokens.make_query_token("kota-semarang", ADMIN, now) != first


def test_a_mutations_token_is_good_for_its_body_alone(tokens: SubgraphTokens) -> None:
    now = datetime.now(UTC)
    made = [claims(tokens, tokens.make_mutation_token("kab-badung", ADMIN, now, b"{}"), now) for _ in range(2)]
    assert made[0]["bsh"] == digest_body(b"{}") != digest_body(b"{ }")
    assert made[0]["jti"] != made[1]["jti"]


def test_keys_change_daily_and_are_published_a_day_before_and_after(tokens: SubgraphTokens) -> None:
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    token = tokens.make_query_token("kab-badung", PUBLIC, midnight - timedelta(seconds=1))
    [yesterday, today, tomorrow] = tokens.build_key_set(midnight)["keys"]
    assert jwt.get_unverified_header(token)["kid"] == yesterday["kid"] == "2026-11-24"
    assert tomorrow in tokens.build_key_set(midnight + timedelta(days=1))["keys"]
    assert len({key["x"] for key in (yesterday, today, tomorrow)}) == 3


def test_every_process_with_the_secret_key_has_the_same_keys(tokens: SubgraphTokens) -> None:
    now = datetime.now(UTC)
    assert SubgraphTokens(tokens.secret).build_key_set(now) == tokens.build_key_set(now)
    assert SubgraphTokens(b"another").build_key_set(now) != tokens.build_key_set(now)
    assert not [key for key in tokens.build_key_set(now)["keys"] if "d" in key]
