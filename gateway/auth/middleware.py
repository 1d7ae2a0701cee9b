"""ASGI middleware: puts the Viewer into the scope, or answers 401."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.keys import KeysUnavailable
from gateway.auth.tokens import InvalidToken, Verify, read_expiry
from resolvers.viewer import PUBLIC, Viewer

_SCHEME: Final = "bearer"


class Identity(NamedTuple):
    """The viewer, and the token that proves it; None for the public."""

    viewer: Viewer
    token: str | None = None

    def read_expiry(self) -> float | None:
        """Returns the expiry of the token in seconds of Unix time; None without a token."""
        return None if self.token is None else read_expiry(self.token)


Identify = Callable[[Sequence[str]], Awaitable[Identity]]
"""Takes the values of the Authorization headers. Raises InvalidToken and KeysUnavailable."""


def make_identifier(verify: Verify) -> Identify:
    """Returns the function that turns Authorization headers into an Identity. Without a header it is the public."""

    async def identify(credentials: Sequence[str]) -> Identity:
        if not credentials:
            return Identity(PUBLIC)
        if len(credentials) > 1:
            raise InvalidToken("Send one Authorization header.")
        scheme, _, token = credentials[0].strip().partition(" ")
        token = token.strip()
        if scheme.lower() != _SCHEME or not token:
            raise InvalidToken("The Authorization header is not of the form: Bearer <token>.")
        return Identity(await verify(token), token)

    return identify


class Authentication:
    """Answers invalid credentials with 401 before anything else runs. Websockets send theirs in a message later."""

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self.app = app
        self.identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            credentials = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
            identity = await self.identify(credentials)
            scope["identity"], scope["viewer"] = identity, identity.viewer
        except InvalidToken as refused:
            await _build_refusal(401, "UNAUTHENTICATED", str(refused))(scope, receive, send)
        except KeysUnavailable as away:
            await _build_refusal(503, "UNAVAILABLE", str(away))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _build_refusal(status: int, code: str, message: str) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    headers = {"www-authenticate": 'Bearer error="invalid_token"'} if status == 401 else {"retry-after": "10"}
    return Response(body, status, headers, media_type="application/json")
