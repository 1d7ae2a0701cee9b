"""The reference data in this process: agencies, regions, categories, teams, kept current by a change stream."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from bson import Timestamp

from resolvers.answer_cache import AnswerCache
from resolvers.store.change_stream import ResumeToken, follow_stream, watch_collections
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document, Store

COLLECTIONS: Final = ("agencies", "regions", "categories", "teams")
MAX_AGE_SECONDS: Final = 5.0
"""Older data are not used: reads go to the database until the stream is back."""


class _OwnedRows(list[Any]):
    """The documents of one owner; sorted when they are first asked for."""

    is_sorted = False


def _group_by_owner(rows: Mapping[Any, Any], key: str) -> dict[Any, _OwnedRows]:
    by_owner: dict[Any, _OwnedRows] = {}
    for row in rows.values():
        if key in row:
            by_owner.setdefault(row[key], _OwnedRows()).append(row)
    return by_owner


@dataclass(slots=True)
class ReferenceData:
    """Documents by collection and id. All requests share them: nobody may change one in place."""

    _rows: dict[str, dict[Any, Any]] = field(default_factory=dict)
    _owned: dict[tuple[str, str], dict[Any, _OwnedRows]] = field(default_factory=dict)
    """By collection and key of the owner; built when first asked for, dropped when the collection changes."""
    _answers: dict[str, AnswerCache] = field(default_factory=dict)
    _current_at: float = -math.inf

    def age_seconds(self) -> float:
        """Seconds since the data were known to be current; infinite before they are first read."""
        return time.monotonic() - self._current_at

    def rows(self, collection: str) -> Mapping[Any, Any] | None:
        """Returns the collection's documents by id; None while the data are too old."""
        return self._rows[collection] if self.age_seconds() < MAX_AGE_SECONDS else None

    def rows_by_owner(self, collection: str, key: str, owner: Any, sort: str) -> Sequence[Any] | None:
        """Returns the documents whose `key` is `owner`, by their key `sort`; None while the data are too old."""
        if self.rows(collection) is None:
            return None
        by_owner = self._owned.get((collection, key))
        if by_owner is None:
            by_owner = self._owned[collection, key] = _group_by_owner(self._rows[collection], key)
        rows = by_owner.get(owner)
        if rows is not None and not rows.is_sorted:
            # Not sorted in advance: a broken document without the key fails only the requests for its own owner.
            rows.sort(key=lambda row: cast("str", row[sort]))
            rows.is_sorted = True
        return rows or ()

    def answers(self, collection: str) -> AnswerCache | None:
        """Returns the cache of answers made from the collection's documents; None while the data are too old."""
        rows = self.rows(collection)
        if rows is None:
            return None
        answers = self._answers.get(collection)
        if answers is None:
            answers = self._answers[collection] = AnswerCache(rows)
        return answers

    def apply_write(self, collection: str, document: Mapping[str, Any]) -> None:
        """Puts in a document as it was written, unless a later revision is known."""
        rows = self._rows.get(collection)
        if rows is None:
            return
        current = rows.get(document["_id"])
        if current is None or current.get("revision", 0) <= document.get("revision", 0):
            rows[document["_id"]] = document
            self._drop_derived(collection)

    async def follow(self, store: Store) -> None:
        """Keeps the data current until it is cancelled."""
        await follow_stream(store, watch_collections(store, COLLECTIONS), _ReferenceFollower(store, self))

    async def read_all(self, store: Store) -> None:
        for name in COLLECTIONS:
            found = store.database[name].find(batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
            self._rows[name] = {row["_id"]: row for row in await found.to_list(None)}
            self._drop_derived(name)
        self.set_current()

    def apply_event(self, event: Document) -> None:
        """Applies an event of the change stream."""
        collection, document = event["ns"]["coll"], event.get("fullDocument")
        if document is not None:
            self.apply_write(collection, document)
        elif self._rows[collection].pop(event["documentKey"]["_id"], None) is not None:
            # Deleted; or an update whose document was deleted before the database looked it up.
            self._drop_derived(collection)

    def set_current(self) -> None:
        """Notes that the data are what the database has now."""
        self._current_at = time.monotonic()

    def _drop_derived(self, collection: str) -> None:
        self._answers.pop(collection, None)
        self._owned = {named: owned for named, owned in self._owned.items() if named[0] != collection}


@dataclass(frozen=True, slots=True)
class _ReferenceFollower:
    store: Store
    data: ReferenceData

    async def begin(self, now: Timestamp) -> None:
        await self.data.read_all(self.store)

    async def take(self, events: Sequence[Document], token: ResumeToken) -> None:
        for event in events:
            self.data.apply_event(event)
        if not events:
            self.data.set_current()

    def lose(self) -> None:
        """Keeps the data: `begin` reads them anew, and their age grows until then."""
