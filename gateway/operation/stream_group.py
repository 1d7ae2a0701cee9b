"""Streams that end together, with the supergraph that they were started on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from gateway.operation.refusal import SUPERGRAPH_CHANGED, Ended

T = TypeVar("T")


class StreamGroup:
    """The open streams of one supergraph. Each runs inside a timeout without an end, until `end_all` sets one."""

    def __init__(self) -> None:
        self._timeouts: set[asyncio.Timeout] = set()

    async def run_until_ended(self, results: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Yield the results. Raises Ended once the supergraph is no longer served."""
        timeout: asyncio.Timeout | None = None
        try:
            async with asyncio.timeout(None) as timeout, aclosing(results):
                self._timeouts.add(timeout)
                async for result in results:
                    yield result
        except TimeoutError:
            if timeout is None or not timeout.expired():
                raise
            raise Ended(SUPERGRAPH_CHANGED) from None
        finally:
            if timeout is not None:
                self._timeouts.discard(timeout)
            # The timeout knows its task, the task keeps the exception that cancelled it, and that keeps this frame.
            # Without the assignment only the garbage collector would free the four.
            timeout = None

    def end_all(self) -> None:
        while self._timeouts:
            timeout = self._timeouts.pop()
            timeout.reschedule(asyncio.get_running_loop().time())
