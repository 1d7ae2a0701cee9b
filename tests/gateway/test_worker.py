"""The worker: one of all processes works, another takes over, and one bad complaint does not stop the others."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from support.examples import a_complaint

from gateway.worker import Job, Worker
from resolvers.documents import ComplaintDoc
from resolvers.request.context import RequestContext
from resolvers.store.database import NEVER, Store
from resolvers.store.lease import LIFETIME_SECONDS, RENEWAL_SECONDS, Lease

TAKEOVER_SECONDS = 15
CITIZENS_WORDS = "Lubang besar di jalan depan pasar."


async def test_of_many_one_has_the_lease_until_it_lets_go(store: Store) -> None:
    leases = [Lease(store, "upkeep") for _ in range(8)]
    claimed = await asyncio.gather(*(lease.claim() for lease in leases))
    assert sum(claimed) == 1
    holder = leases[claimed.index(True)]
    assert await holder.claim()
    other = leases[claimed.index(False)]
    assert not await other.claim()
    await other.release()
    assert not await other.claim()
    await holder.release()
    assert await other.claim()


async def test_a_lease_that_is_not_renewed_can_be_had(store: Store) -> None:
    lost, waiting = Lease(store, "upkeep"), Lease(store, "upkeep")
    assert await lost.claim()
    await store.database["leases"].update_one({}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])
    assert await waiting.claim()
    assert not await lost.claim()


def test_a_takeover_comes_in_time() -> None:
    assert LIFETIME_SECONDS + 2 * RENEWAL_SECONDS < TAKEOVER_SECONDS


class Held:
    async def claim(self) -> bool:
        return True

    async def release(self) -> None: ...


async def test_what_fails_is_put_off_logged_without_words_and_stops_nobody(
    context_of: Callable[..., RequestContext],
) -> None:
    items = [a_complaint(_id=f"LP-{number}") for number in range(5)]
    taken: list[str] = []
    postponed: list[tuple[str, datetime]] = []

    async def due(context: RequestContext, limit: int) -> Sequence[ComplaintDoc]:
        return items

    async def take(context: RequestContext, item: ComplaintDoc) -> str | None:
        if item["_id"] == "LP-2":
            raise ValueError(item["body"])
        taken.append(item["_id"])
        return "LAPSE"

    async def postpone(item: ComplaintDoc, until: datetime) -> None:
        postponed.append((item["_id"], until))

    now = datetime(2026, 11, 24, tzinfo=UTC)
    worker = Worker(Held(), lambda: context_of(now=now), [Job("complaints", due, take, postpone)], 1.0)
    worker.is_holding = True
    with structlog.testing.capture_logs() as logs:
        assert await worker.run_batches()
    assert taken == ["LP-0", "LP-1", "LP-3", "LP-4"]
    assert [(item, until > now) for item, until in postponed] == [("LP-2", True)]
    assert worker.done == {"LAPSE": 4, "failed": 1}
    failure, summary = logs
    assert (failure["id"], failure["failure"]) == ("LP-2", "ValueError")
    assert (summary["lapse"], summary["failed"]) == (4, 1)
    assert CITIZENS_WORDS not in json.dumps(logs, default=str)


@asynccontextmanager
async def a_worker(uri: str, database: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`satugraf worker` as a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SATUGRAF_")}
    environment |= {
        "SATUGRAF_MONGODB_URI": uri,
        "SATUGRAF_MONGODB_DATABASE": database,
        "SATUGRAF_SECRET_KEY": "the secret key of the tests, 32 long",
    }
    command = [sys.executable, "-m", "gateway", "worker"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert json.loads(await process.stdout.readline())["event"] == "upkeep is ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(holds: Callable[[], Any], seconds: float) -> float:
    """How many seconds it took."""
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.timeout(240)
async def test_another_process_takes_over_after_a_kill(register: Store, mongodb_uri: str) -> None:
    database = register.database.name
    leases = register.database["leases"]

    async def holder() -> str | None:
        lease = await leases.find_one({"_id": "upkeep"})
        return None if lease is None else str(lease["holder"])

    async def lapse(complaint_id: str) -> None:
        past = datetime(2026, 1, 5, tzinfo=UTC)
        clock = {"kind": "REPORTER_REPLY", "startedAt": past, "dueAt": past, "stoppedAt": None, "pauses": []}
        clock |= {"zone": "WITA", "provisional": False}
        waiting = {"_id": complaint_id, "status": "NEEDS_INFO", "clocks": [clock], "wakeAt": past, "nextDueAt": past}
        await register.complaints.insert_one(a_complaint(**waiting))

    def archived(complaint_id: str) -> Callable[[], Any]:
        return lambda: register.complaints.find_one({"_id": complaint_id, "status": "ARCHIVED", "wakeAt": NEVER})

    async with a_worker(mongodb_uri, database) as first:
        await lapse("LP-BEFORE")
        await until(archived("LP-BEFORE"), 60)
        killed = await holder()
        async with a_worker(mongodb_uri, database) as second:
            await lapse("LP-AFTER")
            await until(archived("LP-AFTER"), 60)
            assert await holder() == killed
            first.kill()
            await first.wait()
            await lapse("LP-ORPHAN")
            took = await until(archived("LP-ORPHAN"), 60)
            assert await holder() not in (killed, None)
            assert took < TAKEOVER_SECONDS
            second.terminate()
            assert await second.wait() == 0
    assert await holder() is None
