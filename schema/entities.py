"""The national graph as one subgraph among others: entities by their keys, and its own SDL."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry.federation.schema import FederationAny

from resolvers.registry import entities
from schema.agency import Agency
from schema.binding import Document, called, object_type
from schema.category import Category
from schema.complaint import Complaint
from schema.page import ContextInfo
from schema.query import Query
from schema.region import Region
from schema.selection import keys
from schema.team import Team

Entity = Annotated[Agency | Category | Complaint | Region | Team, strawberry.union("_Entity")]


@object_type(name="Query")
class SubgraphQuery(Query):
    @called(list[Entity | None], name="_entities", commands=5)
    async def entities(info: ContextInfo, representations: list[FederationAny]) -> Sequence[Document | None]:
        return await entities.by_representations(info.context, representations, keys(info))


def entity_type(document: Any, *_: Any) -> str:
    """The concrete type of a document that `_entities` gave."""
    return str(document["__typename"])
