"""Reads by id and by owner: from the reference data in the process, else one command for all that a depth asks for."""

import asyncio
import secrets
from collections.abc import Awaitable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

from aiodataloader import DataLoader

from resolvers.answer_cache import Made
from resolvers.store.database import Collection, Document, Store, find_documents
from resolvers.store.reference_data import ReferenceData

MAX_BATCH = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Ready(Generic[T]):
    """What is known at once, for who awaits it."""

    value: T

    def __await__(self) -> Generator[Any, None, T]:
        return self.value
        yield


@dataclass(slots=True)
class ById:
    """Documents of one collection; what was read stays until the request ends."""

    collection: Collection
    held: ReferenceData | None = None
    _reads: dict[frozenset[str] | None, "_Reads"] = field(default_factory=dict)

    def load(self, document_id: str, keys: frozenset[str] | None = None) -> Awaitable[Document | None]:
        """The document, or None; `keys` are those that are read of it, all where None."""
        rows = self.rows()
        row = None if rows is None else rows.get(document_id)
        if row is not None:
            return Ready(row)
        return self._of(keys).load(document_id)

    async def load_many(self, ids: Sequence[str], keys: frozenset[str] | None = None) -> Mapping[str, Document | None]:
        """The same for many, by id, of a collection that the process does not hold."""
        return await self._of(keys).load_many(ids)

    def _of(self, keys: frozenset[str] | None) -> "_Reads":
        reads = self._reads.get(keys)
        if reads is None:
            reads = self._reads[keys] = _Reads(self.collection, keys)
        return reads

    def rows(self) -> Mapping[str, Document] | None:
        """The documents in the process; None where reads go to the database."""
        return None if self.held is None else self.held.rows(self.collection.name)

    def made(self) -> Made | None:
        """What has been made of the documents in the process; None where reads go to the database."""
        return None if self.held is None else self.held.answers(self.collection.name)


@dataclass(slots=True, eq=False)
class _Batch:
    """Ids that one command reads."""

    ids: list[str] = field(default_factory=list)
    rows: Mapping[str, Document] | None = None
    """None until they have been read."""
    failure: BaseException | None = None
    waiters: "dict[asyncio.Task[Any] | None, asyncio.Future[None]]" = field(default_factory=dict)
    """One for each task that waits: who stops waiting ends the read for nobody else."""

    def waiter(self) -> "asyncio.Future[None]":
        task = asyncio.current_task()
        waiter = self.waiters.get(task)
        if waiter is None or waiter.cancelled():
            waiter = self.waiters[task] = asyncio.get_running_loop().create_future()
        return waiter

    def __await__(self) -> Generator[Any, None, Mapping[str, Document]]:
        if self.rows is None:
            yield from self.waiter()
        if self.failure is not None:
            raise self.failure
        assert self.rows is not None  # noqa: S101 - they are there before a waiter is told
        return self.rows

    def settle(self, rows: Mapping[str, Document], failure: BaseException | None) -> None:
        self.rows, self.failure = rows, failure
        for waiter in self.waiters.values():
            if not waiter.done():
                waiter.set_result(None)


class _Wanted:
    """One id's document, for who awaits it."""

    __slots__ = ("batch", "document_id")

    def __init__(self, batch: _Batch, document_id: str) -> None:
        self.batch = batch
        self.document_id = document_id

    def __await__(self) -> Generator[Any, None, Document | None]:
        rows = yield from self.batch.__await__()
        return rows.get(self.document_id)


