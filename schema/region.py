"""Region: where a complaint happened, and who governs there."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.agencies import agency as agencies
from resolvers.agencies import region as regions
from schema.binding import column, loaded, object_type
from schema.enums import RegionLevel, TimeZone

if TYPE_CHECKING:
    from schema.agency import Agency

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]
LazyRegion = Annotated["Region", strawberry.lazy("schema.region")]


@object_type(keys=("code",))
class Region:
    """[wilayah] A province, regency or city, under its Kemendagri code of 2022."""

    code: strawberry.ID = column("_id")
    level: RegionLevel
    name: str
    parent: LazyRegion | None = loaded(regions.by_code, key="parent", description="The province of a regency or city.")
    time_zone: TimeZone
    population: int | None
    population_year: int | None = column("populationYear", description="The year that the population was counted.")
    government: LazyAgency | None = loaded(
        agencies.by_id, key="government", description="The regional government that answers for it."
    )
