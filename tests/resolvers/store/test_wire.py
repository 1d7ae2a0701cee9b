"""Reads over the event loop's own connections give what the driver's give, whatever happens to those connections."""

import asyncio
import socket
from typing import Any

import pytest
from commands import Commands
from pymongo.errors import ExecutionTimeout, OperationFailure

from resolvers.loaders import loaders
from resolvers.store import database, wire
from resolvers.store.database import Store, connect, found

Rows = list[dict[str, Any]]


def lines(store: Store) -> list[wire.Line]:
    return list(database._WIRES[id(store.client.delegate)]._lines)


async def opened(store: Store) -> list[wire.Line]:
    """The lines, once there is one: until then reads are the driver's."""
    for _ in range(100):
        await found(store.complaints, {"_id": "none"})
        if lines(store):
            return lines(store)
        await asyncio.sleep(0.05)
    raise AssertionError("no line was opened")


@pytest.fixture
async def filled(store: Store) -> Store:
    await store.complaints.insert_many(
        [{"_id": number, "text": "x" * 2_000, "odd": number % 2} for number in range(400)]
    )
    await opened(store)
    return store


async def ids(store: Store) -> list[int]:
    return [row["_id"] for row in await found(store.complaints, {"odd": 1}, ["_id"], limit=3, sort=[("_id", -1)])]


async def test_a_read_gives_what_the_drivers_does(filled: Store) -> None:
    for wanted, keys, limit in (({}, None, 0), ({"odd": 1}, ["odd"], 7), ({"odd": 2}, None, 5), ({}, ["_id"], 4)):
        rows = await found(filled.complaints, wanted, keys, limit=limit, sort=[("_id", 1)])
        assert rows == await filled.complaints.find(wanted, keys, limit=limit).sort("_id").to_list(None)


async def test_many_reads_at_once_take_a_few_lines(filled: Store) -> None:
    reads: list[Rows] = await asyncio.gather(*(found(filled.complaints, {"_id": number}) for number in range(100)))
    assert [row["_id"] for [row] in reads] == list(range(100))
    assert 1 <= len(lines(filled)) <= wire.LINES


async def test_a_line_that_breaks_fails_no_read(filled: Store) -> None:
    [line, *_] = lines(filled)
    line.socket.shutdown(socket.SHUT_RDWR)
    assert await ids(filled) == [399, 397, 395]
    assert line.is_closed
    assert await opened(filled)
    assert await ids(filled) == [399, 397, 395]


async def test_what_a_line_cannot_say_is_asked_the_drivers_way() -> None:
    by_driver: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
    by_driver.set_result([{"_id": 1}])
    not_primary = {"ok": 0.0, "code": 13435, "errmsg": "not primary and secondaryOk=false"}
    in_parts = {"ok": 1.0, "cursor": {"id": 7, "firstBatch": []}}
    for reply in (None, not_primary, in_parts):
        rows: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        database._settle(rows, lambda: by_driver, reply)
        assert await rows == [{"_id": 1}]


async def test_a_read_that_takes_too_long_is_told_at_once() -> None:
    rows: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
    late = {"ok": 0.0, "code": wire.MAX_TIME_EXPIRED, "errmsg": "operation exceeded time limit"}
    database._settle(rows, lambda: pytest.fail("asked again"), late)
    with pytest.raises(ExecutionTimeout):
        await rows


async def test_what_cannot_be_sent_is_told_to_who_asks(filled: Store) -> None:
    """And not to the event loop, where nobody would be woken."""
    loader = loaders(filled).complaint
    with pytest.raises(OverflowError):
        await asyncio.wait_for(loader.load(2**80), 20)  # type: ignore[arg-type]
    assert await ids(filled) == [399, 397, 395]


async def test_what_the_database_refuses_is_the_drivers_to_tell(filled: Store) -> None:
    """And the line that heard it is used no more: a primary that has stepped down refuses every read."""
    before = lines(filled)
    with pytest.raises(OperationFailure, match="hint"):
        await found(filled.complaints, {}, limit=1, hint="there_is_none")
    assert any(line.is_closed for line in before)
    assert await ids(filled) == [399, 397, 395]


async def test_who_stops_waiting_leaves_a_line_in_order(filled: Store) -> None:
    read = found(filled.complaints, {})
    read.cancel()
    assert await ids(filled) == [399, 397, 395]
    assert all(not line.is_closed for line in await opened(filled))


async def test_lines_of_an_exchanged_pool_are_not_used(filled: Store) -> None:
    before = lines(filled)
    for line in before:
        line.connection.pool_gen.inc(None)
    assert await ids(filled) == [399, 397, 395]
    assert not set(before) & set(await opened(filled))


async def test_who_listens_to_commands_hears_all_of_them(mongodb_uri: str, store: Store) -> None:
    commands = Commands()
    watched = connect(mongodb_uri, store.database.name, event_listeners=[commands])
    for _ in range(5):
        await found(watched.complaints, {})
    assert [next(iter(command)) for command in commands.sent].count("find") == 5
    watched.close()