@dataclass(slots=True)
class _Reads:
    """Reads of the same keys: all ids that are asked for in one turn of the event loop are one command."""

    collection: Collection
    keys: frozenset[str] | None
    known: dict[str, Document | None] = field(default_factory=dict)
    asked: dict[str, _Batch] = field(default_factory=dict)
    unsent: _Batch | None = None

    def load(self, document_id: str) -> Awaitable[Document | None]:
        if document_id in self.known:
            return Ready(self.known[document_id])
        return _Wanted(self._batch(document_id), document_id)

    async def load_many(self, ids: Sequence[str]) -> Mapping[str, Document | None]:
        known = self.known
        for batch in dict.fromkeys([self._batch(each) for each in ids if each not in known]):
            await batch
        return known

    def _batch(self, document_id: str) -> _Batch:
        batch = self.asked.get(document_id)
        if batch is None:
            batch = self.unsent
            if batch is None:
                batch = self.unsent = _Batch()
                asyncio.get_running_loop().call_soon(self._send, batch)
            batch.ids.append(document_id)
            self.asked[document_id] = batch
            if len(batch.ids) == MAX_BATCH:
                self.unsent = None
        return batch

    def _send(self, batch: _Batch) -> None:
        if batch is self.unsent:
            self.unsent = None
        ids = batch.ids
        wanted: Document = {"_id": {"$in": ids} if len(ids) > 1 else {"$eq": ids[0]}}
        find_documents(self.collection, wanted, self.keys).add_done_callback(partial(self._settle, batch))

    def _settle(self, batch: _Batch, read: "asyncio.Future[list[Document]]") -> None:
        failure = read.exception()
        rows = {} if failure else {row["_id"]: row for row in read.result()}
        for document_id in batch.ids:
            del self.asked[document_id]
            if failure is None:
                self.known[document_id] = rows.get(document_id)
        batch.settle(rows, failure)


@dataclass(slots=True)
class ByOwner:
    """Documents of one collection whose `owner` names another's, in the order of `sort`."""

    collection: Collection
    owner: str
    sort: str
    held: ReferenceData | None = None
    _loader: DataLoader[str, list[Document]] | None = None

    def load(self, owner_id: str) -> Awaitable[list[Document]]:
        held = (
            None
            if self.held is None
            else self.held.rows_by_owner(self.collection.name, self.owner, owner_id, self.sort)
        )
        if held is not None:
            return Ready(cast("list[Document]", held))
        if self._loader is None:
            self._loader = DataLoader(self._read, max_batch_size=MAX_BATCH)
        return asyncio.shield(self._loader.load(owner_id))

    async def _read(self, owners: Sequence[str]) -> list[list[Document]]:
        rows: dict[str, list[Document]] = {wanted: [] for wanted in owners}
        for row in await find_documents(self.collection, {self.owner: {"$in": owners}}):
            rows[row[self.owner]].append(row)
        return [sorted(rows[wanted], key=lambda row: cast("str", row[self.sort])) for wanted in owners]


class IdentityRead(NamedTuple):
    """One reading of who reported: a row of the log."""

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
    """One request's loaders, each made when it is first asked; `held` is for reads that decide upon no change."""

    store: Store
    held: ReferenceData | None = None

    @cached_property
    def complaint(self) -> ById:
        return ById(self.store.complaints)

    @cached_property
    def agency(self) -> ById:
        return ById(self.store.agencies, self.held)

    @cached_property
    def region(self) -> ById:
        return ById(self.store.regions, self.held)

    @cached_property
    def category(self) -> ById:
        return ById(self.store.categories, self.held)

    @cached_property
    def team(self) -> ById:
        return ById(self.store.teams, self.held)

    @cached_property
    def action_plan(self) -> ById:
        return ById(self.store.action_plans)

    @cached_property
    def regencies(self) -> ByOwner:
        """By the province's agency."""
        return ByOwner(self.store.agencies, "province", "name", self.held)

    @cached_property
    def teams(self) -> ByOwner:
        """By agency."""
        return ByOwner(self.store.teams, "agency", "name", self.held)

    @cached_property
    def action_plans(self) -> ByOwner:
        """By agency."""
        return ByOwner(self.store.action_plans, "agency", "periodFrom")

    @cached_property
    def reporter(self) -> ById:
        return ById(self.store.reporters)

    @cached_property
    def reporter_key(self) -> ById:
        return ById(self.store.reporter_keys)

    @cached_property
    def identity_read(self) -> DataLoader[IdentityRead, None]:
        """Writes the row, and comes back once it is durable."""
        return _written(self.store.identity_reads)


def loaders(store: Store, held: ReferenceData | None = None) -> Loaders:
    """`held` is for reads: what decides upon a change is read from the database."""
    return Loaders(store, held)


def _written(collection: Collection) -> DataLoader[IdentityRead, None]:
    def document(row: IdentityRead) -> Document:
        lists = {"keys": list(row.keys), "readers": list(row.readers)}
        return {"_id": f"IR-{secrets.token_hex(12)}", **row._asdict(), **lists}

    async def write(rows: Sequence[IdentityRead]) -> list[None]:
        await collection.insert_many([document(row) for row in rows])
        return [None] * len(rows)

    return DataLoader(write, max_batch_size=MAX_BATCH)
