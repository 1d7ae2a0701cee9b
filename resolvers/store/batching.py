"""Documents that many requests read or change by id at once: one command for all who wait, in place of one for each.

While commands are under way, what is asked for meanwhile waits for the next one; who asks alone waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pymongo.errors import BulkWriteError

Document = dict[str, Any]

LANES: Final = 2
"""Commands under way at once: one that takes long keeps nobody from the next."""
MAX_BATCH: Final = 100

Asked = TypeVar("Asked")
Got = TypeVar("Got")


@dataclass(slots=True)
class Group(Generic[Asked, Got]):
    """`send` answers several at once, in their order; what it raises, all of them get."""

    send: Callable[[Sequence[Asked]], Coroutine[Any, Any, Sequence[Got]]]
    id_of: Callable[[Asked], str]
    """A command holds each id once: two who want the same do not share what they get."""
    _waiting: list[tuple[Asked, asyncio.Future[Got]]] = field(default_factory=list)
    _under_way: set[asyncio.Task[Sequence[Got]]] = field(default_factory=set)

    async def ask(self, asked: Asked) -> Got:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Got] = loop.create_future()
        self._waiting.append((asked, future))
        if len(self._waiting) == 1 and len(self._under_way) < LANES:
            # Later in this turn of the loop: whoever else asks in it comes along.
            loop.call_soon(self._start)
        return await future

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < LANES:
            batch = self._taken()
            if batch:
                self._send(batch)

    def _send(self, batch: Sequence[tuple[Asked, asyncio.Future[Got]]]) -> None:
        self._under_way.add(sending := asyncio.create_task(self.send([asked for asked, _ in batch])))
        sending.add_done_callback(partial(self._ended, [future for _, future in batch]))

    def _taken(self) -> list[tuple[Asked, asyncio.Future[Got]]]:
        batch: dict[str, tuple[Asked, asyncio.Future[Got]]] = {}
        left = []
        for one in self._waiting:
            document_id = self.id_of(one[0])
            if document_id in batch or len(batch) == MAX_BATCH:
                left.append(one)
            elif not one[1].done():
                batch[document_id] = one
        self._waiting = left
        return list(batch.values())

    def _ended(self, waiting: Sequence[asyncio.Future[Got]], sending: asyncio.Task[Sequence[Got]]) -> None:
        self._under_way.discard(sending)
        failure = None if sending.cancelled() else sending.exception()
        for index, future in enumerate(waiting):
            if future.done():
                continue  # nobody waits for it any more
            if sending.cancelled():
                future.cancel()
            elif failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(sending.result()[index])
        self._start()


class Change(NamedTuple):
    """An update of one document, where that is still as `unchanged` says."""

    unchanged: Document
    update: Document


def reads(found: Callable[[Document], Awaitable[Sequence[Document]]]) -> Group[str, Document | None]:
    """Documents by id; None for one that is not there. `found` gives those that match."""

    async def send(ids: Sequence[str]) -> list[Document | None]:
        rows = await found({"_id": {"$in": ids} if len(ids) > 1 else {"$eq": ids[0]}})
        by_id = {row["_id"]: row for row in rows}
        return [by_id.get(wanted) for wanted in ids]

    return Group(send, lambda document_id: document_id)


def changes(changed: Callable[[Sequence[Change]], Awaitable[int]]) -> Group[Change, bool | None]:
    """Whether each was made; None where some of those that went together were not, and nobody knows which.

    `changed` makes them and gives how many it has made.
    """

    async def send(asked: Sequence[Change]) -> list[bool | None]:
        try:
            made = await changed(asked)
        except BulkWriteError as failure:
            if len(asked) == 1 or failure.details["writeConcernErrors"]:
                raise
            return [None] * len(asked)
        if len(asked) == 1:
            return [made == 1]
        return [True if made == len(asked) else None] * len(asked)

    return Group(send, lambda change: str(change.unchanged["_id"]))
