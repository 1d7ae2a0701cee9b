"""The reference data in this process: agencies, regions, categories, teams, kept current by a change stream."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from resolvers.answer_cache import Made
from resolvers.store.changes import Change, Follower, follow
from resolvers.store.database import BATCH_SIZE, MAX_TIME_MS, Document, Store

COLLECTIONS: Final = ("agencies", "regions", "categories", "teams")
MAX_AGE_SECONDS: Final = 5.0
"""Older data are not used: reads go to the database until the stream is back."""


class _Owned(list[Document]):
    """The documents of one owner."""

    is_sorted = False


def _owned(rows: Mapping[Any, Document], key: str) -> dict[Any, _Owned]:
    by_owner: dict[Any, _Owned] = {}
    for row in rows.values():
        if key in row:
            by_owner.setdefault(row[key], _Owned()).append(row)
    return by_owner


@dataclass(slots=True)
class ReferenceData:
    """Documents by collection and id. They are shared by all requests: nobody changes one in place."""

    _rows: dict[str, dict[Any, Document]] = field(default_factory=dict)
    _owned: dict[tuple[str, str], dict[Any, "_Owned"]] = field(default_factory=dict)
    _made: dict[str, Made] = field(default_factory=dict)
    _current_at: float = -math.inf

    def age_seconds(self) -> float:
        """How long ago they were known to be current; infinite before they are first read."""
        return time.monotonic() - self._current_at

    def rows(self, collection: str) -> Mapping[Any, Document] | None:
        """The collection's documents by id; None while they are too old."""
        return self._rows[collection] if self.age_seconds() < MAX_AGE_SECONDS else None

    def owned(self, collection: str, key: str, owner: Any, sort: str) -> Sequence[Document] | None:
        """The documents whose `key` is `owner`, sorted; None while they are too old."""
        if self.rows(collection) is None:
            return None
        owned = self._owned.get((collection, key))
        if owned is None:
            owned = self._owned[collection, key] = _owned(self._rows[collection], key)
        rows = owned.get(owner)
        if rows is not None and not rows.is_sorted:
            # When it is first asked for: a row without the key is its own owner's trouble.
            rows.sort(key=lambda row: cast("str", row[sort]))
            rows.is_sorted = True
        return rows or ()

    def made(self, collection: str) -> Made | None:
        """What has been made of the collection's documents as they are; None while they are too old."""
        rows = self.rows(collection)
        if rows is None:
            return None
        made = self._made.get(collection)
        if made is None:
            made = self._made[collection] = Made(rows)
        return made

    def wrote(self, collection: str, document: Document) -> None:
        """A document as it was written; a state that is older than the known one is passed by."""
        rows = self._rows.get(collection)
        if rows is None:
            return
        known = rows.get(document["_id"])
        if known is None or known.get("revision", 0) <= document.get("revision", 0):
            rows[document["_id"]] = document
            self._forget(collection)

    async def follow(self, store: Store) -> None:
        """Runs until it is cancelled."""

        async def reload() -> None:
            for name in COLLECTIONS:
                found = store.database[name].find(batch_size=BATCH_SIZE, max_time_ms=MAX_TIME_MS)
                self._rows[name] = {row["_id"]: row for row in await found.to_list(None)}
                self._forget(name)

        await follow(store, COLLECTIONS, Follower(reload, self._changed, self._current))

    def _changed(self, change: Change) -> None:
        if change.document is not None:
            self.wrote(change.collection, change.document)
        elif self._rows[change.collection].pop(change.document_id, None) is not None:
            self._forget(change.collection)

    def _current(self) -> None:
        self._current_at = time.monotonic()

    def _forget(self, collection: str) -> None:
        self._made.pop(collection, None)
        self._owned = {named: owned for named, owned in self._owned.items() if named[0] != collection}
