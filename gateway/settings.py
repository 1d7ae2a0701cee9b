"""Reads the settings from the environment. The name of each number ends in its unit."""

from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from resolvers import key_ring


class Mode(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable and what to do."""


class Settings(BaseSettings):
    """Each field is set by the environment variable `SATUGRAF_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="SATUGRAF_", frozen=True)

    mode: Mode = Mode.PRODUCTION
    mongodb_uri: str | None = Field(
        None, description="URI of a replica set. `satugraf demo` runs a private mongod if it is unset."
    )
    mongodb_database: str = "satugraf"
    secret_key: SecretStr | None = Field(
        None,
        description="At least 32 characters. Signs cursors, derives the secrets of submissions, seals reporters' data.",
    )
    vault_keys: SecretStr | None = Field(
        None,
        description="Keys that wrap reporters' keys: id:hex,id:hex, the first is active. If unset, SECRET_KEY is used.",
    )
    development_key: SecretStr | None = Field(
        None, description="HS256 key of development tokens. Never set it in production."
    )
    jwks_url: str | None = Field(None, description="URL of the identity provider's public keys.")
    token_issuer: str | None = None
    token_audience: str = "satugraf"  # noqa: S105 - not a secret
    introspection: bool = True
    registry: bool | None = Field(
        None, description="Whether agencies may publish subgraphs. If unset, only in development."
    )
    subgraph_endpoint: bool = Field(False, description="Whether other routers may query /subgraph/graphql.")
    console: bool = True
    worker: bool = Field(
        True, description="Whether servers also run the background worker; one process at a time works."
    )
    body_limit_bytes: int = Field(262_144, ge=1024)
    body_deadline_ms: int = Field(10_000, ge=100)
    request_deadline_ms: int = Field(15_000, ge=100)
    cost_limit_points: int = Field(5_000, ge=100)
    subscription_cost_limit_points: int = Field(500, ge=10, description="Limit for each event of a subscription.")
    subscriptions_per_connection: int = Field(100, ge=1)
    connections_per_address: int = Field(2_000, ge=1)
    connections_per_subject: int = Field(2_000, ge=1)
    allowed_origins: str = Field(
        "", description="Origins whose pages may open websockets besides the host's own, separated by commas."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("SATUGRAF_SECRET_KEY is shorter than 32 characters: make one with `openssl rand -hex 32`.")
        if self.vault_keys is not None:
            key_ring.parse_ring(b"", self.vault_keys.get_secret_value())
        if self.mode is Mode.PRODUCTION and self.development_key is not None:
            raise ValueError("SATUGRAF_DEVELOPMENT_KEY is set in production: unset it, or SATUGRAF_MODE=development.")
        return self

    @property
    def has_registry(self) -> bool:
        return self.mode is Mode.DEVELOPMENT if self.registry is None else self.registry

    @property
    def vault_ring(self) -> str | None:
        return None if self.vault_keys is None else self.vault_keys.get_secret_value()

    @property
    def secret_key_bytes(self) -> bytes:
        """Raises SettingsError if the key is not set."""
        if self.secret_key is None:
            raise SettingsError("SATUGRAF_SECRET_KEY is not set: make one with `openssl rand -hex 32` and keep it.")
        return self.secret_key.get_secret_value().encode()


def load() -> Settings:
    """Returns the settings. Raises SettingsError with one line for each fault; no line repeats a secret."""
    try:
        return Settings()
    except ValidationError as failure:
        lines = [_describe_error(error["loc"], error["msg"]) for error in failure.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None


def _describe_error(location: tuple[int | str, ...], message: str) -> str:
    name = "_".join(str(part) for part in location).upper()
    return f"SATUGRAF_{name}: {message}" if name else message.removeprefix("Value error, ")
