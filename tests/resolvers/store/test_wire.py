"""Commands on the event loop's own connections have the driver's results, whatever happens to the connections."""

import asyncio
import socket
import threading
import time
from typing import Any

import pytest
from pymongo.errors import BulkWriteError, ExecutionTimeout, OperationFailure
from support.commands import Commands

from resolvers.request.loaders import Loaders
from resolvers.store import database, wire
from resolvers.store.database import ConditionalUpdate, Store, connect, find_documents, update_documents

Rows = list[dict[str, Any]]


def connections(store: Store) -> list[wire.LoopConnection]:
    return list(database._POOLS[id(store.client.delegate)]._connections)


async def opened(store: Store) -> list[wire.LoopConnection]:
    """Returns the open connections, and waits until there is one: before that the driver reads."""
    for _ in range(100):
        await find_documents(store.complaints, {"_id": "none"})
        if connections(store):
            return connections(store)
        await asyncio.sleep(0.05)
    raise AssertionError("no connection was opened")


@pytest.fixture
async def filled(store: Store) -> Store:
    await store.database["complaints"].insert_many(
        [{"_id": number, "text": "x" * 2_000, "odd": number % 2} for number in range(400)]
    )
    await opened(store)
    return store


async def ids(store: Store) -> list[int]:
    return [
        row["_id"]
        for row in await find_documents(store.database["complaints"], {"odd": 1}, ["_id"], limit=3, sort=[("_id", -1)])
    ]


async def test_a_read_gives_what_the_drivers_does(filled: Store) -> None:
    for wanted, keys, limit in (({}, None, 0), ({"odd": 1}, ["odd"], 7), ({"odd": 2}, None, 5), ({}, ["_id"], 4)):
        rows = await find_documents(filled.complaints, wanted, keys, limit=limit, sort=[("_id", 1)])
        assert rows == await filled.complaints.find(wanted, keys, limit=limit).sort("_id").to_list(None)


async def test_many_reads_at_once_take_a_few_lines(filled: Store) -> None:
    reads: list[Rows] = await asyncio.gather(
        *(find_documents(filled.database["complaints"], {"_id": number}) for number in range(100))
    )
    assert [row["_id"] for [row] in reads] == list(range(100))
    assert 1 <= len(connections(filled)) <= wire.MAX_CONNECTIONS


async def test_a_line_that_breaks_fails_no_read(filled: Store) -> None:
    [connection, *_] = connections(filled)
    connection.socket.shutdown(socket.SHUT_RDWR)
    assert await ids(filled) == [399, 397, 395]
    assert connection.is_closed
    assert await opened(filled)
    assert await ids(filled) == [399, 397, 395]


async def test_what_a_line_cannot_say_is_asked_the_drivers_way() -> None:
    by_driver: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
    by_driver.set_result([{"_id": 1}])
    not_primary = {"ok": 0.0, "code": 13435, "errmsg": "not primary and secondaryOk=false"}
    in_parts = {"ok": 1.0, "cursor": {"id": 7, "firstBatch": []}}
    for reply in (None, not_primary, in_parts):
        rows: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        database._settle_read(rows, lambda: by_driver, reply)
        assert await rows == [{"_id": 1}]


async def test_a_read_that_takes_too_long_is_told_at_once() -> None:
    rows: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
    late = {"ok": 0.0, "code": wire.MAX_TIME_EXPIRED, "errmsg": "operation exceeded time limit"}
    database._settle_read(rows, lambda: pytest.fail("asked again"), late)
    with pytest.raises(ExecutionTimeout):
        await rows


async def test_what_cannot_be_sent_is_told_to_who_asks(filled: Store) -> None:
    """And not to the event loop, where nobody would be woken."""
    loader = Loaders(filled).complaint
    with pytest.raises(OverflowError):
        await asyncio.wait_for(loader.load(2**80), 20)  # type: ignore[arg-type]
    assert await ids(filled) == [399, 397, 395]


async def test_what_the_database_refuses_is_the_drivers_to_tell(filled: Store) -> None:
    """The connection is closed: a primary that has stepped down would refuse every further read."""
    before = connections(filled)
    with pytest.raises(OperationFailure, match="hint"):
        await find_documents(filled.complaints, {}, limit=1, hint="there_is_none")
    assert any(connection.is_closed for connection in before)
    assert await ids(filled) == [399, 397, 395]


async def test_who_stops_waiting_leaves_a_line_in_order(filled: Store) -> None:
    read = find_documents(filled.complaints, {})
    read.cancel()
    assert await ids(filled) == [399, 397, 395]
    assert all(not connection.is_closed for connection in await opened(filled))


