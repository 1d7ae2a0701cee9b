"""The table of migrations, the versions that this release reads, and the state of a database's chain.

A database's version is the last migration that it has had without a gap. The collection `migrations` records each one
under its id, with the `readableFrom` of its row, so that an older release can judge a migration that it does not know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from itertools import takewhile
from typing import Any, Final, NotRequired, TypedDict, cast

from pymongo import UpdateOne

from resolvers.migrations import complaints, policies, reporters, upkeep
from resolvers.migrations.migration import AppliedMigration, Migration
from resolvers.store.database import MAX_TIME_MS, Store
from resolvers.store.lease import find_holder

CHAIN: Final = (
    Migration(1, "service policies", policies.add_policies, readable_from=1),
    Migration(2, "the whole life of a complaint", complaints.add_whole_life, readable_from=2),
    Migration(3, "upkeep", upkeep.add_wake_times, readable_from=3),
    Migration(4, "redacted texts", complaints.redact_texts, readable_from=4),
    Migration(5, "audit heads", complaints.begin_audits, readable_from=5),
    Migration(6, "reporters' own keys", reporters.add_own_keys, readable_from=6),
)
"""Every migration, in the order in which they run. Rows are only ever added, at the end."""

OLDEST_READABLE: Final = 6
"""The oldest version of a database that this release can serve: raise it when code needs a newer migration."""

LEASE: Final = "migrations"
"""The name of the lease that a migrating process holds."""


class UnreadableDatabase(Exception):
    """The database is at a version that this release cannot serve; the sentence names both versions."""


class MigrationDoc(TypedDict):
    """The record of a migration that has run; records of the first releases have only `_id` and `at`."""

    _id: str
    at: datetime
    readableFrom: NotRequired[int]
    release: NotRequired[str]
    """The version of SatuGraf that ran it."""
    changed: NotRequired[int]
    skipped: NotRequired[int]
    skipReason: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class ChainState:
    """A database's records beside the chain of this release."""

    chain: Sequence[Migration]
    records: Mapping[str, MigrationDoc]
    is_new: bool
    """Whether the database is without records and without documents, so that it needs no migration."""
    holder: str | None
    """The process that migrates now."""

    @property
    def missing(self) -> list[Migration]:
        return [migration for migration in self.chain if migration.id not in self.records]

    @property
    def skipped(self) -> list[MigrationDoc]:
        """Records of migrations that could not change every document."""
        return [row for row in self.records.values() if row.get("skipped")]

    @property
    def version(self) -> int:
        recorded = takewhile(lambda migration: migration.id in self.records, self.chain)
        return max((migration.version for migration in recorded), default=0)

    @property
    def newest(self) -> int:
        return self.chain[-1].version

    @property
    def unknown(self) -> list[MigrationDoc]:
        """Records of migrations that only a newer release has, in their order."""
        ours = {migration.id for migration in self.chain}
        return [self.records[name] for name in sorted(self.records) if name not in ours]

    def check_not_newer(self) -> None:
        """Raises UnreadableDatabase where a newer release has changed documents beyond what this one can read."""
        last = max(self.unknown, key=_find_readable_from, default=None)
        if last is not None and _find_readable_from(last) > self.newest:
            raise UnreadableDatabase(
                f'A newer release, SatuGraf {last.get("release", "(unknown)")}, has applied migration "{last["_id"]}" '
                f"to the database. It can be read by releases that know migration {_find_readable_from(last):03}; this "
                f"release, SatuGraf {find_release()}, knows migrations up to {self.newest:03}: install the newer one."
            )

    def check_readable(self) -> None:
        """Raises UnreadableDatabase unless this release can serve the database; a new database can be served."""
        self.check_not_newer()
        if self.version < OLDEST_READABLE and not self.is_new:
            raise UnreadableDatabase(
                f"The database is at migration {self.version:03}; this release, SatuGraf {find_release()}, reads "
                f"databases from migration {OLDEST_READABLE:03} on: run `satugraf migrate`."
            )


async def read_state(store: Store, chain: Sequence[Migration] = CHAIN) -> ChainState:
    """Reads the records, and which process migrates."""
    records = {row["_id"]: cast("MigrationDoc", row) async for row in store.database["migrations"].find({})}
    is_new = not records and not await _has_documents(store)
    return ChainState(chain, records, is_new, await find_holder(store, LEASE))


async def _has_documents(store: Store) -> bool:
    for collection in (store.complaints, store.agencies, store.teams, store.reporters):
        if await collection.find_one({}, {"_id": True}, max_time_ms=MAX_TIME_MS) is not None:
            return True
    return False


async def record(store: Store, applied: Mapping[Migration, AppliedMigration]) -> None:
    """Records migrations that have run to their end, or that a new database does not need."""
    writes = [UpdateOne({"_id": row.id}, {"$set": _to_record(row, done)}, upsert=True) for row, done in applied.items()]
    await store.database["migrations"].bulk_write(writes)


def _to_record(migration: Migration, applied: AppliedMigration) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC),
        "readableFrom": migration.readable_from,
        "release": find_release(),
        "changed": applied.changed,
        "skipped": applied.skipped,
        "skipReason": applied.skip_reason,
    }


def find_release() -> str:
    """The version of SatuGraf that is installed."""
    return metadata.version("satugraf")


def _find_readable_from(row: MigrationDoc) -> int:
    """A record that does not say who can read it is taken to need its own migration."""
    return row.get("readableFrom", int(row["_id"].split(" ", 1)[0]))
