"""A cache that drops the least recently used entries, bounded by their number and by their bytes."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")


class LruCache(Generic[V]):
    """A client that always sends new keys cannot make it larger than its bounds."""

    def __init__(self, entries: int, size_bytes: int) -> None:
        self.entries = entries
        self.size_bytes = size_bytes
        self.held_bytes = 0
        self._values: OrderedDict[str, V] = OrderedDict()
        self._sizes: dict[str, int] = {}

    def get(self, key: str) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: str, value: V, size_bytes: int) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        self._sizes.setdefault(key, 0)
        self.grow(key, size_bytes)

    def grow(self, key: str, size_bytes: int) -> None:
        """Add to an entry's size, then drop the oldest entries until the bounds hold. This entry goes last."""
        if key not in self._values:
            return
        self._sizes[key] += size_bytes
        self.held_bytes += size_bytes
        while self._values and (len(self._values) > self.entries or self.held_bytes > self.size_bytes):
            oldest, _ = self._values.popitem(last=False)
            self.held_bytes -= self._sizes.pop(oldest)

    def iterate_latest(self) -> Iterator[tuple[str, V]]:
        """Most recently used first."""
        return reversed(self._values.items())

    def __len__(self) -> int:
        return len(self._values)
