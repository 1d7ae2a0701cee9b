"""The database client, its codecs and its read and write concerns; the only module that imports Motor."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from resolvers.documents import (
    ActionPlanDoc,
    AgencyDoc,
    AuditEntryDoc,
    CategoryDoc,
    ComplaintDoc,
    Document,
    IdentityReadDoc,
    RegionDoc,
    ReporterDoc,
    ReporterKeyDoc,
    TeamDoc,
)
from resolvers.store.batching import Batcher, ConditionalUpdate, batch_reads, batch_updates
from resolvers.store.wire import MAX_TIME_EXPIRED, LoopPool, encode_command, is_success, reuse_session
from resolvers.system_documents import HolidayOverrideDoc, PolicyDoc, SubgraphVersionDoc, SupergraphDoc, UsageDoc

__all__ = [
    "BATCH_SIZE",
    "NEVER",
    "Collection",
    "ConditionalUpdate",
    "Document",
    "DuplicateKeyError",
    "ExecutionTimeout",
    "PyMongoError",
    "Session",
    "Store",
    "connect",
    "find_documents",
    "update_documents",
]

Collection = AsyncIOMotorCollection
Session = AsyncIOMotorClientSession
Value = TypeVar("Value")
Row = TypeVar("Row", bound=Mapping[str, Any])
"""The kind of document that a collection holds."""

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "no due time" in a sort key: such documents come last."""

MAX_TIME_MS = 2000
"""A read that takes longer is ended by the server, with ExecutionTimeout."""

BATCH_SIZE = 10_000
"""Rows in one answer of a list that is read whole: one command, where the driver's default needs one per 100 rows."""


@dataclass(frozen=True, slots=True)
class Store:
    """The database, one attribute for each collection, and the commands that requests share."""

    client: AsyncIOMotorClient[Any]
    database: AsyncIOMotorDatabase[Any]
    complaints: Collection[ComplaintDoc]
    agencies: Collection[AgencyDoc]
    regions: Collection[RegionDoc]
    categories: Collection[CategoryDoc]
    teams: Collection[TeamDoc]
    action_plans: Collection[ActionPlanDoc]
    reporters: Collection[ReporterDoc]
    supergraphs: Collection[SupergraphDoc]
    subgraph_versions: Collection[SubgraphVersionDoc]
    field_usage: Collection[UsageDoc]
    operation_usage: Collection[UsageDoc]
    reporter_keys: Collection[ReporterKeyDoc]
    identity_reads: Collection[IdentityReadDoc]
    audit: Collection[AuditEntryDoc]
    policies: Collection[PolicyDoc]
    holiday_overrides: Collection[HolidayOverrideDoc]
    complaint_reads: Batcher[str, ComplaintDoc | None] = field(init=False)
    """Reads a complaint by id as it is now, for a decision; simultaneous requests share a command."""
    complaint_updates: Batcher[ConditionalUpdate, bool | None] = field(init=False)
    """Updates a complaint that is still as it was when the change was decided; likewise."""

    def __post_init__(self) -> None:
        # A frozen dataclass sets its own attributes only this way.
        object.__setattr__(self, "complaint_reads", batch_reads(partial(find_documents, self.complaints)))
        object.__setattr__(self, "complaint_updates", batch_updates(partial(update_documents, self.complaints)))

    def close(self) -> None:
        pool = _POOLS.pop(id(self.client.delegate), None)
        if pool is not None:
            pool.close()
        self.client.close()


_THREADS: Final = ThreadPoolExecutor(max_workers=5 * (os.cpu_count() or 1), thread_name_prefix="mongo")
"""For blocking calls of the driver."""

_WITHOUT_ZONE: Final[CodecOptions[Document]] = CodecOptions(tz_aware=False)

_POOLS: Final[dict[int, LoopPool]] = {}
"""By `id` of the driver's client, which its pool keeps alive.

A client has none if it has event listeners, which must hear of every command, or does not read from the primary.
"""


def find_documents(
    collection: Collection[Row],
    query: Mapping[str, Any],
    keys: Iterable[str] | None = None,
    *,
    limit: int = 0,
    sort: Sequence[tuple[str, int]] | None = None,
    hint: str | None = None,
    is_zoned: bool = True,
) -> "asyncio.Future[list[Row]]":
    """Reads the documents that match, `keys` of each or all, in one command.

    With `is_zoned=False` instants are naive datetimes in UTC, which take a quarter of the CPU to decode.
    Raises ExecutionTimeout and other PyMongoErrors.
    """
    driver, loop = collection.delegate, asyncio.get_running_loop()
    options = driver.codec_options if is_zoned else _WITHOUT_ZONE
    projection = None if keys is None else dict.fromkeys(keys, True) or {"_id": True}

    def read_with_driver() -> list[Row]:
        # PyMongo's cursor in one thread: Motor's goes to a thread for every batch, and through the event loop twice.
        cursor = driver.with_options(options).find(
            query,
            projection,
            limit=limit,
            sort=sort,
            hint=hint,
            batch_size=0 if limit else BATCH_SIZE,
            max_time_ms=MAX_TIME_MS,
        )
        rows: list[Row] = cursor.to_list()
        return rows

    def read_in_thread() -> "asyncio.Future[list[Row]]":
        return loop.run_in_executor(_THREADS, read_with_driver)

    command: Document = {
        "find": driver.name,
        "filter": query,
        "projection": projection,
        "limit": limit,
        "sort": dict(sort) if sort else None,
        "hint": hint,
        # One more than the limit, so that the server knows the answer to be complete and leaves no cursor open.
        "batchSize": limit + 1 if limit else BATCH_SIZE,
        "maxTimeMS": MAX_TIME_MS,
        "readConcern": driver.read_concern.document,
        "$db": driver.database.name,
    }
    pool = _POOLS.get(id(driver.database.client))
    message = None if pool is None else encode_command(command, options)
    connection = None if pool is None or message is None else pool.acquire(loop)
    if connection is None or message is None:
        return read_in_thread()
    rows: asyncio.Future[list[Row]] = loop.create_future()
    connection.send(message, options, partial(_settle_read, rows, read_in_thread))
    return rows


