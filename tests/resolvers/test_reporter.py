"""The sealed reporter: unreadable in the database, kept apart from the complaint."""

from collections.abc import Callable

import pytest
from portal import CITIZEN

from resolvers import reporter
from resolvers.context import RequestContext
from resolvers.errors import InvalidInput
from resolvers.store.database import Store

GIVEN = {"name": "Wayan Sudana", "nik": "5103010101010001", "phone": "0812345", "sex": "MALE", "disability": True}


async def test_what_a_reporter_gives_is_sealed(store: Store, context_of: Callable[..., RequestContext]) -> None:
    reporter_id = await reporter.seal(context_of(CITIZEN), "LP-1", GIVEN)
    stored = await store.reporters.find_one({"_id": reporter_id})
    assert stored is not None
    assert set(stored) == {"_id", "complaint", "sealed", "sealedAt"}
    assert not any(str(value).encode() in bytes(stored["sealed"]) for value in GIVEN.values())


async def test_the_same_person_is_sealed_differently_each_time(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    ids = [await reporter.seal(context_of(CITIZEN), "LP-1", GIVEN) for _ in range(2)]
    first, second = [await store.reporters.find_one({"_id": reporter_id}) for reporter_id in ids]
    assert first is not None
    assert second is not None
    assert first["sealed"] != second["sealed"]


async def test_nothing_given_is_nothing_kept(store: Store, context_of: Callable[..., RequestContext]) -> None:
    assert await reporter.seal(context_of(CITIZEN), "LP-1", {"inclusionConsent": False, "sex": "MALE"}) is None
    assert await store.reporters.count_documents({}) == 0


async def test_inclusion_data_are_kept_with_consent_alone(
    store: Store, context_of: Callable[..., RequestContext]
) -> None:
    without = await reporter.seal(context_of(CITIZEN), "LP-1", GIVEN)
    with_consent = await reporter.seal(context_of(CITIZEN), "LP-1", GIVEN | {"inclusionConsent": True})
    lengths = [
        len((await store.reporters.find_one({"_id": reporter_id}) or {})["sealed"])
        for reporter_id in (without, with_consent)
    ]
    assert lengths[1] > lengths[0]


async def test_a_name_that_is_too_long_is_refused(context_of: Callable[..., RequestContext]) -> None:
    with pytest.raises(InvalidInput):
        await reporter.seal(context_of(CITIZEN), "LP-1", {"name": "x" * 1000})