async def test_lines_of_an_exchanged_pool_are_not_used(filled: Store) -> None:
    before = connections(filled)
    for connection in before:
        connection.connection.pool_gen.inc(None)
    assert await ids(filled) == [399, 397, 395]
    assert not set(before) & set(await opened(filled))


async def test_who_listens_to_commands_hears_all_of_them(mongodb_uri: str, store: Store) -> None:
    commands = Commands()
    watched = connect(mongodb_uri, store.database.name, event_listeners=[commands])
    for _ in range(5):
        await find_documents(watched.complaints, {})
    assert [next(iter(command)) for command in commands.sent].count("find") == 5
    watched.close()


def asked_on(store: Store) -> wire.LoopConnection:
    [connection] = [connection for connection in connections(store) if connection._on_reply is not None]
    return connection


def counted(number: int, by: int = 1) -> ConditionalUpdate:
    return ConditionalUpdate({"_id": number, "odd": number % 2}, {"$inc": {"made": by}})


async def made(store: Store, *numbers: int) -> list[int]:
    return [(await store.database["complaints"].find_one({"_id": number}) or {}).get("made", 0) for number in numbers]


async def test_changes_are_made_where_documents_are_as_they_were(filled: Store) -> None:
    overtaken = ConditionalUpdate({"_id": 3, "odd": 0}, {"$inc": {"made": 1}})
    assert await update_documents(filled.complaints, [counted(1)]) == 1
    assert await update_documents(filled.complaints, [overtaken]) == 0
    assert await update_documents(filled.complaints, [counted(1), overtaken, counted(4)]) == 2
    assert await made(filled, 1, 3, 4) == [2, 0, 1]


async def test_a_change_whose_answer_is_lost_is_made_once(filled: Store) -> None:
    for number in range(20):
        await opened(filled)
        changing = update_documents(filled.complaints, [counted(number), counted(number + 100)])
        # The server has received the command. Whether it has made the update depends on how long this thread sleeps.
        time.sleep(number / 5_000)  # noqa: ASYNC251 - the event loop must not read the reply
        asked_on(filled).close()
        assert await changing == 2
    assert await made(filled, *range(20), *range(100, 120)) == [1] * 40


async def test_a_change_that_is_still_under_way_when_its_line_breaks_is_made_once(filled: Store) -> None:
    async with await filled.client.start_session() as session, session.start_transaction():
        await filled.complaints.update_one({"_id": 7}, {"$set": {"held": True}}, session=session)
        changing = update_documents(filled.complaints, [counted(7)])
        await asyncio.sleep(0.2)
        asked_on(filled).close()
        await asyncio.sleep(0.2)
        assert not changing.done()
    assert await changing == 1
    assert await made(filled, 7) == [1]


async def test_a_write_sent_again_is_not_made_again_by_a_line_used_after_it(filled: Store) -> None:
    """The driver keeps the session that it took over, so the next write in it must have the next number."""
    for _ in range(10):
        changing = update_documents(filled.complaints, [counted(9)])
        asked_on(filled).close()
        assert await changing == 1
        await filled.complaints.update_one({"_id": 9}, {"$inc": {"made": 1}})
        await opened(filled)
    assert await made(filled, 9) == [20]


async def test_what_the_database_will_not_write_is_the_drivers_to_tell(filled: Store) -> None:
    await filled.complaints.update_one({"_id": 5}, {"$set": {"made": "a text"}})
    with pytest.raises(BulkWriteError, match="Cannot apply \\$inc") as refused:
        await update_documents(filled.complaints, [counted(5), counted(6)])
    assert [error["index"] for error in refused.value.details["writeErrors"]] == [0]
    assert await made(filled, 6) == [1]


async def test_a_change_too_long_for_a_socket_is_made_all_the_same(filled: Store) -> None:
    long = ConditionalUpdate({"_id": 8}, {"$set": {"text": "y" * 2_000_000}, "$inc": {"made": 1}})
    assert await update_documents(filled.complaints, [long]) == 1
    assert await made(filled, 8) == [1]


async def test_a_line_that_is_being_opened_when_the_store_closes_is_closed_too(
    mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_connections: list[Any] = []
    may_open = threading.Event()

    def late(client: Any) -> Any:
        connection = open_connection(client)
        may_open.wait(5)
        opened_connections.append(connection)
        return connection

    open_connection = wire._open_connection
    monkeypatch.setattr(wire, "_open_connection", late)
    opening = connect(mongodb_uri)
    await find_documents(opening.complaints, {"_id": "none"})
    opening.close()
    may_open.set()
    for _ in range(100):
        if opened_connections and opened_connections[0].closed:
            break
        await asyncio.sleep(0.02)
    assert [connection.closed for connection in opened_connections] == [True]
