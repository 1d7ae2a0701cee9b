"""What the system does unasked: time-outs, reviews, escalation, certain routing, teams whose term ends.

Of all processes on a database one works, under a lease; the others look every few seconds whether it is free.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from gateway.observability.log import logger
from resolvers.request.context import RequestContext

BATCH: Final = 100
IDLE_SECONDS: Final = 2.0
RETRY: Final = timedelta(minutes=15)
"""How long something that failed is left alone."""

Item = dict[str, Any]


class Lease(Protocol):
    async def claim(self) -> bool: ...

    async def release(self) -> None: ...


class Duty(NamedTuple):
    """One kind of work: what is due, how a step is taken, and what becomes of that which fails."""

    name: str
    due: Callable[[RequestContext, int], Awaitable[Sequence[Item]]]
    take: Callable[[RequestContext, Item], Awaitable[str | None]]
    postpone: Callable[[Item, datetime], Awaitable[None]]


@dataclass(slots=True)
class Worker:
    """Works while it has the lease; `context` gives a fresh one, with the time, for each batch."""

    lease: Lease
    context: Callable[[], RequestContext]
    duties: Sequence[Duty]
    renewal_seconds: float
    is_holding: bool = False
    done: Counter[str] = field(default_factory=Counter)
    """Steps taken since the start, by name; `failed` among them."""

    async def run(self) -> None:
        """Until it is cancelled; a database that does not answer is waited for."""
        logger.info("upkeep is ready")
        renewing = asyncio.create_task(self._renew())
        try:
            while True:
                worked = self.is_holding and await self._guarded(self.work)
                await asyncio.sleep(0 if worked else IDLE_SECONDS)
        finally:
            renewing.cancel()
            if self.is_holding:
                await self._guarded(self._release)

    async def work(self) -> bool:
        """One batch of each duty, the longest due first; whether there was anything to do."""
        counted: Counter[str] = Counter()
        for duty in self.duties:
            context = self.context()
            for item in await duty.due(context, BATCH):
                if not self.is_holding:
                    break
                counted[await self._take(duty, context, item)] += 1
        self.done += counted
        if counted:
            logger.info("upkeep", **{name.lower(): count for name, count in sorted(counted.items())})
        return bool(counted)

    async def _take(self, duty: Duty, context: RequestContext, item: Item) -> str:
        try:
            return await duty.take(context, item) or "nothing"
        except Exception as failure:
            # Its kind and its place alone: a message may repeat what a citizen wrote.
            logger.error("upkeep failed", duty=duty.name, id=item["_id"], failure=type(failure).__name__)
            await duty.postpone(item, context.now + RETRY)
            return "failed"

    async def _renew(self) -> None:
        while True:
            held = await self._guarded(self.lease.claim)
            if held != self.is_holding:
                logger.info("upkeep begins here" if held else "upkeep is done elsewhere")
            self.is_holding = held
            await asyncio.sleep(self.renewal_seconds)

    async def _release(self) -> bool:
        self.is_holding = False
        await self.lease.release()
        return True

    async def _guarded(self, attempt: Callable[[], Awaitable[bool]]) -> bool:
        """False where it fails: the next round tries again."""
        try:
            return await attempt()
        except Exception as failure:
            logger.error("upkeep interrupted", failure=type(failure).__name__)
            return False


@asynccontextmanager
async def working(worker: Worker | None) -> AsyncIterator[None]:
    """The worker beside what runs inside; its lease is free again at the end."""
    if worker is None:
        yield
        return
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
