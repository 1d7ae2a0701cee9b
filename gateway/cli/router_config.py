"""Reads the router's limits from the environment."""

from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.federation.engine import MAX_FETCHES
from gateway.http.connections import ConnectionLimits, parse_origins
from gateway.http.graphql import EndpointLimits
from gateway.http.request import BodyLimits
from gateway.limits.shape import TOKEN_LIMIT, ShapeLimits
from gateway.operation.document import DocumentLimits
from gateway.settings import SettingsError

PREFIX = "SATUGRAF_ROUTER_"
SCHEMA_POLL_MS = 30_000
RESPONSE_BYTES: Final = 16 * 1024 * 1024
ROUTER_LIMITS: Final = EndpointLimits(response_bytes=RESPONSE_BYTES, stops_with_caller=True)


@dataclass(frozen=True, slots=True)
class RouterConfig:
    limits: EndpointLimits = ROUTER_LIMITS
    document: DocumentLimits = field(default_factory=DocumentLimits)
    max_fetches: int = MAX_FETCHES
    introspection: bool = True
    exposes_plan: bool = False
    schema_poll_ms: int = SCHEMA_POLL_MS
    """Time between two polls of running subgraphs' schemas, varied by a fifth so that routers do not poll together."""


_BODY, _SHAPE = BodyLimits(), ShapeLimits()


class _Environment(BaseSettings):
    """Each field is set by the environment variable `SATUGRAF_ROUTER_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    body_limit_bytes: int = Field(_BODY.size_bytes, ge=1024)
    body_deadline_ms: int = Field(_BODY.deadline_ms, ge=100)
    deadline_ms: int = Field(ROUTER_LIMITS.deadline_ms, ge=10)
    response_limit_bytes: int = Field(RESPONSE_BYTES, ge=1024)
    token_limit: int = Field(TOKEN_LIMIT, ge=10)
    depth_limit: int = Field(_SHAPE.depth, ge=1)
    alias_limit: int = Field(_SHAPE.aliases, ge=0)
    root_field_limit: int = Field(_SHAPE.root_fields, ge=1)
    connections_per_address: int = Field(ROUTER_LIMITS.connections.per_address, ge=1)
    allowed_origins: str = ""
    fetch_limit: int = Field(MAX_FETCHES, ge=1)
    introspection: bool = True
    schema_poll_ms: int = Field(SCHEMA_POLL_MS, ge=100)


def from_environment(exposes_plan: bool = False) -> RouterConfig:
    """Raises SettingsError with one line for each fault."""
    try:
        given = _Environment()
    except ValidationError as failure:
        lines = [f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg']}." for error in failure.errors()]
        raise SettingsError("\n".join(lines)) from None
    limits = replace(
        ROUTER_LIMITS,
        body=BodyLimits(given.body_limit_bytes, given.body_deadline_ms),
        deadline_ms=given.deadline_ms,
        response_bytes=given.response_limit_bytes,
        connections=ConnectionLimits(given.connections_per_address, origins=parse_origins(given.allowed_origins)),
    )
    shape = ShapeLimits(given.depth_limit, given.alias_limit, given.root_field_limit)
    document = DocumentLimits(given.token_limit, shape)
    return RouterConfig(limits, document, given.fetch_limit, given.introspection, exposes_plan, given.schema_poll_ms)
