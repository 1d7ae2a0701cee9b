"""The entries that were asked for last, bounded by number and by bytes."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """A cache that forgets what was asked for longest ago; whoever sends ever new keys makes it no larger."""

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
        """An entry holds more than it did; what that leaves no room for is forgotten, this entry last of all."""
        if key not in self._values:
            return
        self._sizes[key] += size_bytes
        self.held_bytes += size_bytes
        while self._values and (len(self._values) > self.entries or self.held_bytes > self.size_bytes):
            oldest, _ = self._values.popitem(last=False)
            self.held_bytes -= self._sizes.pop(oldest)

    def latest(self) -> Iterator[tuple[str, V]]:
        """The latest first."""
        return reversed(self._values.items())

    def __len__(self) -> int:
        return len(self._values)
