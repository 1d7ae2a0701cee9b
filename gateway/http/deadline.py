"""Bounds the work for a request: by a deadline, and by its caller's leaving."""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Final, TypeVar

from starlette.types import Receive

WATCH_AFTER_SECONDS: Final = 0.05
"""When the caller's connection is watched for the first time. Most answers are ready by then and save the cost."""

T = TypeVar("T")


class CallerGone(Exception):
    """The caller has closed the connection and waits for no answer."""


class Deadline:
    """Cancels its block at the deadline, and ends it with TimeoutError.

    Does what `asyncio.timeout` does, but cannot be rescheduled. That takes a third of the CPU, which a short request
    notices.
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
        # If somebody else cancelled the task too, that cancellation goes on.
        if self._is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from failure


async def run_until_caller_leaves(deadline_ms: int, receive: Receive, work: Awaitable[T]) -> T:
    """Return what the work returns. Cancels it and raises TimeoutError at the deadline, CallerGone where the caller
    has left."""
    loop = asyncio.get_running_loop()
    watching: list[asyncio.Task[None]] = []
    has_left = asyncio.Event()

    async def watch(running: asyncio.Timeout) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left.set()
        running.reschedule(loop.time())

    try:
        async with asyncio.timeout(deadline_ms / 1000) as running:
            timer = loop.call_later(WATCH_AFTER_SECONDS, lambda: watching.append(loop.create_task(watch(running))))
            try:
                return await work
            finally:
                timer.cancel()
                for task in watching:
                    task.cancel()
    except TimeoutError:
        if has_left.is_set():
            raise CallerGone from None
        raise
