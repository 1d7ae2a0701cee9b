"""`satugraf serve`: runs the server with settings from the environment."""

from typing import Annotated, Any, Final

import typer

from gateway import settings
from gateway.cli.failure import fail, report_failures

GRACE_SECONDS: Final = 20

UVICORN: Final[dict[str, Any]] = {
    "loop": "uvloop",
    "http": "gateway.http.coalescing_protocol:CoalescingProtocol",
    "ws": "websockets-sansio",
    "ws_max_size": 262_144,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    # Compression saves little on small messages, less than a compressor for each of a thousand sockets costs.
    "ws_per_message_deflate": False,
    "access_log": False,
    "server_header": False,
    "log_level": "warning",
    "timeout_graceful_shutdown": GRACE_SECONDS,
}
"""Options of uvicorn, the same for every command that serves."""

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="Number of processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the graph. Settings come from the environment.

    Needs SATUGRAF_MONGODB_URI (a replica set) and SATUGRAF_SECRET_KEY; tokens need SATUGRAF_JWKS_URL. A database that
    this release cannot serve, because its migrations are missing or of a newer release, is an error.

    [bold]Example[/bold]: satugraf serve --host 0.0.0.0 --workers 2
    """
    import uvicorn

    from gateway.cli.data import check_migrations

    with report_failures():
        configured = settings.load()
        if configured.mongodb_uri is None:
            fail("SATUGRAF_MONGODB_URI is not set: name a running replica set, or try `satugraf demo`.")
        _ = configured.secret_key_bytes
        check_migrations(configured, configured.mongodb_uri)
    uvicorn.run(
        "gateway.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        **UVICORN,
    )
