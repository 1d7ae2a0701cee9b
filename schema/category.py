"""Category: what a complaint is about."""

from typing import Annotated

import strawberry
from strawberry import Parent

from resolvers.agencies import category as categories
from resolvers.documents import CategoryDoc
from schema.binding import called, column, loaded, object_type
from schema.enums import Locale, SupervisionGrade

LazyCategory = Annotated["Category", strawberry.lazy("schema.category")]


@object_type(keys=("code",))
class Category:
    """[kategori] A node of the two-level tree of subjects."""

    code: strawberry.ID = column("_id", description="Dotted: ROAD.POTHOLE lies in ROAD.")
    parent: LazyCategory | None = loaded(categories.by_code, key="parent")
    sensitive: bool = column("sensitive", description="Confidential by default; coordinates are never published.")
    default_grade: SupervisionGrade

    @called(str, needs=("name",))
    def name(category: Parent[CategoryDoc], locale: Locale | None = Locale.ID) -> str:
        """In Indonesian, or in English for locale EN."""
        return category["name"][(locale or Locale.ID).value]
