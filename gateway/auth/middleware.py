"""ASGI: puts the Viewer in the scope, or answers 401."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.keys import KeysUnavailable
from gateway.auth.tokens import InvalidToken, Verify, expires_at
from resolvers.viewer import PUBLIC, Viewer

_SCHEME: Final = "bearer"


class Identity(NamedTuple):
    """Who asks, and by which token; the public has none."""

    viewer: Viewer
    token: str | None = None

    def expires_at(self) -> float | None:
        """The token's end, in seconds of Unix time."""
        return None if self.token is None else expires_at(self.token)


Identify = Callable[[Sequence[str]], Awaitable[Identity]]
"""Takes what Authorization headers say. Raises InvalidToken and KeysUnavailable."""


def identifier(verify: Verify) -> Identify:
    """No credentials: the public."""

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
    """Credentials that are not valid: 401, and nothing behind it runs. Websockets bring theirs later."""

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self.app = app
        self.identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
            identity = await self.identify(given)
            scope["identity"], scope["viewer"] = identity, identity.viewer
        except InvalidToken as refused:
            await _refusal(401, "UNAUTHENTICATED", str(refused))(scope, receive, send)
        except KeysUnavailable as away:
            await _refusal(503, "UNAVAILABLE", str(away))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _refusal(status: int, code: str, message: str) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    headers = {"www-authenticate": 'Bearer error="invalid_token"'} if status == 401 else {"retry-after": "10"}
    return Response(body, status, headers, media_type="application/json")
