"""The prefixes of agencies, which decide who owns a name in the graph."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prefix:
    """An agency's prefix: `kab-bangka` owns field names with `kabBangka` and type names with `KabBangka`.

    `longer` are other agencies' prefixes that begin with this one: `kabBangkaBarat…` belongs to `kab-bangka-barat`.
    """

    field: str
    longer: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        return capitalize(self.field)

    def owns_field(self, name: str) -> bool:
        return _has_prefix(name, self.field) and not any(_has_prefix(name, other) for other in self.longer)

    def owns_type(self, name: str) -> bool:
        return _has_prefix(name, self.type) and not any(_has_prefix(name, capitalize(other)) for other in self.longer)


@dataclass(frozen=True, slots=True)
class PrefixIndex:
    """Finds whether any of hundreds of agencies owns a name, without trying each prefix."""

    by_field: Mapping[str, Prefix]
    by_type: Mapping[str, Prefix]

    @classmethod
    def of(cls, assign_prefixes: Iterable[Prefix]) -> "PrefixIndex":
        rows = list(assign_prefixes)
        return cls({row.field: row for row in rows}, {row.type: row for row in rows})

    def owns_field(self, name: str) -> bool:
        return any(start in self.by_field and self.by_field[start].owns_field(name) for start in _list_prefixes(name))

    def owns_type(self, name: str) -> bool:
        return any(start in self.by_type and self.by_type[start].owns_type(name) for start in _list_prefixes(name))


def assign_prefixes(agency_ids: Collection[str]) -> dict[str, Prefix]:
    """Returns the prefix of each agency. The result depends on all ids, because of `Prefix.longer`."""
    own = {agency_id: _to_camel_case(agency_id) for agency_id in agency_ids}
    ascending = sorted(own.values())
    return {agency_id: Prefix(start, tuple(_find_longer(start, ascending))) for agency_id, start in own.items()}


def _find_longer(start: str, ascending: list[str]) -> Iterator[str]:
    for other in ascending[bisect_right(ascending, start) :]:
        if not other.startswith(start):
            return
        if _has_prefix(other, start):
            yield other


def _to_camel_case(agency_id: str) -> str:
    first, *further = agency_id.split("-")
    return first + "".join(capitalize(word) for word in further)


def capitalize(name: str) -> str:
    return name[:1].upper() + name[1:]


def _has_prefix(name: str, prefix: str) -> bool:
    """Whether the name begins with the prefix as whole words: `kabBaliPort` begins with `kabBali`, `kabBalik` not."""
    return name.startswith(prefix) and not name[len(prefix) : len(prefix) + 1].islower()


def _list_prefixes(name: str) -> Iterator[str]:
    """Yields every prefix that the name may have: kabBaliPort → … kab, kabBali, kabBaliPort."""
    return (name[:end] for end in range(1, len(name) + 1) if _has_prefix(name, name[:end]))
