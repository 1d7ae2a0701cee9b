"""Runs checks in a child process.

In a thread, composition would hold the interpreter's lock and delay every request, and a hostile schema could take the
memory of the gateway.
"""

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
from gateway.registry.check import Checker, CheckResult, Finding, PublishedSubgraph
from resolvers.request.composer import NO_GRAPH, PublishedGraph

DEADLINE_SECONDS: Final = 30
COLD_TIMES: Final = 4
"""The first check of a child may take this many deadlines: it parses every subgraph, 13 s of CPU for 658 agencies."""
MEMORY_LIMIT_BYTES: Final = 2 * 1024**3

_TOO_MUCH: Final = Finding(
    "COMPOSITION",
    "TOO_COMPLEX",
    f"Composition took more than {DEADLINE_SECONDS} s or {MEMORY_LIMIT_BYTES // 1024**2} MiB: nothing has changed.",
)


@dataclass(slots=True)
class ComposerProcess:
    """One child process, started for the first check and replaced after it dies or takes too long."""

    deadline_seconds: float = DEADLINE_SECONDS
    _pool: ProcessPoolExecutor | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _checking: asyncio.Task[CheckResult] | None = None

    async def check(
        self,
        national: SubgraphSource,
        published: Sequence[PublishedSubgraph],
        candidate: PublishedSubgraph | None,
        before: PublishedGraph = NO_GRAPH,
    ) -> CheckResult:
        """Runs `Checker.check` in the child, one check at a time. A check beyond the limits finds TOO_COMPLEX.

        Cancellation of the caller does not stop the child: what it has parsed is useful for the next check.
        """
        await self._turn.acquire()
        self._checking = asyncio.create_task(self._check_in_child(national, published, candidate, before))
        self._checking.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(self._checking)

    async def _check_in_child(
        self,
        national: SubgraphSource,
        published: Sequence[PublishedSubgraph],
        candidate: PublishedSubgraph | None,
        before: PublishedGraph,
    ) -> CheckResult:
        deadline_seconds = self.deadline_seconds
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_initialize_child)
            deadline_seconds *= COLD_TIMES
        running = asyncio.get_running_loop().run_in_executor(
            self._pool, _run_check, national, published, candidate, before
        )
        try:
            return await asyncio.wait_for(running, deadline_seconds)
        except (TimeoutError, BrokenProcessPool, MemoryError, RecursionError):
            self.close()
            return CheckResult((_TOO_MUCH,))

    def close(self) -> None:
        """Kills the child, even during a check."""
        pool, self._pool = self._pool, None
        if pool is not None:
            children = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for child in children:
                child.kill()


_checker: Final = Checker()
"""Used in the child only; it keeps the subgraphs that it has parsed."""


def _run_check(
    national: SubgraphSource,
    published: Sequence[PublishedSubgraph],
    candidate: PublishedSubgraph | None,
    before: PublishedGraph,
) -> CheckResult:
    return _checker.check(national, published, candidate, before)


def _initialize_child() -> None:
    """Limits the child's memory, and ends the child when its parent ends, even by kill -9."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
