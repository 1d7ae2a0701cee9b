"""/healthz, /readyz, /metrics and the keys of our own calls, and what each one promises.

/healthz: the process answers; it asks nothing of the database, whose outage must not restart gateways.
/readyz: requests may be sent here; 503 while the database does not answer or the process is stopping.
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


async def exposed(request: Request) -> Response:
    return Response(metrics.render_metrics(), media_type=metrics.MEDIA_TYPE)


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


@dataclass(slots=True)
class Readiness:
    ping: Ping
    is_stopping: bool = False
    _asked_at: float = -PING_FRESH_SECONDS
    _answered: bool = False

    async def readyz(self, request: Request) -> Response:
        if self.is_stopping:
            return _status("stopping", 503)
        if time.monotonic() - self._asked_at > PING_FRESH_SECONDS:
            self._answered = await self.ping()
            self._asked_at = time.monotonic()
        return _status("ready", 200) if self._answered else _status("database unavailable", 503)


def _status(status: str, code: int) -> Response:
    return JSONResponse({"status": status}, code)


async def published_keys(tokens: "SubgraphTokens", request: Request) -> Response:
    """The keys by which agencies' subgraphs know the gateway's calls."""
    return JSONResponse(tokens.build_key_set(datetime.now(UTC)), headers={"cache-control": "public, max-age=300"})
