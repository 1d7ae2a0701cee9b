"""The keys of documents that somebody reads."""

from collections.abc import Iterable
from typing import Self


class Keys(frozenset[str]):
    """Keys of which those that are `printed` hold an instant that goes into the answer, and are read for nothing else.

    As a set it is one of all the keys, and what is made of it knows of nothing that is printed.
    """

    __slots__ = ("printed",)
    printed: frozenset[str]

    def __new__(cls, keys: Iterable[str], printed: Iterable[str] = ()) -> Self:
        made = super().__new__(cls, keys)
        made.printed = frozenset(printed)
        return made

    @property
    def read(self) -> frozenset[str]:
        """Those that are not only printed."""
        return self - self.printed
