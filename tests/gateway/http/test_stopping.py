"""Who is told first that the process stops."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from gateway.http.stopping import stop_streams_first


@pytest.fixture
def server() -> Iterator[list[str]]:
    """What the server's own handler, and whoever else, heard."""
    heard: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append("server"))
    yield heard
    signal.signal(signal.SIGTERM, before)


async def test_the_server_is_told_once_all_who_are_connected_have_been(server: list[str]) -> None:
    """It closed websockets by a code of its own where it was quicker than we."""
    may_end = asyncio.Event()

    async def stop() -> None:
        server.append("begun")
        await may_end.wait()
        server.append("told")

    with stop_streams_first(stop):
        signal.raise_signal(signal.SIGTERM)
        await _until(server, 1)
        may_end.set()
        await _until(server, 3)
    assert server == ["begun", "told", "server"]


async def test_a_second_signal_reaches_the_server_at_once(server: list[str]) -> None:
    async def stop() -> None:
        server.append("begun")
        await asyncio.Event().wait()

    with stop_streams_first(stop):
        signal.raise_signal(signal.SIGTERM)
        await _until(server, 1)
        signal.raise_signal(signal.SIGTERM)
        await _until(server, 2)
    assert server == ["begun", "server"]


async def _until(heard: list[str], length: int) -> None:
    async with asyncio.timeout(20):
        while len(heard) < length:  # noqa: ASYNC110 - a list has no event to wait for
            await asyncio.sleep(0.01)
