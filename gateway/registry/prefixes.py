"""Agencies' prefixes: which names of the graph are whose."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prefix:
    """The agency's: `kab-bangka` owns names that begin with `kabBangka` or `KabBangka`.

    `longer` are the prefixes of other agencies that begin with this one: `kabBangkaBarat` is not `kab-bangka`'s.
    """

    field: str
    longer: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return upper(self.field)

    def owns_field(self, name: str) -> bool:
        return _begins(name, self.field) and not any(_begins(name, other) for other in self.longer)

    def owns_type(self, name: str) -> bool:
        return _begins(name, self.type) and not any(_begins(name, upper(other)) for other in self.longer)


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose a name is among hundreds of agencies, found without asking each."""

    by_field: Mapping[str, Prefix]
    by_type: Mapping[str, Prefix]

    @classmethod
    def of(cls, prefixes: Iterable[Prefix]) -> "Owners":
        rows = list(prefixes)
        return cls({row.field: row for row in rows}, {row.type: row for row in rows})

    def own_field(self, name: str) -> bool:
        return any(start in self.by_field and self.by_field[start].owns_field(name) for start in _starts(name))

    def own_type(self, name: str) -> bool:
        return any(start in self.by_type and self.by_type[start].owns_type(name) for start in _starts(name))


def prefixes(agency_ids: Collection[str]) -> dict[str, Prefix]:
    """By agency, each among all."""
    own = {agency_id: _camel(agency_id) for agency_id in agency_ids}
    ascending = sorted(own.values())
    return {agency_id: Prefix(start, tuple(_longer(start, ascending))) for agency_id, start in own.items()}


def _longer(start: str, ascending: list[str]) -> Iterator[str]:
    for other in ascending[bisect_right(ascending, start) :]:
        if not other.startswith(start):
            return
        if _begins(other, start):
            yield other


def _camel(agency_id: str) -> str:
    first, *further = agency_id.split("-")
    return first + "".join(upper(word) for word in further)


def upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def _begins(name: str, prefix: str) -> bool:
    """Whether a word of the name ends where the prefix does."""
    return name.startswith(prefix) and not name[len(prefix) : len(prefix) + 1].islower()


def _starts(name: str) -> Iterator[str]:
    """All that a prefix of the name may be."""
    return (name[:end] for end in range(1, len(name) + 1) if _begins(name, name[:end]))
