"""Databases for tests: made once for each worker process, and put back to their first state before each use."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import IndexModel, MongoClient
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

RESTING: Final = 2
"""Databases that wait before one is used again: a write that a stopped server had under way has arrived by then."""
FEW: Final = 1_000
"""Documents that are deleted one by one; a collection with more is dropped where that costs no indexes."""

_EMPTY: Final = md5(b"", usedforsecurity=False).hexdigest()
_RAW: Final = CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True, slots=True)
class State:
    """What a database holds: documents and indexes by collection, and the hash that the server gives of each."""

    documents: Mapping[str, Mapping[Any, RawBSONDocument]]
    indexes: Mapping[str, Sequence[IndexModel]]
    hashes: Mapping[str, str]

    @classmethod
    def of(cls, database: Database[Any]) -> "State":
        names = database.list_collection_names()
        return cls(
            {name: read_documents(database, name) for name in names},
            {name: _read_indexes(database, name) for name in names},
            read_hashes(database),
        )

    def write(self, database: Database[Any]) -> None:
        """Writes all of it into an empty database."""
        for name, rows in self.documents.items():
            if rows:
                database[name].insert_many(rows.values(), ordered=False)
            else:
                database.create_collection(name)
            if self.indexes[name]:
                database[name].create_indexes(self.indexes[name])

    @property
    def index_count(self) -> int:
        return sum(1 + len(models) for models in self.indexes.values())


EMPTY: Final = State({}, {}, {})


def read_hashes(database: Database[Any]) -> dict[str, str]:
    """By collection, a hash of its documents. An empty collection is no different from one that does not exist."""
    hashes: dict[str, str] = database.command("dbHash")["collections"]
    return {name: value for name, value in hashes.items() if value != _EMPTY}


def read_documents(database: Database[Any], name: str) -> dict[Any, RawBSONDocument]:
    rows = database.get_collection(name, codec_options=_RAW).find({}, batch_size=10_000)
    return {row["_id"]: row for row in rows}


def _read_indexes(database: Database[Any], name: str) -> list[IndexModel]:
    models = []
    for found in database[name].list_indexes():
        options = {key: value for key, value in found.items() if key not in ("v", "key", "ns")}
        if found["name"] != "_id_":
            models.append(IndexModel(list(found["key"].items()), **options))
    return models


@dataclass(slots=True)
class Pool:
    """Databases of one state. Whoever takes one has it alone; documents that it changed are put back, indexes stay.

    What changed is read from the server (`dbHash`), so it does not matter who wrote it, and how.
    """

    client: MongoClient[Any]
    prefix: str
    state: State = EMPTY
    rest: int = RESTING
    _resting: deque[str] = field(default_factory=deque)
    _made: int = 0

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The name of a database that is in the pool's state, until the block ends."""
        name = self._take()
        yield name
        self._resting.append(name)

    def _take(self) -> str:
        while len(self._resting) > self.rest:
            name = self._resting.popleft()
            if self._restore(self._open(name)):
                return name
            self.client.drop_database(name)
        self._made += 1
        name = f"{self.prefix}_{self._made}"
        self.client.drop_database(name)
        self.state.write(self._open(name))
        return name

    def _open(self, name: str) -> Database[Any]:
        # The journal is waited for by no test: all of them end with the server.
        return self.client.get_database(name, write_concern=WriteConcern(w=1, j=False))

    def _restore(self, database: Database[Any]) -> bool:
        """Puts back what differs; False where collections or indexes do too, which is dearer than another database."""
        hashes, wanted = read_hashes(database), self.state.hashes
        changed = {name for name in {*hashes, *wanted} if hashes.get(name) != wanted.get(name)}
        for name in changed:
            self._restore_documents(database, name)
        if changed:
            if read_hashes(database) != wanted:
                return False
            # Streams that begin now begin after these writes: at an instant of their own.
            self.client.admin.command("appendOplogNote", data={"restored": database.name})
        return self._has_own_indexes_alone(database)

    def _restore_documents(self, database: Database[Any], name: str) -> None:
        collection, wanted = database[name], self.state.documents.get(name)
        if not wanted:
            if name not in self.state.indexes and collection.estimated_document_count() > FEW:
                collection.drop()
            else:
                collection.delete_many({})
            return
        found = read_documents(database, name)
        differing = [key for key, row in found.items() if key not in wanted or wanted[key].raw != row.raw]
        missing = [row for key, row in wanted.items() if key not in found or found[key].raw != row.raw]
        if differing:
            collection.delete_many({"_id": {"$in": differing}})
        if missing:
            collection.insert_many(missing, ordered=False)

    def _has_own_indexes_alone(self, database: Database[Any]) -> bool:
        """Whether the collections are the state's, or have the index of `_id` alone."""
        found = database.command("dbStats")
        # A collection that a test made has one index. The others must have as many as the state has.
        further = found["collections"] - len(self.state.indexes)
        return bool(further >= 0 and found["indexes"] == self.state.index_count + further)

    def close(self) -> None:
        """Drops the databases."""
        for number in range(1, self._made + 1):
            self.client.drop_database(f"{self.prefix}_{number}")


def make_state(client: MongoClient[Any], name: str, fill: Callable[[], None]) -> State:
    """The state of the database that `fill` fills, which is dropped."""
    client.drop_database(name)
    fill()
    state = State.of(client[name])
    client.drop_database(name)
    return state
