"""The complaints' change stream loses no event in restarts, fail-overs and a long absence, or reports the gap."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from support.examples import a_complaint
from support.ports import free_port

from gateway.mongod.process import find_binary
from resolvers.documents import ComplaintDoc
from resolvers.errors import FellBehind, StateLost
from resolvers.store import fan_out
from resolvers.store.change_window import ChangeWindow, ComplaintChange
from resolvers.store.database import Store, connect
from resolvers.store.fan_out import FanOut, Subscriber

KEYS = frozenset({"revision", "status"})


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[FanOut]:
    live = FanOut(store)
    running = asyncio.create_task(live.run())
    try:
        async with asyncio.timeout(20):
            await live.wait_until_begun()
        yield live
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def bumped(store: Store, complaint_id: str) -> None:
    """Raises the revision, and retries until the write succeeds, however often the primary changes."""
    while True:
        try:
            await store.complaints.update_one({"_id": complaint_id}, {"$inc": {"revision": 1}})
        except PyMongoError:
            await asyncio.sleep(0.05)
        else:
            return


async def revisions(subscriber: Subscriber, last: int) -> list[int]:
    seen: list[int] = []
    async with asyncio.timeout(60):
        while not seen or seen[-1] < last:
            event = await subscriber.next()
            assert event.document is not None
            seen.append(event.document["revision"])
    return seen


async def test_only_what_somebody_subscribed_for_is_read_and_that_once(store: Store) -> None:
    rows = [a_complaint(holder=agency, holders=[agency]) for agency in ("kab-badung", "kab-sleman")]
    async with following(store) as live:
        with (
            live.subscribe(KEYS, agency="kab-badung") as one,
            live.subscribe(KEYS | {"title"}, agency="kab-badung") as other,
        ):
            await store.complaints.insert_many(rows)
            async with asyncio.timeout(20):
                event = await one.next()
                assert (await other.next()).document is event.document
            assert event.document is not None
            assert event.document.keys() == {"_id", "revision", "status", "title", "holder", "holders"}
            assert live.count() == 2
        assert live.count() == 0
        assert +live._keys == {}


async def test_the_next_process_begins_where_the_last_one_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "SAVE_SECONDS", 0.05)
    rows = [a_complaint() for _ in range(3)]
    await store.complaints.insert_many(rows)
    kept = store.database["change_tokens"]
    async with following(store) as live:
        position = live.position()
        await until(lambda: kept.find_one({}))
    assert position is not None
    for row in rows:
        await bumped(store, row["_id"])
    async with following(store) as live:
        await until(lambda: asyncio.sleep(0, len(live.changes_since(position) or ()) >= 3))
        assert [change.document_id for change in live.changes_since(position) or ()] == [row["_id"] for row in rows]
        assert live.changes_since("0" * 16) is None
    written = str(await kept.find({}).to_list(None))
    assert rows[0]["title"] not in written
    assert rows[0]["body"] not in written


async def test_many_changes_since_the_last_process_come_in_small_answers_without_a_pause(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "SAVE_SECONDS", 0.05)
    monkeypatch.setattr(fan_out, "STREAM_BATCH_SIZE", 10)
    monkeypatch.setattr(fan_out, "UNHEARD_SECONDS", 1.0)
    row = a_complaint()
    await store.complaints.insert_one(row)
    kept = store.database["change_tokens"]
    async with following(store) as live:
        position = live.position()
        await until(lambda: kept.find_one({}))
    assert position is not None
    for _ in range(300):
        await bumped(store, row["_id"])
    async with asyncio.timeout(10), following(store) as live:
        await until(lambda: asyncio.sleep(0, len(live.changes_since(position) or ()) == 300))


async def test_subscribers_hear_that_changes_are_missing(store: Store) -> None:
    await store.complaints.insert_one(a_complaint())
    async with following(store) as live:
        with live.subscribe(KEYS, agency="kab-badung") as subscriber:
            await store.complaints.drop()
            with pytest.raises(StateLost):
                async with asyncio.timeout(20):
                    while True:
                        await subscriber.next()


async def test_what_goes_as_soon_as_it_came_holds_up_nobody(store: Store) -> None:
    async with following(store) as live:
        with live.subscribe(KEYS, agency="kab-badung") as subscriber:
            for row in (a_complaint(), a_complaint()):
                await store.complaints.insert_one(row)
                await store.complaints.delete_one({"_id": row["_id"]})
            last = a_complaint(revision=7)
            await store.complaints.insert_one(last)
            async with asyncio.timeout(8):
                while (await subscriber.next()).complaint_id != last["_id"]:
                    pass


async def test_who_does_not_take_what_is_told_is_ended_and_holds_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "MAX_QUEUED_EVENTS", 50)
    row = a_complaint()
    await store.complaints.insert_one(row)
    async with following(store) as live:
        with live.subscribe(KEYS, complaint=row["_id"]) as idle, live.subscribe(KEYS, complaint=row["_id"]) as quick:
            for _ in range(fan_out.MAX_QUEUED_EVENTS + 2):
                await bumped(store, row["_id"])
                async with asyncio.timeout(20):
                    await quick.next()
            with pytest.raises(FellBehind):
                await idle.next()
            assert not idle._events


def test_what_has_left_the_window_cannot_be_made_up_for() -> None:
    window = ChangeWindow("0" * 16, limit=3)
    for number in range(1, 6):
        window.add(ComplaintChange(f"LP-{number}", f"{number:016x}"))
        window._marked_at = float("-inf")
        window.mark({"_data": str(number)})
    assert window.begin == f"{2:016x}"
    assert window.changes_since(f"{1:016x}") is None
    assert [change.document_id for change in window.changes_since(f"{3:016x}") or ()] == ["LP-4", "LP-5"]
    mark = window.oldest_mark()
    assert mark is not None
    assert (mark.position, mark.token) == (f"{2:016x}", {"_data": "2"})


def test_what_shares_an_instant_is_told_together() -> None:
    """The changes of a transaction share a position: a client that resumes from it gets all of them again."""
    window = ChangeWindow("0" * 16)
    for complaint_id, number in (("LP-1", 1), ("LP-2", 2), ("LP-3", 2), ("LP-4", 3)):
        window.add(ComplaintChange(complaint_id, f"{number:016x}"))
    assert [change.document_id for change in window.changes_since(f"{1:016x}") or ()] == ["LP-2", "LP-3", "LP-4"]
    assert [change.document_id for change in window.changes_since(f"{2:016x}") or ()] == ["LP-2", "LP-3", "LP-4"]
    assert window.changes_since(f"{3:016x}") == []


@contextmanager
def replica_set(folder: Path, size: int = 3) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """Starts a replica set; yields its URI and its processes, which a test may kill."""
    ports = [free_port() for _ in range(size)]
    members = []
    for number, port in enumerate(ports):
        data = folder / str(number)
        data.mkdir()
        command = [str(find_binary()), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1"]
        command += ["--replSet", "rs1", "--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25"]
        command += ["--setParameter", "enableTestCommands=1"]
        members.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    try:
        for port in ports:
            with MongoClient[Any](f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
                client.admin.command("ping")
        with MongoClient[Any](f"mongodb://127.0.0.1:{ports[0]}/?directConnection=true") as client:
            hosts = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(ports)]
            settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 400}
            client.admin.command("replSetInitiate", {"_id": "rs1", "members": hosts, "settings": settings})
        yield f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/?replicaSet=rs1", members
    finally:
        for member in members:
            member.kill()
            member.wait()


async def primary(store: Store, members: list["subprocess.Popen[bytes]"]) -> "subprocess.Popen[bytes]":
    pid = (await store.client.admin.command("serverStatus"))["pid"]
    return next(member for member in members if member.pid == pid)


async def forget(store: Store, command: str) -> None:
    """Makes the next such command fail once with ChangeStreamHistoryLost."""
    data = {"failCommands": [command], "errorCode": 286}
    await store.client.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=data)


async def test_a_history_that_is_too_short_is_said_and_never_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While following: subscribers are ended. At a start: older positions are refused."""
    monkeypatch.setattr(fan_out, "SAVE_SECONDS", 0.05)
    row = a_complaint()
    with replica_set(tmp_path, 1) as (uri, _):
        store = connect(uri, "forgetful", serverSelectionTimeoutMS=30_000)
        try:
            await store.complaints.insert_one(row)
            async with following(store) as live:
                with live.subscribe(KEYS, complaint=row["_id"]) as subscriber:
                    await forget(store, "getMore")
                    with pytest.raises(StateLost):
                        async with asyncio.timeout(20):
                            await subscriber.next()
                await told_again(store, live, row)
                await until(lambda: store.database["change_tokens"].find_one({}))
                position = live.position()
            await forget(store, "aggregate")
            async with following(store) as live:
                assert position is not None
                await until(lambda: nothing_since(live, position))
                await told_again(store, live, row)
        finally:
            store.close()


