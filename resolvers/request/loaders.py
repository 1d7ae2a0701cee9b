"""Reads by id and by owner: from the reference data in the process, else one command for all reads of one depth.

The executor asks for every document of one depth of the answer before it awaits the first. A loader collects these
ids during one turn of the event loop, sends one command for them, and keeps the documents until the request ends.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

from aiodataloader import DataLoader

from resolvers.answer_cache import AnswerCache
from resolvers.documents import (
    ActionPlanDoc,
    AgencyDoc,
    CategoryDoc,
    ComplaintDoc,
    Filter,
    IdentityReadDoc,
    RegionDoc,
    ReporterDoc,
    ReporterKeyDoc,
    TeamDoc,
)
from resolvers.store.database import Collection, Store, find_documents
from resolvers.store.reference_data import ReferenceData

MAX_BATCH = 1000

Value = TypeVar("Value")
Loaded = TypeVar("Loaded", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True, eq=False)
class Ready(Generic[Value]):
    """An awaitable that has its value already. Unlike a coroutine or a future it costs no turn of the event loop."""

    value: Value

    def __await__(self) -> Generator[Any, None, Value]:
        return self.value
        yield  # never reached: makes this function the generator that `await` needs


@dataclass(slots=True)
class ById(Generic[Loaded]):
    """Loads documents of one collection by id."""

    collection: Collection[Loaded]
    reference_data: ReferenceData | None = None
    _reads: dict[frozenset[str] | None, "_Reads[Loaded]"] = field(default_factory=dict)

    def load(self, document_id: str, keys: frozenset[str] | None = None) -> Awaitable[Loaded | None]:
        """Load the document, or None; `keys` are the keys to read, all of them where None."""
        rows = self.find_rows()
        row = None if rows is None else rows.get(document_id)
        if row is not None:
            return Ready(row)
        return self._find_reads(keys).load(document_id)

    async def load_many(self, ids: Sequence[str], keys: frozenset[str] | None = None) -> Mapping[str, Loaded | None]:
        """Load several documents, by id; for a collection that is not reference data."""
        return await self._find_reads(keys).load_many(ids)

    def _find_reads(self, keys: frozenset[str] | None) -> "_Reads[Loaded]":
        reads = self._reads.get(keys)
        if reads is None:
            reads = self._reads[keys] = _Reads(self.collection, keys)
        return reads

    def find_rows(self) -> Mapping[str, Loaded] | None:
        """Return the collection's documents by id, if the process holds them; None where reads go to the database."""
        return None if self.reference_data is None else self.reference_data.rows(self.collection.name)

    def find_answers(self) -> AnswerCache | None:
        """Return the cache of answers made of these documents; None where reads go to the database."""
        return None if self.reference_data is None else self.reference_data.answers(self.collection.name)


@dataclass(slots=True, eq=False)
class _Batch(Generic[Loaded]):
    """The ids that one command reads, and its documents once they have come."""

    ids: list[str] = field(default_factory=list)
    rows: Mapping[str, Loaded] | None = None
    """None until the command has been answered."""
    failure: BaseException | None = None
    waiters: "dict[asyncio.Task[Any] | None, asyncio.Future[None]]" = field(default_factory=dict)
    """One future for each task that waits: a task that is cancelled cancels only its own."""

    def join(self) -> "asyncio.Future[None]":
        """Return the future of the current task, which is done when the command has been answered."""
        task = asyncio.current_task()
        waiter = self.waiters.get(task)
        if waiter is None or waiter.cancelled():
            waiter = self.waiters[task] = asyncio.get_running_loop().create_future()
        return waiter

    def __await__(self) -> Generator[Any, None, Mapping[str, Loaded]]:
        if self.rows is None:
            yield from self.join()
        if self.failure is not None:
            raise self.failure
        assert self.rows is not None  # noqa: S101 - `settle` sets them before it wakes a waiter
        return self.rows

    def settle(self, rows: Mapping[str, Loaded], failure: BaseException | None) -> None:
        self.rows, self.failure = rows, failure
        for waiter in self.waiters.values():
            if not waiter.done():
                waiter.set_result(None)


class _PendingDocument(Generic[Loaded]):
    """Awaits one document of a batch."""

    __slots__ = ("batch", "document_id")

    def __init__(self, batch: _Batch[Loaded], document_id: str) -> None:
        self.batch = batch
        self.document_id = document_id

    def __await__(self) -> Generator[Any, None, Loaded | None]:
        rows = yield from self.batch.__await__()
        return rows.get(self.document_id)


