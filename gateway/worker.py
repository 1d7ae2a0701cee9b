"""The background worker: time-outs, reviews, escalation, routing without doubt, teams whose term ends.

One process of all on a database works, under a lease. The others try every few seconds to claim the lease.
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
"""How long a document whose step failed is postponed, so that it does not block the queue."""

DueDocument = Any


class Lease(Protocol):
    async def claim(self) -> bool: ...

    async def release(self) -> None: ...


class Job(NamedTuple):
    """A kind of work.

    `due` returns at most so many due documents, the longest due first. `take` takes one step with a document and
    returns the step's name, or None if there was nothing to do. `postpone` is called for a document whose step failed.
    """

    name: str
    due: Callable[[RequestContext, int], Awaitable[Sequence[DueDocument]]]
    take: Callable[[RequestContext, DueDocument], Awaitable[str | None]]
    postpone: Callable[[DueDocument, datetime], Awaitable[None]]


@dataclass(slots=True)
class Worker:
    """Runs jobs while it holds the lease. `context` makes a new context, with the current time, for each batch."""

    lease: Lease
    context: Callable[[], RequestContext]
    jobs: Sequence[Job]
    renewal_seconds: float
    is_holding: bool = False
    done: Counter[str] = field(default_factory=Counter)
    """Number of steps since the start by name, also of those that `failed`."""

    async def run(self) -> None:
        """Runs until it is cancelled. If the database does not answer, it tries again later."""
        logger.info("upkeep is ready")
        renewing = asyncio.create_task(self._renew_lease())
        try:
            while True:
                worked = self.is_holding and await self._attempt(self.run_batches)
                await asyncio.sleep(0 if worked else IDLE_SECONDS)
        finally:
            renewing.cancel()
            if self.is_holding:
                await self._attempt(self._release_lease)

    async def run_batches(self) -> bool:
        """Runs one batch of each job. Returns whether any document was due."""
        counted: Counter[str] = Counter()
        for job in self.jobs:
            context = self.context()
            for document in await job.due(context, BATCH):
                if not self.is_holding:
                    break
                counted[await self._take_step(job, context, document)] += 1
        self.done += counted
        if counted:
            logger.info("upkeep", **{name.lower(): count for name, count in sorted(counted.items())})
        return bool(counted)

    async def _take_step(self, job: Job, context: RequestContext, document: DueDocument) -> str:
        try:
            return await job.take(context, document) or "nothing"
        except Exception as failure:
            # The message is not logged: it may repeat a citizen's text.
            logger.error("upkeep failed", duty=job.name, id=document["_id"], failure=type(failure).__name__)
            await job.postpone(document, context.now + RETRY)
            return "failed"

    async def _renew_lease(self) -> None:
        while True:
            is_holding = await self._attempt(self.lease.claim)
            if is_holding != self.is_holding:
                logger.info("upkeep begins here" if is_holding else "upkeep is done elsewhere")
            self.is_holding = is_holding
            await asyncio.sleep(self.renewal_seconds)

    async def _release_lease(self) -> bool:
        self.is_holding = False
        await self.lease.release()
        return True

    async def _attempt(self, attempt: Callable[[], Awaitable[bool]]) -> bool:
        """Returns the attempt's result, or False if it raises: the next round tries again."""
        try:
            return await attempt()
        except Exception as failure:
            logger.error("upkeep interrupted", failure=type(failure).__name__)
            return False


@asynccontextmanager
async def run_in_background(worker: Worker | None) -> AsyncIterator[None]:
    """Runs the worker while the block runs; its lease is free again at the end. None runs no worker."""
    if worker is None:
        yield
        return
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
