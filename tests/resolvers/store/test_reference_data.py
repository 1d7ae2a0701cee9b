"""The reference data in the process: current within a second everywhere, and never old without saying so."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import serving

from gateway.settings import Settings
from resolvers.store.database import Store
from resolvers.store.reference_data import ReferenceData

QUERY = '{ agency(id: "kab-badung") { shortName } }'


async def until(condition: Callable[[], Any], seconds: float = 10) -> float:
    """How long it took to become true."""
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
        assert len(held.owned("agencies", "province", "prov-bali", "name") or ()) == 9
        await register.teams.insert_one({"_id": "TM-NEW", "agency": "kab-badung", "name": "a", "revision": 1})
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
    held._current()
    held.wrote("teams", {"_id": "TM-1", "revision": 3})
    held.wrote("teams", {"_id": "TM-1", "revision": 2})
    assert (held.rows("teams") or {})["TM-1"]["revision"] == 3


def test_what_is_too_old_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    held = ReferenceData()
    held._rows["teams"] = {}
    held._current()
    assert held.rows("teams") == {}
    later = time.monotonic() + 6
    monkeypatch.setattr("resolvers.store.reference_data.time.monotonic", lambda: later)
    assert held.rows("teams") is None
