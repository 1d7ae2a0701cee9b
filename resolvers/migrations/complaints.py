"""Migrations of complaints."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pymongo import UpdateOne

from resolvers import policy
from resolvers.migrations.migration import MigrationContext
from resolvers.personal_data import publication
from resolvers.store import register

BATCH: Final = 500


async def add_whole_life(context: MigrationContext) -> None:
    """Adds holds, closure proposals, merging, reopening and the version of the service policy."""
    added: Mapping[str, Any] = {
        "holds": {"$cond": [{"$eq": ["$hold", None]}, [], [{"start": "$updatedAt", "end": None}]]},
        "proposal": None,
        "followers": [],
        "followerSubjects": [],
        "reopenings": 0,
        "privacyChanges": [],
    }
    policies = register.policies()
    for version in policies:
        received: dict[str, Any] = {"$gte": _to_midnight(version["validFrom"])}
        # The first version also applies to complaints that were received before it.
        if version is policies[0]:
            received = {"$lt": _to_midnight(policies[1]["validFrom"])}
        lacking = {"policyVersion": {"$exists": False}, "receivedAt": received}
        changes = {**added, "policyVersion": {"$literal": version["_id"]}}
        result = await context.store.complaints.update_many(lacking, [{"$set": changes}])
        context.count(result.modified_count)


async def redact_texts(context: MigrationContext) -> None:
    """Adds the redacted title and body, and the words by which a search finds the complaint."""
    lacking = {"words": {"$exists": False}}
    complaints = context.store.complaints.find(lacking, ("title", "body", "readers"), batch_size=BATCH)
    writes: list[UpdateOne] = []

    async def write() -> None:
        if writes:
            result = await context.store.complaints.bulk_write(writes, ordered=False)
            writes.clear()
            context.count(result.modified_count)

    async for complaint in complaints:
        is_public = policy.is_public(complaint["readers"])
        texts = publication.scan_texts(complaint["title"], complaint["body"]).make_keys(published=is_public)
        # A running gateway may have changed the complaint since it was read here, and then written the same keys.
        writes.append(UpdateOne({"_id": complaint["_id"], **lacking}, {"$set": texts}))
        if len(writes) == BATCH:
            await write()
    await write()


async def begin_audits(context: MigrationContext) -> None:
    """Adds an empty audit to complaints from before the audit; it begins with their next change."""
    empty: dict[str, Any] = {"auditHead": None, "auditPending": []}
    result = await context.store.complaints.update_many({"auditHead": {"$exists": False}}, {"$set": empty})
    context.count(result.modified_count)


def _to_midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)
