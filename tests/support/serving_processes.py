"""`satugraf serve` as processes of their own over one database."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from support.portal import DEVELOPMENT_KEY, Portal

SATUGRAF = Path(sys.executable).with_name("satugraf")
START_SECONDS = 60


@contextmanager
def served(uri: str, database: str, port: int, **further: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process, until it is left; killed then where the test has not ended it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATUGRAF_")}
    environment |= {
        "SATUGRAF_MONGODB_URI": uri,
        "SATUGRAF_MONGODB_DATABASE": database,
        "SATUGRAF_MODE": "development",
        "SATUGRAF_SECRET_KEY": "the secret key of the tests, 32 long",
        "SATUGRAF_DEVELOPMENT_KEY": DEVELOPMENT_KEY,
        **further,
    }
    running = subprocess.Popen([str(SATUGRAF), "serve", "--port", str(port)], env=environment)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


async def ready(portal: Portal) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                async with portal.session.get(f"{portal.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
