"""Client, codecs, read and write concerns: the one module that imports Motor."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo.errors import DuplicateKeyError, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from resolvers.store import group
from resolvers.store.group import Change, Group

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
]

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession

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
        object.__setattr__(self, "complaint_by_id", group.reads(self.complaints, MAX_TIME_MS))
        object.__setattr__(self, "change_complaint", group.changes(self.complaints))

    def close(self) -> None:
        self.client.close()


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
