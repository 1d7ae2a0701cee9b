"""`satugraf worker`: upkeep alone, without a server."""

import asyncio
import signal
from typing import Final

from gateway import settings
from gateway.cli.data import check_migrations
from gateway.cli.failure import fail, told
from gateway.settings import Settings

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def worker() -> None:
    """Do what the system does unasked, without serving.

    Time-outs (a question to the reporter, an answer without reply), reviews of holds, warnings, escalation, forwarding
    by the routing rules where they are certain, and teams whose term ends. Every `satugraf serve` and `satugraf demo`
    does the same beside its requests unless SATUGRAF_WORKER=false; of all processes on a database one works at a time,
    under a lease, and another takes over within 15 seconds of its end. Each line of the log says how many steps of
    which kind were taken. Needs SATUGRAF_MONGODB_URI and SATUGRAF_SECRET_KEY; Ctrl-C or SIGTERM ends it.

    [bold]Example[/bold]: SATUGRAF_MONGODB_URI=mongodb://localhost/?replicaSet=rs0 satugraf worker
    """
    with told():
        configured = settings.load()
        if configured.mongodb_uri is None:
            fail("SATUGRAF_MONGODB_URI is not set: name a running replica set, or try `satugraf demo`.")
        _ = configured.secret_key_bytes
        check_migrations(configured, configured.mongodb_uri)
        asyncio.run(_work(configured, configured.mongodb_uri))


async def _work(configured: Settings, uri: str) -> None:
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
