"""The reference data in the process are current within a second, and are not used when they are too old."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.served_gateway import serving

from gateway.settings import Settings
from resolvers.agencies import agency
from resolvers.answer_cache import MAX_CACHED_BYTES
from resolvers.paging.listing import Arguments
from resolvers.request.context import RequestContext
from resolvers.request.loaders import Loaders
from resolvers.store.database import Store
from resolvers.store.reference_data import ReferenceData

QUERY = '{ agency(id: "kab-badung") { shortName } }'


async def until(condition: Callable[[], Any], seconds: float = 10) -> float:
    """Waits until the condition holds; returns how many seconds that took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        await asyncio.sleep(0.01)
    return time.monotonic() - started


async def test_a_change_to_an_agency_is_visible_in_every_gateway_within_a_second(
    register: Store, settings: Settings, mongodb_uri: str
) -> None:
    name = register.database.name
    async with serving(settings, mongodb_uri, name) as one, serving(settings, mongodb_uri, name) as other:
        for portal in (one, other):
            await portal.data(QUERY)
        waits = []
        for number in range(3):
            await register.agencies.update_one({"_id": "kab-badung"}, {"$set": {"shortName": f"Badung {number}"}})
            written, seen = time.monotonic(), 0
            while seen < 2 and time.monotonic() - written < 10:
                found = [(await portal.data(QUERY))["agency"]["shortName"] for portal in (one, other)]
                seen = found.count(f"Badung {number}")
            waits.append(time.monotonic() - written)
        assert min(waits) < 1


async def test_the_data_follow_inserts_changes_and_deletions(register: Store) -> None:
    held = ReferenceData()
    assert held.rows("agencies") is None
    following = asyncio.create_task(held.follow(register))
    try:
        await until(lambda: held.rows("agencies"))
        assert len(held.rows_by_owner("agencies", "province", "prov-bali", "name") or ()) == 9
        await register.database["teams"].insert_one(
            {"_id": "TM-NEW", "agency": "kab-badung", "name": "a", "revision": 1}
        )
        await until(lambda: "TM-NEW" in (held.rows("teams") or {}))
        await register.teams.update_one({"_id": "TM-NEW"}, {"$set": {"name": "b", "revision": 2}})
        await until(lambda: (held.rows("teams") or {})["TM-NEW"]["name"] == "b")
        await register.teams.delete_one({"_id": "TM-NEW"})
        await until(lambda: "TM-NEW" not in (held.rows("teams") or {"TM-NEW": {}}))
        await register.regions.drop()
        await until(lambda: held.rows("regions") == {})
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def test_an_older_state_does_not_replace_a_newer_one() -> None:
    held = ReferenceData()
    held._rows["teams"] = {}
    held.set_current()
    held.apply_write("teams", {"_id": "TM-1", "revision": 3})
    held.apply_write("teams", {"_id": "TM-1", "revision": 2})
    assert (held.rows("teams") or {})["TM-1"]["revision"] == 3


def test_what_is_too_old_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    held = ReferenceData()
    held._rows["teams"] = {}
    held.set_current()
    assert held.rows("teams") == {}
    later = time.monotonic() + 6
    monkeypatch.setattr("resolvers.store.reference_data.time.monotonic", lambda: later)
    assert held.rows("teams") is None


def test_what_was_made_of_documents_is_made_anew_when_one_of_them_changes() -> None:
    held = ReferenceData()
    held._rows["teams"] = {"TM-1": {"_id": "TM-1", "revision": 1}}
    held.set_current()
    before = held.answers("teams")
    assert before is not None
    before.keep(7, {"TM-1": "made"}, 4)
    assert held.answers("teams") is before
    held.apply_write("teams", {"_id": "TM-1", "revision": 2})
    after = held.answers("teams")
    assert after is not None
    assert after.of(7) == {}


def test_what_is_kept_of_answers_is_bounded_whoever_asks_for_them() -> None:
    held = ReferenceData()
    held._rows["teams"] = {}
    held.set_current()
    made = held.answers("teams")
    assert made is not None
    for maker in range(50):
        made.keep(maker, {"TM-1": "made"}, MAX_CACHED_BYTES // 10)
        assert made.of(maker) == {"TM-1": "made"}
        assert sum(map(len, made.answers.values())) < 10
    for number in range(100_000):
        made.keep(0, {number: "made"}, 4)
    assert len(made.of(0)) < 50_000


@pytest.mark.parametrize(
    "filter",
    [{}, {"kinds": ["PROVINCE"]}, {"province": "prov-bali"}, {"connected": True, "kinds": ["REGENCY"]}],
    ids=str,
)
async def test_agencies_are_listed_from_the_process_as_from_the_database(
    register: Store, context_of: Callable[..., RequestContext], filter: dict[str, Any]
) -> None:
    held = ReferenceData()
    held._rows["agencies"] = {row["_id"]: row async for row in register.agencies.find()}
    held.set_current()
    asked = [Arguments(first=7), Arguments(last=5), Arguments(first=100)]
    while asked:
        arguments = asked.pop()
        database, process = context_of(), context_of()
        process.loaders = Loaders(register, held)
        lists = [agency.list_agencies(context, filter, arguments) for context in (database, process)]
        expected, found = [await listing.fetch_page() for listing in lists]
        assert found == expected
        assert await lists[1].total() == await lists[0].total()
        if len(asked) == 1 and expected.has_next and arguments.after is None:
            asked.append(Arguments(first=7, after=lists[1].write_cursor(found.rows[-1])))
        if expected.has_previous and arguments.before is None and arguments.last is not None:
            asked.append(Arguments(last=5, before=lists[0].write_cursor(expected.rows[0])))
