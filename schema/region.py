"""Region: a province, regency or city, and its government."""

import strawberry

from resolvers.agencies import agency as agencies
from resolvers.agencies import region as regions
from schema.binding import column, loaded, object_type
from schema.enums import RegionLevel, TimeZone
from schema.lazy import LazyAgency, LazyRegion


@object_type(keys=("code",))
class Region:
    """[wilayah] A province, regency or city, with its Kemendagri code of 2022."""

    code: strawberry.ID = column("_id")
    level: RegionLevel
    name: str
    parent: LazyRegion | None = loaded(
        regions.by_code, key="parent", description="The province of a regency or city; null for a province."
    )
    time_zone: TimeZone
    population: int | None = column("population", description="Null if it is not published.")
    population_year: int | None = column("populationYear", description="The year of the population figure.")
    government: LazyAgency | None = loaded(
        agencies.by_id, key="government", description="The regional government that is responsible for it."
    )
