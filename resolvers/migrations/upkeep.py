"""Migrations that add the times at which upkeep visits a document."""

from datetime import UTC, datetime
from typing import Any, Final

from resolvers.domain.lifecycle import OPEN
from resolvers.domain.teams import TeamStanding
from resolvers.migrations.migration import MigrationContext
from resolvers.store.database import NEVER

AT_ONCE: Final = datetime(2000, 1, 1, tzinfo=UTC)


async def add_wake_times(context: MigrationContext) -> None:
    """Adds `wakeAt`, so that upkeep visits open complaints and all teams at once, and closed complaints never."""
    store = context.store
    lacking: dict[str, Any] = {"wakeAt": {"$exists": False}}
    added = {"rulesAsked": None, "ombudsmanOfferedAt": None, "custodian": None}
    closed = lacking | {"status": {"$nin": sorted(OPEN)}}
    team_keys = {"standing": TeamStanding.PLANNED, "wakeAt": AT_ONCE}
    for result in (
        await store.complaints.update_many(closed, {"$set": added | {"wakeAt": NEVER}}),
        await store.complaints.update_many(lacking, [{"$set": added | {"wakeAt": "$receivedAt"}}]),
        await store.agencies.update_many({"custodian": {"$exists": False}}, {"$set": {"custodian": None}}),
        await store.teams.update_many(lacking, {"$set": team_keys}),
    ):
        context.count(result.modified_count)
