"""ASGI: puts the Viewer in the scope, or answers 401."""

from typing import Final

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.keys import KeysUnavailable
from gateway.auth.tokens import InvalidToken, Verify
from resolvers.viewer import PUBLIC, Viewer

_SCHEME: Final = "bearer"


class Authentication:
    """No Authorization header: the public. One that is not valid: 401, and nothing behind it runs."""

    def __init__(self, app: ASGIApp, verify: Verify) -> None:
        self.app = app
        self.verify = verify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            scope["viewer"] = await self._viewer(Headers(scope=scope).getlist("authorization"))
        except InvalidToken as refused:
            await _refusal(401, "UNAUTHENTICATED", str(refused))(scope, receive, send)
        except KeysUnavailable as away:
            await _refusal(503, "UNAVAILABLE", str(away))(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _viewer(self, credentials: list[str]) -> Viewer:
        if not credentials:
            return PUBLIC
        if len(credentials) > 1:
            raise InvalidToken("Send one Authorization header.")
        scheme, _, token = credentials[0].strip().partition(" ")
        if scheme.lower() != _SCHEME or not token.strip():
            raise InvalidToken("The Authorization header is not of the form: Bearer <token>.")
        return await self.verify(token.strip())


def _refusal(status: int, code: str, message: str) -> Response:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    headers = {"www-authenticate": 'Bearer error="invalid_token"'} if status == 401 else {"retry-after": "10"}
    return Response(body, status, headers, media_type="application/json")
