"""Batches what many requests ask of the database at once: one command for all, instead of one for each.

A request that comes alone is sent in the same turn of the event loop. While two commands are under way, further
requests wait and share the next command:

    asked    a   b c d          e f
    sent     [a] [b c d]        [e f]  as soon as [a] or [b c d] has come back
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pymongo.errors import BulkWriteError

from resolvers.documents import Filter, Update

MAX_COMMANDS: Final = 2
"""Commands under way at once. With two, a slow command does not delay the next one."""
MAX_BATCH: Final = 100

BatchItem = TypeVar("BatchItem")
BatchOutcome = TypeVar("BatchOutcome")
Row = TypeVar("Row", bound=Mapping[str, Any])


@dataclass(slots=True)
class Batcher(Generic[BatchItem, BatchOutcome]):
    """Sends items in batches. `send` returns their outcomes in the order of the items; an error is everybody's.

    Unlike a DataLoader it remembers nothing and shares nothing: each caller has an outcome of its own, read or made
    after it asked.
    """

    send: Callable[[Sequence[BatchItem]], Coroutine[Any, Any, Sequence[BatchOutcome]]]
    id_of: Callable[[BatchItem], str]
    """The document's id. A batch has each id once: of two changes of a document, the second waits for the first."""
    _waiting: list[tuple[BatchItem, asyncio.Future[BatchOutcome]]] = field(default_factory=list)
    _under_way: set[asyncio.Task[Sequence[BatchOutcome]]] = field(default_factory=set)

    async def submit(self, item: BatchItem) -> BatchOutcome:
        """Returns the item's outcome. A caller that is cancelled does not cancel the batch."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[BatchOutcome] = loop.create_future()
        self._waiting.append((item, future))
        if len(self._waiting) == 1 and len(self._under_way) < MAX_COMMANDS:
            # At the end of this turn of the loop, so that tasks that are ready now join the batch.
            loop.call_soon(self._start)
        return await future

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < MAX_COMMANDS:
            batch = self._take_batch()
            if batch:
                self._send(batch)

    def _send(self, batch: Sequence[tuple[BatchItem, asyncio.Future[BatchOutcome]]]) -> None:
        self._under_way.add(sending := asyncio.create_task(self.send([item for item, _ in batch])))
        sending.add_done_callback(partial(self._settle, [future for _, future in batch]))

    def _take_batch(self) -> list[tuple[BatchItem, asyncio.Future[BatchOutcome]]]:
        batch: dict[str, tuple[BatchItem, asyncio.Future[BatchOutcome]]] = {}
        left = []
        for waiting in self._waiting:
            item, future = waiting
            document_id = self.id_of(item)
            if document_id in batch or len(batch) == MAX_BATCH:
                left.append(waiting)
            elif not future.done():  # done: its caller was cancelled
                batch[document_id] = waiting
        self._waiting = left
        return list(batch.values())

    def _settle(
        self, futures: Sequence[asyncio.Future[BatchOutcome]], sending: asyncio.Task[Sequence[BatchOutcome]]
    ) -> None:
        self._under_way.discard(sending)
        failure = None if sending.cancelled() else sending.exception()
        for index, future in enumerate(futures):
            if future.done():
                continue  # its caller was cancelled
            if sending.cancelled():
                future.cancel()
            elif failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(sending.result()[index])
        self._start()


class ConditionalUpdate(NamedTuple):
    """An update of one document, made only if the document still matches `condition`."""

    condition: Filter
    """A filter with the `_id` and the values that the change was decided on, e.g. revision and status."""
    update: Update


def batch_reads(find: Callable[[Filter], Awaitable[Sequence[Row]]]) -> Batcher[str, Row | None]:
    """Batches reads by id; the outcome is None where there is no such document. `find` runs a filter."""

    async def send(ids: Sequence[str]) -> list[Row | None]:
        rows = await find({"_id": {"$in": ids} if len(ids) > 1 else {"$eq": ids[0]}})
        by_id = {row["_id"]: row for row in rows}
        return [by_id.get(document_id) for document_id in ids]

    return Batcher(send, lambda document_id: document_id)


def batch_updates(
    update_many: Callable[[Sequence[ConditionalUpdate]], Awaitable[int]],
) -> Batcher[ConditionalUpdate, bool | None]:
    """Batches updates. The outcome is whether the update was made, or None if only the caller can find out.

    `update_many` makes the updates and returns how many documents matched. A bulk write reports a sum: where it is
    less than the batch, which ones did not match is unknown, and every caller must look at its own document.
    """

    async def send(updates: Sequence[ConditionalUpdate]) -> list[bool | None]:
        try:
            matched = await update_many(updates)
        except BulkWriteError as failure:
            # A write concern error leaves open whether the write is durable: that is the caller's error.
            if len(updates) == 1 or failure.details["writeConcernErrors"]:
                raise
            return [None] * len(updates)
        if len(updates) == 1:
            return [matched == 1]
        return [True if matched == len(updates) else None] * len(updates)

    return Batcher(send, lambda update: str(update.condition["_id"]))
