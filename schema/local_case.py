"""LocalCase: a complaint in its holder's own system; an agency with a subgraph may add a type that implements it."""

from typing import Any

import strawberry

from schema.binding import column, object_type


@strawberry.interface(
    description="A complaint in its holder's own system. Each agency adds a type, whose fields its subgraph resolves."
)
class LocalCase:
    id: strawberry.ID = column("id", description="The complaint's tracking ID.")
    number: str | None = column("number")
    unit: str | None = column("unit")
    url: str | None = column("url")

    @classmethod
    def resolve_type(cls, document: Any, *_: Any) -> str:
        return str(document["__typename"])


def make_local_case_type(name: str) -> type:
    """Makes an agency's type with the interface's fields; the national graph resolves only its id."""
    made = type(name, (LocalCase,), {"__annotations__": {}, "__doc__": "Brought by the agency's own subgraph."})
    decorated: type = object_type(name=name)(made)
    return decorated
