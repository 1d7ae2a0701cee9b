"""The keys of documents that a read asks for."""

from collections.abc import Iterable
from typing import Self


class ProjectionKeys(frozenset[str]):
    """The keys to read, among them the `printed` ones: instants that the answer prints and no code reads.

    As a set it holds all keys. A set that is made of it (a union, a difference) is a plain frozenset and does not know
    which keys are only `printed`, so that its instants are read with their time zone.
    """

    __slots__ = ("printed",)
    printed: frozenset[str]

    def __new__(cls, keys: Iterable[str], printed: Iterable[str] = ()) -> Self:
        projection = super().__new__(cls, keys)
        projection.printed = frozenset(printed)
        return projection

    @property
    def read(self) -> frozenset[str]:
        """The keys that code reads, not only the printed answer."""
        return self - self.printed
