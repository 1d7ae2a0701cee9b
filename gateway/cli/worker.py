"""`satugraf worker`: runs the background worker without a server."""

import asyncio
import signal
from typing import Final

from gateway import settings
from gateway.cli.data import check_migrations
from gateway.cli.failure import fail, report_failures
from gateway.settings import Settings

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run_worker() -> None:
    """Run the background worker without a server.

    It handles time-outs (a question to the reporter, an answer without reply), reviews of holds, warnings, escalation,
    forwarding where the routing rules are certain, and teams whose term ends. Every `satugraf serve` and
    `satugraf demo` runs it too, unless SATUGRAF_WORKER=false. Only one process on a database works at a time, under a
    lease; another takes over within 15 seconds of its end. Each log line counts the steps of each kind. Needs
    SATUGRAF_MONGODB_URI and SATUGRAF_SECRET_KEY; Ctrl-C or SIGTERM ends it.

    [bold]Example[/bold]: SATUGRAF_MONGODB_URI=mongodb://localhost/?replicaSet=rs0 satugraf worker
    """
    with report_failures():
        configured = settings.load()
        if configured.mongodb_uri is None:
            fail("SATUGRAF_MONGODB_URI is not set: name a running replica set, or try `satugraf demo`.")
        _ = configured.secret_key_bytes
        check_migrations(configured, configured.mongodb_uri)
        asyncio.run(_work_until_stopped(configured, configured.mongodb_uri))


async def _work_until_stopped(configured: Settings, uri: str) -> None:
    from gateway import app
    from gateway.worker import run_in_background
    from resolvers.regulations.regulations import Regulations
    from resolvers.store.database import connect

    stop = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = connect(uri, configured.mongodb_database)
    regulations = Regulations(store)
    try:
        async with app.keep_fresh(regulations), run_in_background(app.make_worker(configured, regulations)):
            await stop.wait()
    finally:
        store.close()