async def nothing_since(live: FanOut, position: str) -> bool:
    return live.changes_since(position) is None and live.position() is not None


async def until(holds: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - the stream has no event for it
            await asyncio.sleep(0.02)


async def told_again(store: Store, live: FanOut, row: ComplaintDoc) -> None:
    """A subscriber of now hears of what happens now."""
    async with asyncio.timeout(20):
        await live.wait_until_begun()
    with live.subscribe(KEYS, complaint=row["_id"]) as subscriber:
        await bumped(store, row["_id"])
        async with asyncio.timeout(20):
            assert (await subscriber.next()).document is not None


async def test_through_a_fail_over_nothing_is_missed_and_nothing_goes_back(tmp_path: Path) -> None:
    """The primary is killed during writes: streams stay open and receive the last state of every complaint."""
    rows = [a_complaint() for _ in range(4)]
    with replica_set(tmp_path) as (uri, members):
        store = connect(uri, "failing", serverSelectionTimeoutMS=30_000)
        try:
            await store.complaints.insert_many(rows)
            async with following(store) as live:
                with live.subscribe(KEYS, agency="kab-badung") as inbox:
                    seen: dict[str, int] = {}
                    reading = asyncio.create_task(heard(inbox, seen))
                    writing = asyncio.gather(*(written(store, row["_id"], 60) for row in rows))
                    await asyncio.sleep(0.5)
                    (await primary(store, members)).kill()
                    last = dict(zip([row["_id"] for row in rows], await writing, strict=True))
                    await until(lambda: asyncio.sleep(0, seen == last))
                    assert not reading.done()
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
        finally:
            store.close()


async def heard(inbox: Subscriber, seen: dict[str, int]) -> None:
    """Records the last revision of each complaint, and checks that it never decreases."""
    while True:
        event = await inbox.next()
        assert event.document is not None
        revision = event.document["revision"]
        assert revision >= seen.get(event.complaint_id, 0)
        seen[event.complaint_id] = revision


async def written(store: Store, complaint_id: str, times: int) -> int:
    """Writes so many times, and returns the final revision: retries may have written twice."""
    for _ in range(times):
        await bumped(store, complaint_id)
        await asyncio.sleep(0.02)
    found = await store.complaints.find_one({"_id": complaint_id})
    assert found is not None
    return int(found["revision"])