def _settle_read(
    rows: "asyncio.Future[list[Row]]",
    read_in_thread: "Callable[[], asyncio.Future[list[Row]]]",
    reply: Document | None,
) -> None:
    """Settles a read with the reply to its command, or with a read by the driver where that was no whole answer."""
    if rows.done():
        return  # its caller was cancelled
    if reply is not None and reply["ok"] and not reply["cursor"]["id"]:
        rows.set_result(reply["cursor"]["firstBatch"])
    elif reply is not None and reply.get("code") == MAX_TIME_EXPIRED:
        # Not repeated: it would take as long again.
        rows.set_exception(ExecutionTimeout(reply["errmsg"], MAX_TIME_EXPIRED, reply))
    else:
        read_in_thread().add_done_callback(partial(_copy_outcome, rows))


def update_documents(collection: Collection[Any], updates: Sequence[ConditionalUpdate]) -> "asyncio.Future[int]":
    """Makes the updates in one command, each at most once; returns how many documents matched their condition.

    Raises BulkWriteError, whose `details` say which updates failed, and other PyMongoErrors.
    """
    driver, loop = collection.delegate, asyncio.get_running_loop()

    def write(session: ClientSession | None = None) -> int:
        written = driver.bulk_write([UpdateOne(*update) for update in updates], ordered=False, session=session)
        return int(written.matched_count)

    client = driver.database.client
    pool = _POOLS.get(id(client))
    connection = None if pool is None else pool.acquire(loop)
    if connection is None:
        return loop.run_in_executor(_THREADS, write)
    command: Document = {
        "update": driver.name,
        "updates": [{"q": update.condition, "u": update.update} for update in updates],
        "ordered": False,
        "writeConcern": driver.write_concern.document,
        "$db": driver.database.name,
        **connection.next_write_keys(),
    }

    def write_again(server_session: Any) -> int:
        # Under the same session and transaction number: if the first attempt was made, the server says so.
        with reuse_session(client, server_session) as session:
            return write(session)

    matched: asyncio.Future[int] = loop.create_future()

    def settle(reply: Document | None) -> None:
        if reply is not None and is_success(reply):
            if not matched.done():
                matched.set_result(reply["n"])
        else:
            # Closed, because its session is the driver's from here on. The write is finished even if its caller was
            # cancelled, as the driver finishes a write that it has begun.
            connection.close()
            repeated = loop.run_in_executor(_THREADS, write_again, connection.session)
            repeated.add_done_callback(partial(_copy_outcome, matched))

    message = encode_command(command, driver.codec_options)
    if message is None:
        settle(None)
    else:
        connection.send(message, driver.codec_options, settle)
    return matched


def _copy_outcome(target: "asyncio.Future[Value]", source: "asyncio.Future[Value]") -> None:
    # Read even if nobody waits any more, so that asyncio does not log it as never retrieved.
    failure = source.exception()
    if target.done():
        return
    if failure is None:
        target.set_result(source.result())
    else:
        target.set_exception(failure)


def connect(uri: str, database: str = "satugraf", **options: Any) -> Store:
    """Returns a store on `uri`. It connects at the first command, which fails if the address is wrong.

    Writes are acknowledged by a majority and journalled, and reads see only such writes; both are retried. `options`
    go to the driver (event listeners, pool sizes).
    """
    settings: dict[str, Any] = {
        "w": "majority",
        "journal": True,
        "readConcernLevel": "majority",
        "retryWrites": True,
        "retryReads": True,
        "serverSelectionTimeoutMS": 15000,
        "connectTimeoutMS": 2000,
        "socketTimeoutMS": 20000,
        "heartbeatFrequencyMS": 2000,
        "maxPoolSize": 50,
        "waitQueueTimeoutMS": 2000,
        "maxIdleTimeMS": 60000,
        "appname": "satugraf",
    }
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(uri, **(settings | options))
    if not options.get("event_listeners") and client.read_preference == ReadPreference.PRIMARY:
        _POOLS[id(client.delegate)] = LoopPool(client.delegate, _THREADS)
    codecs: CodecOptions[Any] = CodecOptions(tz_aware=True)
    opened = client.get_database(
        database,
        codec_options=codecs,
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
    )
    return Store(
        client=client,
        database=opened,
        complaints=opened["complaints"],
        agencies=opened["agencies"],
        regions=opened["regions"],
        categories=opened["categories"],
        teams=opened["teams"],
        action_plans=opened["action_plans"],
        reporters=opened["reporters"],
        supergraphs=opened["supergraphs"],
        subgraph_versions=opened["subgraph_versions"],
        field_usage=opened["field_usage"],
        operation_usage=opened["operation_usage"],
        reporter_keys=opened["reporter_keys"],
        identity_reads=opened["identity_reads"],
        audit=opened["audit"],
        policies=opened["policies"],
        holiday_overrides=opened["holiday_overrides"],
    )
