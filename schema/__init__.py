"""The contract: `build()` gives the schema, `build_subgraph()` the same as a federation subgraph."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.entities import SubgraphQuery, entity_type
from schema.local_case import local_case_type
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription

Built = TypeVar("Built", bound=strawberry.Schema)

_LINK_VERSION: Final = "2.9"
"""Newer `@link` versions are refused by other composers."""


class _Silent(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Logs nothing: messages may hold what a citizen wrote; the edge logs what an operator needs."""

    def _warn_for_federation_directives(self) -> None:
        """Strawberry expects a federation schema where it sees @key; `_entities` is for other routers alone.

        A filter of warnings would be the whole process's, and schemas are built in threads.
        """


def build(local_cases: Sequence[str] = ()) -> strawberry.Schema:
    """The national graph as `/graphql` serves it: without federation's own root fields.

    `local_cases` names the types of LocalCase that agencies' subgraphs bring.
    """
    built = _Silent(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[local_case_type(name) for name in local_cases],
        config=_config(),
    )
    return _without_null_defaults(built)


def build_subgraph(local_cases: Sequence[str] = ()) -> strawberry.federation.Schema:
    """The national graph as one subgraph among others, with `_entities` and `_service`."""
    built = strawberry.federation.Schema(
        query=SubgraphQuery,
        mutation=Mutation,
        subscription=Subscription,
        types=[local_case_type(name) for name in local_cases],
        config=_config(),
        federation_version=_LINK_VERSION,
    )
    entity = built._schema.type_map["_Entity"]
    assert isinstance(entity, GraphQLUnionType)  # noqa: S101 - Strawberry's name for it
    entity.resolve_type = entity_type
    return _without_null_defaults(built)


def subgraph_sdl() -> str:
    """The national graph as other routers' composers read it."""
    return build_subgraph().as_str() + "\n"


def _config() -> StrawberryConfig:
    return StrawberryConfig(scalar_map=SCALARS)


def _without_null_defaults(built: Built) -> Built:
    """Python's `= None` means "may be left out", which the contract says without a default."""
    for named in built._schema.type_map.values():
        for value in _input_values(named):
            if value.default_value is None:
                value.default_value = Undefined
    return built


def _input_values(named: object) -> Iterator[GraphQLArgument | GraphQLInputField]:
    if isinstance(named, GraphQLInputObjectType):
        yield from named.fields.values()
    elif isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        for field in named.fields.values():
            yield from field.args.values()
