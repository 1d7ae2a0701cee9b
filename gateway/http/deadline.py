"""How long somebody is worked for: until their deadline, or until they have gone."""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Final, TypeVar

from starlette.types import Receive

LOOK_AFTER_SECONDS: Final = 0.05
"""Most answers are there by then, and never pay for a look at whether anybody still wants them."""

T = TypeVar("T")


class Gone(Exception):
    """Nobody waits for the answer any more."""


class Deadline:
    """`asyncio.timeout`, made once and not moved: at a third of its CPU, which a short request notices.

    The block is cancelled at the deadline, and ends with TimeoutError.
    """

    __slots__ = ("_cancelling", "_is_over", "_seconds", "_task", "_timer")

    def __init__(self, milliseconds: int) -> None:
        self._seconds = milliseconds / 1000
        self._is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - requests are answered in tasks
        self._task, self._cancelling = task, task.cancelling()
        self._timer = task.get_loop().call_later(self._seconds, self._end)

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # Whoever else cancelled the task meanwhile is heard first.
        if self._is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from failure


async def within(deadline_ms: int, receive: Receive, work: Awaitable[T]) -> T:
    """The work's outcome. Cancels it and raises TimeoutError at the deadline, Gone where the caller has left."""
    loop = asyncio.get_running_loop()
    looking: list[asyncio.Task[None]] = []
    left = asyncio.Event()

    async def look(patience: asyncio.Timeout) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()
        patience.reschedule(loop.time())

    try:
        async with asyncio.timeout(deadline_ms / 1000) as patience:
            timer = loop.call_later(LOOK_AFTER_SECONDS, lambda: looking.append(loop.create_task(look(patience))))
            try:
                return await work
            finally:
                timer.cancel()
                for task in looking:
                    task.cancel()
    except TimeoutError:
        if left.is_set():
            raise Gone from None
        raise
