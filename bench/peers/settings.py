"""Shared by the Python peers: our driver settings, token verification and viewer."""

from starlette.middleware import Middleware

from gateway.app import make_verifier
from gateway.auth.middleware import Authentication, make_identifier
from gateway.settings import load
from resolvers.store.database import Store, connect


def connect_store() -> Store:
    settings = load()
    assert settings.mongodb_uri is not None
    return connect(settings.mongodb_uri, settings.mongodb_database)


def make_authentication() -> Middleware:
    return Middleware(Authentication, identify=make_identifier(make_verifier(load())))
