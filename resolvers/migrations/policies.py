"""Migrations of service policies."""

from pymongo import UpdateOne

from resolvers.migrations.migration import MigrationContext
from resolvers.store import register


async def add_policies(context: MigrationContext) -> None:
    """Stores the published service policies; one that an operator has changed stays as it is."""
    writes = [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in register.policies()]
    result = await context.store.policies.bulk_write(writes, ordered=False)
    context.count(result.upserted_count)
