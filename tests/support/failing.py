"""A collection whose writes fail when told to: before the database has them, or after, with the answer lost."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any

from pymongo.errors import AutoReconnect

from resolvers.store.database import Collection, ConditionalUpdate, update_documents


class When(StrEnum):
    BEFORE = "BEFORE"
    AFTER = "AFTER"


class FailingCollection:
    """Stands at the store's boundary; everything but the armed write goes through to the real collection."""

    def __init__(self, collection: Collection[Any]) -> None:
        self._collection = collection
        self.armed: tuple[When, int] | None = None
        """When, and at which of the next writes, counted from 0."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def find_one_and_update(self, *given: Any, **further: Any) -> Any:
        return await self._write(self._collection.find_one_and_update, *given, **further)

    async def update_one(self, *given: Any, **further: Any) -> Any:
        return await self._write(self._collection.update_one, *given, **further)

    async def insert_one(self, *given: Any, **further: Any) -> Any:
        return await self._write(self._collection.insert_one, *given, **further)

    async def update_documents(self, updates: Sequence[ConditionalUpdate]) -> int:
        matched: int = await self._write(update_documents, self._collection, updates)
        return matched

    async def _write(self, write: Callable[..., Awaitable[Any]], *given: Any, **further: Any) -> Any:
        when = self._fires()
        if when is When.BEFORE:
            raise AutoReconnect("the connection broke before the write")
        result = await write(*given, **further)
        if when is When.AFTER:
            raise AutoReconnect("the connection broke before the answer")
        return result

    def _fires(self) -> When | None:
        if self.armed is None:
            return None
        when, left = self.armed
        self.armed = None if left == 0 else (when, left - 1)
        return when if left == 0 else None
