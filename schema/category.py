"""Category: the subject of a complaint."""

import strawberry
from strawberry import Parent

from resolvers.agencies import category as categories
from resolvers.documents import CategoryDoc
from schema.binding import called, column, loaded, object_type
from schema.enums import Locale, SupervisionGrade
from schema.lazy import LazyCategory


@object_type(keys=("code",))
class Category:
    """[kategori] A node of the two-level tree of subjects."""

    code: strawberry.ID = column("_id", description="Dotted: ROAD.POTHOLE is below ROAD.")
    parent: LazyCategory | None = loaded(
        categories.by_code, key="parent", description="The category above it; null at the top of the tree."
    )
    sensitive: bool = column(
        "sensitive",
        description="Whether its complaints are confidential by default, and their coordinates are never published.",
    )
    default_grade: SupervisionGrade = column(
        "defaultGrade", description="The grade of its complaints that the system verifies by rule."
    )

    @called(str, needs=("name",))
    def name(category: Parent[CategoryDoc], locale: Locale | None = Locale.ID) -> str:
        """The name in Indonesian, or in English for locale EN."""
        return category["name"][(locale or Locale.ID).value]
