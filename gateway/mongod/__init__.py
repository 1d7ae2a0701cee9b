"""A private mongod for installs on one machine and for tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.mongod.process import CACHE_GIGABYTES, MongodUnavailable, find_binary, start_mongod
from gateway.mongod.replica import make_primary

__all__ = ["MongodUnavailable", "embedded"]


@contextmanager
def run_embedded(
    data: Path,
    port: int | None = None,
    meanwhile: Callable[[], object] = lambda: None,
    cache_gigabytes: float = CACHE_GIGABYTES,
) -> Iterator[str]:
    """Runs a replica set of one node with its files in `data`, and yields its URI. It stops at the end of the block.

    `port` None means a free port. `meanwhile` is called while mongod starts, which takes most of a second.
    Raises MongodUnavailable if there is no mongod or if it does not start.
    """
    with start_mongod(find_binary(), data, port, cache_gigabytes) as mongod:
        meanwhile()
        mongod.wait()
        make_primary(mongod.port)
        yield f"mongodb://127.0.0.1:{mongod.port}/?replicaSet=rs0"
