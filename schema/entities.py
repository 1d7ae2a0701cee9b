"""The national graph as a federation subgraph: its entities, which other subgraphs refer to by key."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry.federation.schema import FederationAny

from resolvers.documents import Document
from resolvers.registry import entities
from schema.agency import Agency
from schema.binding import called, object_type
from schema.category import Category
from schema.complaint import Complaint
from schema.page import ContextInfo
from schema.query import Query
from schema.region import Region
from schema.selection import collect_keys
from schema.team import Team

Entity = Annotated[Agency | Category | Complaint | Region | Team, strawberry.union("_Entity")]


@object_type(name="Query")
class SubgraphQuery(Query):
    @called(list[Entity | None], name="_entities", commands=5)
    async def entities(info: ContextInfo, representations: list[FederationAny]) -> Sequence[Document | None]:
        return await entities.by_representations(info.context, representations, collect_keys(info))


def resolve_entity_type(document: Any, *_: Any) -> str:
    """Returns the name of the type of a document that `_entities` returned."""
    return str(document["__typename"])
