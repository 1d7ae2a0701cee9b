"""Client, codecs, read and write concerns: the one module that imports Motor."""

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

from resolvers.store import batching
from resolvers.store.batching import Change, Group
from resolvers.store.wire import MAX_TIME_EXPIRED, Wire, is_plain, message, sent_again

__all__ = [
    "BATCH_SIZE",
    "NEVER",
    "Change",
    "Collection",
    "Document",
    "DuplicateKeyError",
    "ExecutionTimeout",
    "PyMongoError",
    "Session",
    "Store",
    "connect",
    "found",
]

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession
Got = TypeVar("Got")

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "no due time" in a sort key: such documents come last."""

MAX_TIME_MS = 2000
"""A read that has not answered by then ends with an error; it never runs on."""


BATCH_SIZE = 10_000
"""Rows of a list that is read whole: one command, where the driver's default takes one for each hundred."""


@dataclass(frozen=True, slots=True)
class Store:
    """The database and its collections, one attribute each."""

    client: AsyncIOMotorClient[Document]
    database: AsyncIOMotorDatabase[Document]
    complaints: Collection
    agencies: Collection
    regions: Collection
    categories: Collection
    teams: Collection
    action_plans: Collection
    reporters: Collection
    supergraphs: Collection
    subgraph_versions: Collection
    field_usage: Collection
    operation_usage: Collection
    reporter_keys: Collection
    identity_reads: Collection
    audit: Collection
    policies: Collection
    holiday_overrides: Collection
    complaint_by_id: Group[str, Document | None] = field(init=False)
    """As it is now, for a decision; requests that ask at once share a command."""
    change_complaint: Group[Change, bool | None] = field(init=False)
    """Likewise."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "complaint_by_id", batching.reads(partial(found, self.complaints)))
        object.__setattr__(self, "change_complaint", batching.changes(partial(changed, self.complaints)))

    def close(self) -> None:
        wire = _WIRES.pop(id(self.client.delegate), None)
        if wire is not None:
            wire.close()
        self.client.close()


_READING: Final = ThreadPoolExecutor(max_workers=5 * (os.cpu_count() or 1), thread_name_prefix="mongo")


_UNZONED: Final[CodecOptions[Document]] = CodecOptions(tz_aware=False)

_WIRES: Final[dict[int, Wire]] = {}
"""By the identity of the client, which a wire keeps; none where somebody listens to commands, or reads elsewhere."""


def found(
    collection: Collection,
    wanted: Mapping[str, Any],
    keys: Iterable[str] | None = None,
    *,
    limit: int = 0,
    sort: Sequence[tuple[str, int]] | None = None,
    hint: str | None = None,
    is_zoned: bool = True,
) -> "asyncio.Future[list[Document]]":
    """The documents of a read that comes in one answer, `keys` of each or all.

    Not zoned, instants come without saying that they are of UTC, at a quarter of the CPU.
    """
    driver, loop = collection.delegate, asyncio.get_running_loop()
    options = driver.codec_options if is_zoned else _UNZONED
    projection = None if keys is None else dict.fromkeys(keys, True) or {"_id": True}

    def read() -> list[Document]:
        # Motor's own cursor goes to a thread for every batch and from there through the event loop twice.
        cursor = driver.with_options(options).find(
            wanted,
            projection,
            limit=limit,
            sort=sort,
            hint=hint,
            batch_size=0 if limit else BATCH_SIZE,
            max_time_ms=MAX_TIME_MS,
        )
        rows: list[Document] = cursor.to_list()
        return rows

    command: Document = {
        "find": driver.name,
        "filter": wanted,
        "projection": projection,
        "limit": limit,
        "sort": dict(sort) if sort else None,
        "hint": hint,
        "batchSize": limit + 1 if limit else BATCH_SIZE,
        "maxTimeMS": MAX_TIME_MS,
        "readConcern": driver.read_concern.document,
        "$db": driver.database.name,
    }
    wire = _WIRES.get(id(driver.database.client))
    asked = None if wire is None else message(command, options)
    line = None if wire is None or asked is None else wire.line(loop)
    if line is None or asked is None:
        return loop.run_in_executor(_READING, read)
    rows: asyncio.Future[list[Document]] = loop.create_future()
    line.ask(asked, options, partial(_settle, rows, lambda: loop.run_in_executor(_READING, read)))
    return rows


def _settle(
    rows: "asyncio.Future[list[Document]]",
    read: "Callable[[], asyncio.Future[list[Document]]]",
    reply: Document | None,
) -> None:
    """By the reply to a find, or by the driver's own read of the same."""
    if rows.done():
        return  # nobody waits for it any more
    if reply is not None and reply["ok"] and not reply["cursor"]["id"]:
        rows.set_result(reply["cursor"]["firstBatch"])
    elif reply is not None and reply.get("code") == MAX_TIME_EXPIRED:
        rows.set_exception(ExecutionTimeout(reply["errmsg"], MAX_TIME_EXPIRED, reply))
    else:
        read().add_done_callback(partial(_hand_on, rows))


def changed(collection: Collection, asked: Sequence[Change]) -> "asyncio.Future[int]":
    """How many of the documents were as their change wants them, and have it now: one command, made once.

    Raises BulkWriteError, of which `details` say what was not made, and PyMongoError.
    """
    driver, loop = collection.delegate, asyncio.get_running_loop()

    def write(session: ClientSession | None = None) -> int:
        made = driver.bulk_write([UpdateOne(*change) for change in asked], ordered=False, session=session)
        return int(made.matched_count)

    client = driver.database.client
    wire = _WIRES.get(id(client))
    line = None if wire is None else wire.line(loop)
    if line is None:
        return loop.run_in_executor(_READING, write)
    command: Document = {
        "update": driver.name,
        "updates": [{"q": change.unchanged, "u": change.update} for change in asked],
        "ordered": False,
        "writeConcern": driver.write_concern.document,
        "$db": driver.database.name,
        **line.next_write(),
    }

    def write_again(session: Any) -> int:
        with sent_again(client, session) as same:
            return write(same)

    made: asyncio.Future[int] = loop.create_future()

    def settle(reply: Document | None) -> None:
        if reply is not None and is_plain(reply):
            if not made.done():
                made.set_result(reply["n"])
        else:
            # Its session is the driver's from here on.
            line.close()
            loop.run_in_executor(_READING, write_again, line.session).add_done_callback(partial(_hand_on, made))

    written = message(command, driver.codec_options)
    if written is None:
        settle(None)
    else:
        line.ask(written, driver.codec_options, settle)
    return made


def _hand_on(wanted: "asyncio.Future[Got]", done: "asyncio.Future[Got]") -> None:
    failure = done.exception()
    if wanted.done():
        return
    if failure is None:
        wanted.set_result(done.result())
    else:
        wanted.set_exception(failure)


def connect(uri: str, database: str = "satugraf", **options: Any) -> Store:
    """A store on `uri`; connects at the first command, so a wrong address shows there.

    Nothing acknowledged is lost: majority writes with journal, majority reads, retries of both. `options` go to
    the driver (event listeners, pool sizes).
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
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri, **(settings | options))
    if not options.get("event_listeners") and client.read_preference == ReadPreference.PRIMARY:
        _WIRES[id(client.delegate)] = Wire(client.delegate, _READING)
    codecs: CodecOptions[Document] = CodecOptions(tz_aware=True)
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
