"""/healthz, /readyz, /metrics, and the public keys of the gateway's own calls.

/healthz says that the process answers. It does not ask the database, because an outage of the database must not restart
gateways. /readyz says that requests may be sent here: 503 while the database does not answer or the process stops.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.observability import metrics

if TYPE_CHECKING:
    from gateway.auth.subgraph_tokens import SubgraphTokens

PING_FRESH_SECONDS: Final = 1.0

Ping = Callable[[], Awaitable[bool]]


async def expose_metrics(request: Request) -> Response:
    return Response(metrics.render_metrics(), media_type=metrics.MEDIA_TYPE)


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


@dataclass(slots=True)
class Readiness:
    """Asks the database at most once a second, however often /readyz is called."""

    ping: Ping
    is_stopping: bool = False
    _pinged_at: float = -PING_FRESH_SECONDS
    _has_answered: bool = False

    async def readyz(self, request: Request) -> Response:
        if self.is_stopping:
            return _status("stopping", 503)
        if time.monotonic() - self._pinged_at > PING_FRESH_SECONDS:
            self._has_answered = await self.ping()
            self._pinged_at = time.monotonic()
        return _status("ready", 200) if self._has_answered else _status("database unavailable", 503)


def _status(status: str, code: int) -> Response:
    return JSONResponse({"status": status}, code)


async def publish_keys(tokens: "SubgraphTokens", request: Request) -> Response:
    """The keys with which agencies' subgraphs verify the gateway's calls."""
    return JSONResponse(tokens.build_key_set(datetime.now(UTC)), headers={"cache-control": "public, max-age=300"})
