"""Reads by id and by owner: from the reference data in the process, else one command for all that a depth asks for."""

import asyncio
import secrets
from collections.abc import Awaitable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar, cast

from aiodataloader import DataLoader

from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Collection, Document, Store
from resolvers.store.reference_data import ReferenceData

MAX_BATCH = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Ready(Generic[T]):
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
    _loaders: dict[frozenset[str] | None, DataLoader[str, Document | None]] = field(default_factory=dict)

    def load(self, document_id: str, keys: frozenset[str] | None = None) -> Awaitable[Document | None]:
        """The document, or None; `keys` are those that are read of it, all where None."""
        rows = None if self.held is None else self.held.rows(self.collection.name)
        found = None if rows is None else rows.get(document_id)
        if found is not None:
            return _Ready(found)
        loader = self._loaders.get(keys)
        if loader is None:
            loader = self._loaders[keys] = self._loader(keys)
        # Shielded: whoever stops waiting must not end the read for the others who wait for the same document.
        return asyncio.shield(loader.load(document_id))

    def _loader(self, keys: frozenset[str] | None) -> DataLoader[str, Document | None]:
        projection = None if keys is None else dict.fromkeys(keys, True)

        async def load(ids: Sequence[str]) -> list[Document | None]:
            wanted: Document = {"_id": {"$in": ids} if len(ids) > 1 else {"$eq": ids[0]}}
            found = self.collection.find(wanted, projection, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
            by_id = {row["_id"]: row for row in await found.to_list(len(ids))}
            return [by_id.get(wanted) for wanted in ids]

        return DataLoader(load, max_batch_size=MAX_BATCH)


@dataclass(slots=True)
class ByOwner:
    """Documents of one collection whose `owner` names another's, in the order of `sort`."""

    collection: Collection
    owner: str
    sort: str
    held: ReferenceData | None = None
    _loader: DataLoader[str, list[Document]] | None = None

    def load(self, owner_id: str) -> Awaitable[list[Document]]:
        held = None if self.held is None else self.held.owned(self.collection.name, self.owner, owner_id, self.sort)
        if held is not None:
            return _Ready(cast("list[Document]", held))
        if self._loader is None:
            self._loader = DataLoader(self._read, max_batch_size=MAX_BATCH)
        return asyncio.shield(self._loader.load(owner_id))

    async def _read(self, owners: Sequence[str]) -> list[list[Document]]:
        rows: dict[str, list[Document]] = {wanted: [] for wanted in owners}
        found = self.collection.find({self.owner: {"$in": owners}}, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
        for row in await found.to_list(None):
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


@dataclass(frozen=True, slots=True)
class Loaders:
    """One request's loaders."""

    complaint: ById
    agency: ById
    region: ById
    category: ById
    team: ById
    action_plan: ById
    regencies: ByOwner
    """By the province's agency."""
    teams: ByOwner
    """By agency."""
    action_plans: ByOwner
    """By agency."""
    reporter: ById
    reporter_key: ById
    identity_read: DataLoader[IdentityRead, None]
    """Writes the row, and comes back once it is durable."""


def loaders(store: Store, held: ReferenceData | None = None) -> Loaders:
    """`held` is for reads: what decides upon a change is read from the database."""
    return Loaders(
        complaint=ById(store.complaints),
        agency=ById(store.agencies, held),
        region=ById(store.regions, held),
        category=ById(store.categories, held),
        team=ById(store.teams, held),
        action_plan=ById(store.action_plans),
        regencies=ByOwner(store.agencies, "province", "name", held),
        teams=ByOwner(store.teams, "agency", "name", held),
        action_plans=ByOwner(store.action_plans, "agency", "periodFrom"),
        reporter=ById(store.reporters),
        reporter_key=ById(store.reporter_keys),
        identity_read=_written(store.identity_reads),
    )


def _written(collection: Collection) -> DataLoader[IdentityRead, None]:
    def document(row: IdentityRead) -> Document:
        lists = {"keys": list(row.keys), "readers": list(row.readers)}
        return {"_id": f"IR-{secrets.token_hex(12)}", **row._asdict(), **lists}

    async def write(rows: Sequence[IdentityRead]) -> list[None]:
        await collection.insert_many([document(row) for row in rows])
        return [None] * len(rows)

    return DataLoader(write, max_batch_size=MAX_BATCH)
