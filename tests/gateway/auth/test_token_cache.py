"""Remembered tokens: verified once a minute, never past their end, never remembered when refused."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.auth import token_cache
from gateway.auth.token_cache import TokenCache
from gateway.auth.tokens import InvalidToken, make_development_verifier, mint
from resolvers.domain.vocabulary import Role
from resolvers.viewer import Viewer

KEY = "a development key of the tests, not a secret"


class Counting:
    """The development verifier, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.verify = make_development_verifier(KEY)

    async def __call__(self, token: str) -> Viewer:
        self.asked += 1
        return await self.verify(token)


def token(subject: str = "wayan", minutes: float = 10) -> str:
    return mint(KEY, role=Role.CITIZEN, subject=subject, now=datetime.now(UTC), lifetime=timedelta(minutes=minutes))


async def test_a_token_is_verified_once_in_a_minute() -> None:
    counting, moment = Counting(), [datetime.now(UTC).timestamp()]
    verify = TokenCache(counting, now=lambda: moment[0])
    given = token()
    assert await verify(given) is await verify(given)
    assert counting.asked == 1
    moment[0] += 61
    await verify(given)
    assert counting.asked == 2


async def test_a_token_is_not_remembered_past_its_end() -> None:
    counting, moment = Counting(), [datetime.now(UTC).timestamp()]
    verify = TokenCache(counting, now=lambda: moment[0])
    given = token(minutes=0.5)
    await verify(given)
    moment[0] += 31
    await verify(given)
    assert counting.asked == 2


async def test_what_is_refused_is_refused_each_time_and_takes_no_room() -> None:
    counting = Counting()
    verify = TokenCache(counting)
    for forged in (token()[:-3] + "abc", "x", "ü.x.y") * 2:
        with pytest.raises(InvalidToken):
            await verify(forged)
    assert counting.asked == 6
    assert not verify._viewers


async def test_whoever_sends_ever_new_tokens_takes_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "MAX_TOKENS", 3)
    verify = TokenCache(Counting())
    for number in range(5):
        assert (await verify(token(f"subject-{number}"))).subject == f"subject-{number}"
    assert len(verify._viewers) == 3
