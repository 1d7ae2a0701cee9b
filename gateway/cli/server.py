"""`satugraf serve`: the server on settings from the environment."""

from typing import Annotated, Any, Final

import typer

from gateway import settings
from gateway.cli.failure import fail, told

GRACE_SECONDS: Final = 20

UVICORN: Final[dict[str, Any]] = {
    "loop": "uvloop",
    "http": "gateway.http.coalescing_protocol:CoalescingProtocol",
    "ws": "websockets-sansio",
    "ws_max_size": 262_144,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    # A thousand compressors cost more than what they save on messages of some hundred bytes.
    "ws_per_message_deflate": False,
    "access_log": False,
    "server_header": False,
    "log_level": "warning",
    "timeout_graceful_shutdown": GRACE_SECONDS,
}
"""How every command serves."""

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="How many processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the graph on settings from the environment.

    Needs SATUGRAF_MONGODB_URI (a replica set) and SATUGRAF_SECRET_KEY; tokens need SATUGRAF_JWKS_URL. A database that
    this release cannot serve, because its migrations are missing or of a newer release, is an error.

    [bold]Example[/bold]: satugraf serve --host 0.0.0.0 --workers 2
    """
    import uvicorn

    from gateway.cli.data import check_migrations

    with told():
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
