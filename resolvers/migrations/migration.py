"""One migration: its row in the chain, and the context that its function receives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from resolvers.key_ring import KeyRing
from resolvers.store.database import Store


@dataclass(slots=True)
class MigrationContext:
    """The database that a migration changes, the keys, and the count of documents so far."""

    store: Store
    key_ring: Callable[[], KeyRing]
    """Called only when a sealed document must be opened: other databases migrate without a secret key."""
    report: Callable[[int], None]
    """Called with the number of changed documents whenever it grows."""
    changed: int = 0
    skipped: int = 0
    skip_reason: str | None = None

    def count(self, changed: int) -> None:
        """Adds documents that were changed. A long migration calls it after each batch."""
        self.changed += changed
        self.report(self.changed)

    def skip(self, reason: str) -> None:
        """Counts a document that could not be changed; the next `satugraf migrate` tries the migration again."""
        self.skipped += 1
        self.skip_reason = reason


class Migration(NamedTuple):
    """A row of the chain.

    `apply` may run again after a failure in its middle, so it changes only documents that still lack the change.
    """

    version: int
    subject: str
    apply: Callable[[MigrationContext], Awaitable[None]]
    readable_from: int
    """The oldest release that can work on the changed documents, named by the last migration that it knows.

    It equals `version` when older releases must not run any more, and is lower when the migration only adds keys that
    older releases ignore and newer ones can do without.
    """

    @property
    def id(self) -> str:
        """Recorded in the database, so it never changes: `004 redacted texts`."""
        return f"{self.version:03} {self.subject}"


class AppliedMigration(NamedTuple):
    """A migration that has run to its end, with the numbers of documents that it changed and skipped."""

    id: str
    changed: int
    skipped: int
    skip_reason: str | None
