"""A private mongod for one-machine installs and tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.mongod.process import CACHE_GIGABYTES, MongodUnavailable, find_binary, start
from gateway.mongod.replica import make_primary

__all__ = ["MongodUnavailable", "embedded"]


@contextmanager
def embedded(
    data: Path,
    port: int | None = None,
    meanwhile: Callable[[], object] = lambda: None,
    cache_gigabytes: float = CACHE_GIGABYTES,
) -> Iterator[str]:
    """The URI of a one-node replica set over the folder `data`, stopped at the end; a free port where None.

    `meanwhile` is done while mongod starts, which takes it most of a second.
    Raises MongodUnavailable, with a sentence that says what to do, where there is no mongod or it does not start.
    """
    with start(find_binary(), data, port, cache_gigabytes) as mongod:
        meanwhile()
        mongod.wait()
        make_primary(mongod.port)
        yield f"mongodb://127.0.0.1:{mongod.port}/?replicaSet=rs0"
