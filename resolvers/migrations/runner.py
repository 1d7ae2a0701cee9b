"""Applies the migrations that a database lacks, one process at a time.

The process that migrates holds a lease and renews it in the background, so that a long update keeps it. Others wait.
When the holder is killed its lease runs out, and a waiting process repeats the interrupted migration from its start.
"""

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from resolvers.key_ring import KeyRing
from resolvers.migrations.chain import CHAIN, LEASE, read_state, record
from resolvers.migrations.migration import AppliedMigration, Migration, MigrationContext
from resolvers.store.database import PyMongoError, Store
from resolvers.store.lease import LIFETIME_SECONDS, RENEWAL_SECONDS, Lease, find_holder

WAIT_SECONDS: Final = 1.0
"""Between two attempts to get the lease that another process holds."""


class MigrationProgress:
    """Hears what a run does. A subclass shows it; this class shows nothing."""

    def wait(self, holder: str) -> None:
        """Another process, `holder`, is migrating."""

    def count(self, migration: Migration, changed: int) -> None:
        """A migration has started, with `changed` 0, or has changed so many documents so far."""

    def finish(self, applied: AppliedMigration) -> None:
        """A migration has run to its end and is recorded."""


class LeaseLost(Exception):
    """The lease could not be renewed, so that another process may be migrating."""


async def run(
    store: Store,
    key_ring: Callable[[], KeyRing],
    progress: MigrationProgress | None = None,
    chain: Sequence[Migration] = CHAIN,
) -> list[AppliedMigration]:
    """Applies what is missing, in order, and returns what this process applied. Safe to run again and by many at once.

    A new database has today's shape: its migrations are recorded without being applied. A migration that skipped
    documents in an earlier run is applied again, once. Raises UnreadableDatabase where a newer release has migrated the
    database beyond what this release can read.
    """
    progress = progress or MigrationProgress()
    lease = Lease(store, LEASE, f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    state = await read_state(store, chain)
    if state.is_new:
        await record(store, {migration: AppliedMigration(migration.id, 0, 0, None) for migration in chain})
        return []
    retried = {row["_id"] for row in state.skipped}
    applied: list[AppliedMigration] = []
    is_holder = False
    try:
        while True:
            state.check_not_newer()
            done = state.records.keys() - retried | {migration.id for migration in applied}
            todo = [migration for migration in chain if migration.id not in done]
            if not todo:
                return applied
            if is_holder:
                try:
                    applied.append(await _apply(todo[0], store, key_ring, lease, progress))
                except LeaseLost:
                    is_holder = False
            elif not (is_holder := await lease.claim()):
                progress.wait(await find_holder(store, LEASE) or "another process")
                await asyncio.sleep(WAIT_SECONDS)
            # Also read after the lease was claimed: the holder before may have recorded more.
            state = await read_state(store, chain)
    finally:
        await lease.release()


async def _apply(
    migration: Migration, store: Store, key_ring: Callable[[], KeyRing], lease: Lease, progress: MigrationProgress
) -> AppliedMigration:
    """Runs one migration under the lease and records it. Raises LeaseLost and what the migration raises."""
    progress.count(migration, 0)
    context = MigrationContext(store, key_ring, partial(progress.count, migration))
    running = asyncio.ensure_future(migration.apply(context))
    renewing = asyncio.create_task(_renew(lease))
    try:
        await asyncio.wait({running, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise LeaseLost
        running.result()
        if not await lease.claim():
            raise LeaseLost
        applied = AppliedMigration(migration.id, context.changed, context.skipped, context.skip_reason)
        await record(store, {migration: applied})
    finally:
        running.cancel()
        renewing.cancel()
        await asyncio.gather(running, renewing, return_exceptions=True)
    progress.finish(applied)
    return applied


async def _renew(lease: Lease) -> None:
    """Renews the lease until another process has it, or until it has run out because the database did not answer."""
    renewed_at = time.monotonic()
    while time.monotonic() - renewed_at < LIFETIME_SECONDS:
        await asyncio.sleep(RENEWAL_SECONDS)
        asked_at = time.monotonic()
        with suppress(PyMongoError, TimeoutError):
            async with asyncio.timeout(LIFETIME_SECONDS):
                if not await lease.claim():
                    return
            renewed_at = asked_at
