"""Which body answers for which category: the division of government affairs, as a table.

Source: UU 23/2014 on the division of affairs between centre, province and regency, written from memory and not checked
against its annex. The national bodies are those of the register. `certainty` is the share of complaints for which the
row is right: a road may also belong to the province or the nation.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Level(StrEnum):
    """The level of government that answers for a category."""

    LOCAL = "LOCAL"
    """The government of the place: the regency or city, or the province when only the province is known."""
    PROVINCE = "PROVINCE"
    NATIONAL = "NATIONAL"
    VERTICAL = "VERTICAL"
    """A national body with offices of its own in the regions."""


class Affair(NamedTuple):
    level: Level
    certainty: float
    body: str | None = None
    """The agency, for the levels NATIONAL and VERTICAL."""


class Jurisdiction(NamedTuple):
    """The government of the place that a complaint is about."""

    government: str
    province: str | None
    """The province's agency when `government` is a regency or city; None when it is the province itself."""


_LOCAL: Final = Affair(Level.LOCAL, 0.95)

AFFAIRS: Final[Mapping[str, Affair]] = {
    "CIVIL": Affair(Level.LOCAL, 0.9),
    "CIVIL.BIRTH": _LOCAL,
    "CIVIL.KK": _LOCAL,
    "CIVIL.KTP": _LOCAL,
    "CIVIL.NIK": Affair(Level.NATIONAL, 0.86, "kemendagri"),
    "EDU": Affair(Level.LOCAL, 0.7),
    "EDU.ADMISSION": Affair(Level.LOCAL, 0.8),
    "EDU.BUILDING": Affair(Level.LOCAL, 0.8),
    "ENV": Affair(Level.LOCAL, 0.8),
    "ENV.NOISE": _LOCAL,
    "HEALTH": Affair(Level.LOCAL, 0.7),
    "HEALTH.ACCESS": Affair(Level.LOCAL, 0.88),
    "HEALTH.PUSKESMAS": _LOCAL,
    "LICENSE": Affair(Level.LOCAL, 0.8),
    "LICENSE.BUILDING": _LOCAL,
    "LICENSE.BUSINESS": Affair(Level.LOCAL, 0.88),
    "MARKET": Affair(Level.LOCAL, 0.88),
    "ORDER": _LOCAL,
    "ROAD": Affair(Level.LOCAL, 0.7),
    "ROAD.BRIDGE": Affair(Level.LOCAL, 0.8),
    "ROAD.POTHOLE": Affair(Level.LOCAL, 0.8),
    "ROAD.STREETLIGHT": Affair(Level.LOCAL, 0.88),
    "ROAD.TRAFFIC": Affair(Level.LOCAL, 0.88),
    "ROAD.NATIONAL": Affair(Level.NATIONAL, 0.95, "kemen-pupr"),
    "SOCIAL": Affair(Level.LOCAL, 0.7),
    "SOCIAL.AID": Affair(Level.LOCAL, 0.86),
    "SOCIAL.PKH": Affair(Level.NATIONAL, 0.92, "kemensos"),
    "TAX": Affair(Level.LOCAL, 0.6),
    "TAX.PBB": Affair(Level.LOCAL, 0.92),
    "TOURISM": Affair(Level.LOCAL, 0.88),
    "TRANSPORT": Affair(Level.LOCAL, 0.6),
    "TRANSPORT.BUS": Affair(Level.LOCAL, 0.86),
    "TRANSPORT.PORT": Affair(Level.NATIONAL, 0.88, "kemenhub"),
    "VILLAGE": Affair(Level.LOCAL, 0.9),
    "WASTE": _LOCAL,
    "WATER": Affair(Level.LOCAL, 0.88),
    "ASN": Affair(Level.NATIONAL, 0.86, "bkn"),
    "HIGHERED": Affair(Level.NATIONAL, 0.95, "kemendikbudristek"),
    "LABOR": Affair(Level.NATIONAL, 0.86, "kemnaker"),
    "LEGAL": Affair(Level.NATIONAL, 0.95, "kemenkumham"),
    "MIGRANT": Affair(Level.NATIONAL, 0.95, "bp2mi"),
    "POWER": Affair(Level.NATIONAL, 0.88, "kemen-esdm"),
    "TELCO": Affair(Level.NATIONAL, 0.92, "kominfo"),
    "FIN": Affair(Level.NATIONAL, 0.92, "ojk"),
    "HEALTH.BPJS": Affair(Level.VERTICAL, 0.95, "bpjs-kesehatan"),
    "IMMIG": Affair(Level.VERTICAL, 0.95, "kemenkumham"),
    "LAND": Affair(Level.VERTICAL, 0.95, "atr-bpn"),
    "POLICE": Affair(Level.VERTICAL, 0.95, "polri"),
}
"""By category. A category without a row has the row of its parent."""


class Refinement(NamedTuple):
    """Words that move an affair to another level."""

    category: str
    words: tuple[str, ...]
    affair: Affair


REFINEMENTS: Final = (
    Refinement("ROAD", ("jalan nasional", "jalan tol"), Affair(Level.NATIONAL, 0.9, "kemen-pupr")),
    Refinement("ROAD", ("jalan provinsi",), Affair(Level.PROVINCE, 0.9)),
    Refinement("ROAD", ("jalan kabupaten", "jalan kota", "jalan desa"), Affair(Level.LOCAL, 0.92)),
    Refinement("EDU", ("sma negeri", "sman", "smk", "slb"), Affair(Level.PROVINCE, 0.9)),
    Refinement("EDU", ("sd negeri", "sdn", "smp", "paud"), Affair(Level.LOCAL, 0.9)),
    Refinement("EDU", ("madrasah", "mts", "pesantren"), Affair(Level.VERTICAL, 0.86, "kemenag")),
)


def find_affair(category: str, words: str) -> Affair | None:
    """Find the affair that a category belongs to, or None when no table has it.

    `words` is the text of the complaint after `topics.normalize_text`. The words can refine the level: a "jalan tol" is
    national, though ROAD is local.
    """
    parent = category.partition(".")[0]
    for row in REFINEMENTS:
        if parent == row.category and any(f" {word} " in words for word in row.words):
            return row.affair
    return AFFAIRS.get(category) or AFFAIRS.get(parent)


def find_competent_agency(affair: Affair, place: Jurisdiction | None) -> str | None:
    """Return the agency that answers for the affair, or None when that depends on a place that is not known."""
    match affair.level:
        case Level.NATIONAL | Level.VERTICAL:
            return affair.body
        case Level.PROVINCE:
            return None if place is None else place.province or place.government
        case Level.LOCAL:
            return None if place is None else place.government


def list_bodies() -> Iterator[str]:
    """Yield every agency that the tables name, some more than once."""
    for row in (*AFFAIRS.values(), *(refinement.affair for refinement in REFINEMENTS)):
        if row.body is not None:
            yield row.body
