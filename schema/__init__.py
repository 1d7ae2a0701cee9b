"""The contract: `build()` returns the GraphQL schema, `build_subgraph()` the same as a federation subgraph."""

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

from schema.entities import SubgraphQuery, resolve_entity_type
from schema.local_case import make_local_case_type
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription

StrawberrySchema = TypeVar("StrawberrySchema", bound=strawberry.Schema)

_LINK_VERSION: Final = "2.9"
"""Other composers refuse newer `@link` versions."""


class _SilentSchema(strawberry.Schema):
    """A schema that neither logs nor warns."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Logs nothing: a message may contain a citizen's text. The HTTP layer logs what an operator needs."""

    def _warn_for_federation_directives(self) -> None:
        """Does not warn that types with @key are in a schema without `_entities`, which only other routers use.

        Overridden here because a warnings filter applies to the whole process, and schemas are built in threads.
        """


def build(local_cases: Sequence[str] = ()) -> strawberry.Schema:
    """Builds the national graph as `/graphql` serves it, without federation's own root fields.

    `local_cases` names the types that implement LocalCase in agencies' subgraphs.
    """
    built = _SilentSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[make_local_case_type(name) for name in local_cases],
        config=_make_config(),
    )
    return _remove_null_defaults(built)


def build_subgraph(local_cases: Sequence[str] = ()) -> strawberry.federation.Schema:
    """Builds the national graph as a federation subgraph, with `_entities` and `_service`."""
    built = strawberry.federation.Schema(
        query=SubgraphQuery,
        mutation=Mutation,
        subscription=Subscription,
        types=[make_local_case_type(name) for name in local_cases],
        config=_make_config(),
        federation_version=_LINK_VERSION,
    )
    entity = built._schema.type_map["_Entity"]
    assert isinstance(entity, GraphQLUnionType)  # noqa: S101 - for the type checker
    # Strawberry resolves the union by Python class; the documents here are dicts.
    entity.resolve_type = resolve_entity_type
    return _remove_null_defaults(built)


def print_subgraph_sdl() -> str:
    """Prints the national graph as other routers' composers read it."""
    return build_subgraph().as_str() + "\n"


def _make_config() -> StrawberryConfig:
    return StrawberryConfig(scalar_map=SCALARS)


def _remove_null_defaults(built: StrawberrySchema) -> StrawberrySchema:
    """Prints `secret: String` where Strawberry prints `secret: String = null` for a Python default of None."""
    for named_type in built._schema.type_map.values():
        for value in _find_input_values(named_type):
            if value.default_value is None:
                value.default_value = Undefined
    return built


def _find_input_values(named_type: object) -> Iterator[GraphQLArgument | GraphQLInputField]:
    if isinstance(named_type, GraphQLInputObjectType):
        yield from named_type.fields.values()
    elif isinstance(named_type, GraphQLObjectType | GraphQLInterfaceType):
        for field in named_type.fields.values():
            yield from field.args.values()
