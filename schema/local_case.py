"""LocalCase: a complaint as its holder's own system knows it; each agency with a subgraph brings a type of its own."""

from typing import Any

import strawberry

from schema.binding import column, object_type


@strawberry.interface(description="The complaint in the holder's own system; the type is the holder's.")
class LocalCase:
    id: strawberry.ID = column("id", description="The complaint's tracking ID.")
    number: str | None = column("number")
    unit: str | None = column("unit")
    url: str | None = column("url")

    @classmethod
    def resolve_type(cls, document: Any, *_: Any) -> str:
        return str(document["__typename"])


def local_case_type(name: str) -> type:
    """An agency's type as the national graph knows it: by id alone, its fields come from the agency's subgraph."""
    made = type(name, (LocalCase,), {"__annotations__": {}, "__doc__": "Brought by the agency's own subgraph."})
    decorated: type = object_type(name=name)(made)
    return decorated