@dataclass(slots=True)
class _Reads(Generic[Loaded]):
    """The reads of one request that need the same keys of one collection.

    An id goes from `unsent` (collected in this turn of the event loop) to a command under way, then to `known`;
    `batch_by_id` says in which batch it travels. An id whose command failed is forgotten, so that it can be read again.
    """

    collection: Collection[Loaded]
    keys: frozenset[str] | None
    known: dict[str, Loaded | None] = field(default_factory=dict)
    batch_by_id: dict[str, _Batch[Loaded]] = field(default_factory=dict)
    unsent: _Batch[Loaded] | None = None

    def load(self, document_id: str) -> Awaitable[Loaded | None]:
        if document_id in self.known:
            return Ready(self.known[document_id])
        return _PendingDocument(self._add_to_batch(document_id), document_id)

    async def load_many(self, ids: Sequence[str]) -> Mapping[str, Loaded | None]:
        known = self.known
        # All ids join their batches before the first batch is awaited; `dict.fromkeys` awaits each batch once.
        for batch in dict.fromkeys([self._add_to_batch(each) for each in ids if each not in known]):
            await batch
        return known

    def _add_to_batch(self, document_id: str) -> _Batch[Loaded]:
        batch = self.batch_by_id.get(document_id)
        if batch is None:
            batch = self.unsent
            if batch is None:
                batch = self.unsent = _Batch()
                # Runs after the tasks of this turn, so that all ids that they ask for are in the batch.
                asyncio.get_running_loop().call_soon(self._send, batch)
            batch.ids.append(document_id)
            self.batch_by_id[document_id] = batch
            if len(batch.ids) == MAX_BATCH:
                self.unsent = None
        return batch

    def _send(self, batch: _Batch[Loaded]) -> None:
        if batch is self.unsent:
            self.unsent = None
        ids = batch.ids
        wanted: Filter = {"_id": {"$in": ids} if len(ids) > 1 else {"$eq": ids[0]}}
        find_documents(self.collection, wanted, self.keys).add_done_callback(partial(self._settle, batch))

    def _settle(self, batch: _Batch[Loaded], read: "asyncio.Future[list[Loaded]]") -> None:
        failure = read.exception()
        rows = {} if failure else {row["_id"]: row for row in read.result()}
        for document_id in batch.ids:
            del self.batch_by_id[document_id]
            if failure is None:
                self.known[document_id] = rows.get(document_id)
        batch.settle(rows, failure)


@dataclass(slots=True)
class ByOwner(Generic[Loaded]):
    """Loads the documents whose key `owner` names a given document, sorted by the key `sort`."""

    collection: Collection[Loaded]
    owner: str
    sort: str
    reference_data: ReferenceData | None = None
    _loader: DataLoader[str, list[Loaded]] | None = None

    def load(self, owner_id: str) -> Awaitable[list[Loaded]]:
        data = self.reference_data
        rows = None if data is None else data.rows_by_owner(self.collection.name, self.owner, owner_id, self.sort)
        if rows is not None:
            return Ready(cast("list[Loaded]", rows))
        if self._loader is None:
            self._loader = DataLoader(self._read, max_batch_size=MAX_BATCH)
        # Shielded: a caller that is cancelled must not cancel the read for the others.
        return asyncio.shield(self._loader.load(owner_id))

    async def _read(self, owners: Sequence[str]) -> list[list[Loaded]]:
        rows: dict[str, list[Loaded]] = {owner: [] for owner in owners}
        for row in await find_documents(self.collection, {self.owner: {"$in": owners}}):
            rows[row[self.owner]].append(row)
        return [sorted(rows[owner], key=lambda row: cast("str", row[self.sort])) for owner in owners]


class IdentityRead(NamedTuple):
    """One read of a reporter's identity, before it is a row of the log (IdentityReadDoc)."""

    complaint: str
    reporter: str
    at: datetime
    role: str
    subject: str | None
    agency: str | None
    purpose: str | None
    keys: tuple[str, ...]
    readers: tuple[str, ...]


@dataclass(frozen=True)
class Loaders:
    """One request's loaders, each created at its first use.

    With `reference_data` the loaders of agencies, regions, categories and teams answer from the process. Mutations have
    none: a decision about a change reads the database.
    """

    store: Store
    reference_data: ReferenceData | None = None

    @cached_property
    def complaint(self) -> ById[ComplaintDoc]:
        return ById(self.store.complaints)

    @cached_property
    def agency(self) -> ById[AgencyDoc]:
        return ById(self.store.agencies, self.reference_data)

    @cached_property
    def region(self) -> ById[RegionDoc]:
        return ById(self.store.regions, self.reference_data)

    @cached_property
    def category(self) -> ById[CategoryDoc]:
        return ById(self.store.categories, self.reference_data)

    @cached_property
    def team(self) -> ById[TeamDoc]:
        return ById(self.store.teams, self.reference_data)

    @cached_property
    def action_plan(self) -> ById[ActionPlanDoc]:
        return ById(self.store.action_plans)

    @cached_property
    def regencies(self) -> ByOwner[AgencyDoc]:
        """By the agency of their province."""
        return ByOwner(self.store.agencies, "province", "name", self.reference_data)

    @cached_property
    def teams(self) -> ByOwner[TeamDoc]:
        """By agency."""
        return ByOwner(self.store.teams, "agency", "name", self.reference_data)

    @cached_property
    def action_plans(self) -> ByOwner[ActionPlanDoc]:
        """By agency."""
        return ByOwner(self.store.action_plans, "agency", "periodFrom")

    @cached_property
    def reporter(self) -> ById[ReporterDoc]:
        return ById(self.store.reporters)

    @cached_property
    def reporter_key(self) -> ById[ReporterKeyDoc]:
        return ById(self.store.reporter_keys)

    @cached_property
    def identity_read(self) -> DataLoader[IdentityRead, None]:
        """Writes rows of the log, several with one command; `load(row)` returns once the row is durable."""
        return DataLoader(partial(_write_identity_reads, self.store.identity_reads), max_batch_size=MAX_BATCH)


async def _write_identity_reads(collection: Collection[IdentityReadDoc], rows: Sequence[IdentityRead]) -> list[None]:
    await collection.insert_many([_build_identity_read(row) for row in rows])
    return [None] * len(rows)


def _build_identity_read(row: IdentityRead) -> IdentityReadDoc:
    return {
        "_id": f"IR-{secrets.token_hex(12)}",
        "complaint": row.complaint,
        "reporter": row.reporter,
        "at": row.at,
        "role": row.role,
        "subject": row.subject,
        "agency": row.agency,
        "purpose": row.purpose,
        "keys": list(row.keys),
        "readers": list(row.readers),
    }
