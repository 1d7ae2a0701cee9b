"""Lists the reporters that a breach affects, from the log of readings."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resolvers.request.context import RequestContext
from resolvers.store.database import Document
from resolvers.vault import vault


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach from `since` (inclusive) to `until` (exclusive), of an account or of an agency's staff, if known."""

    since: datetime
    until: datetime
    subject: str | None = None
    agency: str | None = None


async def list_affected(
    context: RequestContext, breach: Breach, *, with_contact: bool = False
) -> AsyncIterator[Document]:
    """Yield one row per reporter: the complaint, the number, times and roles of the readings, and the fields read.

    With `with_contact` also name, email and phone; that reading is logged too.
    """
    by: Document = {"subject": breach.subject, "agency": breach.agency}
    wanted: Document = {"at": {"$gte": breach.since, "$lt": breach.until}}
    wanted |= {key: {"$eq": value} for key, value in by.items() if value is not None}
    grouped: Document = {
        "_id": "$reporter",
        "complaint": {"$first": "$complaint"},
        "reads": {"$sum": 1},
        "first": {"$min": "$at"},
        "last": {"$max": "$at"},
        "roles": {"$addToSet": "$role"},
        "keys": {"$addToSet": "$keys"},
    }
    pipeline: list[Document] = [{"$match": wanted}, {"$group": grouped}, {"$sort": {"_id": 1}}]
    async for row in context.store.identity_reads.aggregate(pipeline, allowDiskUse=True):
        yield _make_row(row) | (await _read_contact(context, row) if with_contact else {})


def _make_row(row: Document) -> Document:
    return {
        "reporter": row["_id"],
        "complaint": row["complaint"],
        "reads": row["reads"],
        "first": row["first"],
        "last": row["last"],
        "roles": sorted(row["roles"]),
        "fields": sorted({key for keys in row["keys"] for key in keys}),
    }


async def _read_contact(context: RequestContext, row: Document) -> dict[str, Any]:
    complaint = await context.loaders.complaint.load(row["complaint"])
    if complaint is None:
        return {}
    keys = frozenset({"name", "email", "phone"})
    await vault.record_read(context, complaint, row["_id"], vault.parse_purpose(context), keys)
    found = await vault.read_fields(context, row["_id"])
    return {key: found.get(key) for key in sorted(keys)}
