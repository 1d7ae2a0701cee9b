"""How long somebody is worked for: until their deadline, or until they have gone."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from starlette.types import Receive

LOOK_AFTER_SECONDS: Final = 0.05
"""Most answers are there by then, and never pay for a look at whether anybody still wants them."""

T = TypeVar("T")


class Gone(Exception):
    """Nobody waits for the answer any more."""


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
