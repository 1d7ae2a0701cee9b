"""Serves the console: GraphiQL from static files of our own, without a request to another host."""

from pathlib import Path
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER: Final = Path(__file__).parents[1] / "console"

# GraphiQL's editor writes styles at run time, and its icons and fonts are data: URLs. Scripts come from here only.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def serve_files() -> ASGIApp:
    """Return the console as an ASGI app. Browsers revalidate its files by their ETag before each use."""
    static = StaticFiles(directory=FOLDER, html=True)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await static(scope, receive, send_with_headers)

    return app


async def redirect_to_console(request: Request) -> Response:
    """For people who open the bare address in a browser."""
    return RedirectResponse("/console/", headers={"cache-control": "no-cache"})
