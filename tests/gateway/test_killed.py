"""A serving process is killed in mid-load, again and again: no acknowledged write is lost, nothing is half done.

SATUGRAF_TEST_KILLS makes it longer; docs/testing.md has the long run.
"""

import asyncio
import os
import random
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import pytest
from support import promises
from support.portal import ADMIN, CITIZEN, LIAISON, NATIONAL, UNIT, Portal
from support.ports import free_port
from support.serving_processes import ready, served
from support.stories import BODY

from resolvers.store import register as registered
from resolvers.store.database import Store
from resolvers.viewer import Viewer

KILLS: Final = int(os.environ.get("SATUGRAF_TEST_KILLS", "2"))
WORKERS: Final = 6
TEAM = next(team["_id"] for team in registered.teams() if team["agency"] == "kab-badung")
FINAL = {"kind": "FINAL", "body": "Ditutup pada 12-11-2026.", "closureCode": "EXPLAINED"}
SHOWN = "complaint { id status revision followUps(first: 50) { nodes { id } } }"


@dataclass
class Call:
    """One mutation under its idempotency key, sent until it is acknowledged."""

    mutation: str
    viewer: Viewer
    given: dict[str, Any]
    before: int
    """The complaint's revision before it."""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Ledger:
    """What the gateway has acknowledged, and what it was killed over."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """The revision of each complaint."""
    broken: list[Call] = field(default_factory=list)
    writes: int = 0

    async def send(self, portal: Portal, call: Call) -> Any:
        """The complaint after the call."""
        try:
            payload = await portal.do(call.mutation, call.viewer, SHOWN, **call.given, idempotencyKey=call.key)
        except (aiohttp.ClientError, OSError):
            self.broken.append(call)
            raise
        assert payload["userErrors"] == [], (call, payload)
        complaint = payload["complaint"]
        assert complaint["revision"] == call.before + 1, (call, payload)
        self.acknowledged[complaint["id"]] = complaint["revision"]
        self.writes += 1
        return complaint


async def lives(portal: Portal, ledger: Ledger) -> None:
    """Submits complaints and leads them to their ends, until the gateway dies."""
    previous: str | None = None
    try:
        while True:
            previous = await one_life(portal, ledger, previous)
    except (aiohttp.ClientError, OSError):
        return


async def one_life(portal: Portal, ledger: Ledger, previous: str | None) -> str | None:
    place = {"region": "51.03"}
    submission = {"class": "COMPLAINT", "title": "Jalan berlubang", "body": BODY, "location": place}
    row = await ledger.send(portal, Call("submitComplaint", CITIZEN, submission, 0))
    complaint = {"complaint": row["id"]}

    async def then(mutation: str, viewer: Viewer, **given: Any) -> Any:
        return await ledger.send(portal, Call(mutation, viewer, complaint | given, row["revision"]))

    verdict = {"class": "COMPLAINT", "category": "ROAD.POTHOLE", "grade": "NORMATIVE", "holder": "kab-badung"}
    row = await then("verifyComplaint", NATIONAL, **verdict)
    if previous is not None:
        await then("mergeComplaint", ADMIN, into=previous)
        ledger.acknowledged[previous] += 1
        return None
    row = await then("acceptComplaint", ADMIN, team=TEAM, unit=UNIT)
    row = await then("addFollowUp", LIAISON, kind="PROGRESS", body="Bahan sudah dipesan.")
    row = await then("addFollowUp", LIAISON, **FINAL)
    row = await then("approveFollowUp", ADMIN, followUp=row["followUps"]["nodes"][-1]["id"])
    if random.random() < 0.5:
        return str(row["id"])
    row = await then("confirmAnswer", CITIZEN, stars=4)
    await then("reopenComplaint", CITIZEN, reason="Lubangnya muncul lagi.")
    return str(row["id"])


async def check(store: Store, ledger: Ledger) -> None:
    rows = {row["_id"]: row async for row in store.complaints.find({})}
    for row in rows.values():
        promises.check(row, rows)
        promises.total_run(row, row["updatedAt"])
    lost = {key: revision for key, revision in ledger.acknowledged.items() if rows[key]["revision"] < revision}
    assert lost == {}
    # What was under way may have been done or not; nothing else may have changed.
    ahead = sum(row["revision"] - ledger.acknowledged.get(key, 0) for key, row in rows.items())
    assert ahead <= 2 * len(ledger.broken)


@pytest.mark.timeout(60 + 60 * KILLS)
async def test_a_gateway_killed_in_mid_load_loses_nothing_and_does_nothing_twice(
    register: Store, mongodb_uri: str
) -> None:
    ledger, port, repeated = Ledger(), free_port(), 0
    async with aiohttp.ClientSession() as session:
        portal = Portal(session, f"http://127.0.0.1:{port}")
        for _ in range(KILLS):
            with served(mongodb_uri, register.database.name, port) as running:
                await ready(portal)
                under_way, ledger.broken = ledger.broken, []
                for call in under_way:
                    repeated += 1
                    await ledger.send(portal, call)
                    if call.mutation == "mergeComplaint":
                        ledger.acknowledged[call.given["into"]] += 1
                working = [asyncio.create_task(lives(portal, ledger)) for _ in range(WORKERS)]
                await asyncio.sleep(random.uniform(0.3, 1.5))
                running.kill()
                await asyncio.gather(*working)
            await check(register, ledger)
    print(f"{KILLS} kills, {ledger.writes} writes acknowledged, {repeated} repeated after a kill")  # noqa: T201
    assert ledger.writes > KILLS
