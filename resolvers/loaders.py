"""Batched reads by id and by owner: one command for all that a depth of the operation asks for."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast

from aiodataloader import DataLoader

from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Collection, Document, Store

MAX_BATCH = 1000


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
    """One request's loaders; each keeps what it has read until the request ends."""

    complaint: DataLoader[str, Document | None]
    agency: DataLoader[str, Document | None]
    region: DataLoader[str, Document | None]
    category: DataLoader[str, Document | None]
    team: DataLoader[str, Document | None]
    action_plan: DataLoader[str, Document | None]
    regencies: DataLoader[str, list[Document]]
    """By the province's agency."""
    teams: DataLoader[str, list[Document]]
    """By agency."""
    action_plans: DataLoader[str, list[Document]]
    """By agency."""
    reporter: DataLoader[str, Document | None]
    reporter_key: DataLoader[str, Document | None]
    identity_read: DataLoader[IdentityRead, None]
    """Writes the row, and comes back once it is durable."""


def loaders(store: Store) -> Loaders:
    return Loaders(
        complaint=_by_id(store.complaints),
        agency=_by_id(store.agencies),
        region=_by_id(store.regions),
        category=_by_id(store.categories),
        team=_by_id(store.teams),
        action_plan=_by_id(store.action_plans),
        regencies=_by_owner(store.agencies, "province", sort="name"),
        teams=_by_owner(store.teams, "agency", sort="name"),
        action_plans=_by_owner(store.action_plans, "agency", sort="periodFrom"),
        reporter=_by_id(store.reporters),
        reporter_key=_by_id(store.reporter_keys),
        identity_read=_written(store.identity_reads),
    )


def _by_id(collection: Collection) -> DataLoader[str, Document | None]:
    async def load(ids: Sequence[str]) -> list[Document | None]:
        found = collection.find({"_id": {"$in": ids}}, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
        by_id: Mapping[str, Document] = {row["_id"]: row for row in await found.to_list(len(ids))}
        return [by_id.get(wanted) for wanted in ids]

    return DataLoader(load, max_batch_size=MAX_BATCH)


def _by_owner(collection: Collection, owner: str, *, sort: str) -> DataLoader[str, list[Document]]:
    async def load(owners: Sequence[str]) -> list[list[Document]]:
        rows: dict[str, list[Document]] = {wanted: [] for wanted in owners}
        found = collection.find({owner: {"$in": owners}}, batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
        for row in await found.to_list(None):
            rows[row[owner]].append(row)
        return [sorted(rows[wanted], key=lambda row: cast("str", row[sort])) for wanted in owners]

    return DataLoader(load, max_batch_size=MAX_BATCH)


def _written(collection: Collection) -> DataLoader[IdentityRead, None]:
    def document(row: IdentityRead) -> Document:
        lists = {"keys": list(row.keys), "readers": list(row.readers)}
        return {"_id": f"IR-{secrets.token_hex(12)}", **row._asdict(), **lists}

    async def write(rows: Sequence[IdentityRead]) -> list[None]:
        await collection.insert_many([document(row) for row in rows])
        return [None] * len(rows)

    return DataLoader(write, max_batch_size=MAX_BATCH)
