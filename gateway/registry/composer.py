"""Composes in a child process: a thread would hold the interpreter's lock, a hostile schema take the memory."""

import asyncio
import multiprocessing
import os
import resource
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Final

from gateway.federation.composition import SubgraphSource
from gateway.registry.check import Checked, Checker, Finding, Published
from resolvers.request.composer import NOTHING_STANDS, Standing

DEADLINE_SECONDS: Final = 30
COLD_TIMES: Final = 4
"""As long for the first composition of a child, which reads every subgraph: 13 s of CPU where 658 have one."""
MEMORY_LIMIT_BYTES: Final = 2 * 1024**3

_TOO_MUCH: Final = Finding(
    "COMPOSITION",
    "TOO_COMPLEX",
    f"Composition took more than {DEADLINE_SECONDS} s or {MEMORY_LIMIT_BYTES // 1024**2} MiB: nothing has changed.",
)


@dataclass(slots=True)
class Composer:
    """One child, started with the first composition; it is replaced where it dies or takes too long."""

    deadline_seconds: float = DEADLINE_SECONDS
    _pool: ProcessPoolExecutor | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _checking: asyncio.Task[Checked] | None = None

    async def check(
        self,
        national: SubgraphSource,
        published: Sequence[Published],
        candidate: Published | None,
        before: Standing = NOTHING_STANDS,
    ) -> Checked:
        """As `Checker.check`, one at a time; what took too long or too much is refused with a sentence.

        Whoever stops waiting does not stop the child, which has learned something when it is done, or is ended.
        """
        await self._turn.acquire()
        self._checking = asyncio.create_task(self._checked(national, published, candidate, before))
        self._checking.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(self._checking)

    async def _checked(
        self, national: SubgraphSource, published: Sequence[Published], candidate: Published | None, before: Standing
    ) -> Checked:
        deadline_seconds = self.deadline_seconds
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_begin)
            deadline_seconds *= COLD_TIMES
        running = asyncio.get_running_loop().run_in_executor(self._pool, _check, national, published, candidate, before)
        try:
            return await asyncio.wait_for(running, deadline_seconds)
        except (TimeoutError, BrokenProcessPool, MemoryError, RecursionError):
            self.close()
            return Checked((_TOO_MUCH,))

    def close(self) -> None:
        """Ends the child, whatever it is doing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            children = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for child in children:
                child.kill()


_checker: Final = Checker()
"""The child's, which remembers what it has read."""


def _check(
    national: SubgraphSource, published: Sequence[Published], candidate: Published | None, before: Standing
) -> Checked:
    return _checker.check(national, published, candidate, before)


def _begin() -> None:
    """In the child: takes no more memory than it may, and ends with its parent, however that ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
