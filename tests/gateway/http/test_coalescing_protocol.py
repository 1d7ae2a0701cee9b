"""Answers leave in one write, and in the order in which they were given."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from gateway.http.coalescing_protocol import CoalescingTransport


class Written(asyncio.Transport):
    """What reaches the real transport, as it comes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self.transport = transport
        self.writes: list[bytes] = []

    def writelines(self, data: object) -> None:
        assert isinstance(data, list)
        self.writes.append(b"".join(data))
        self.transport.writelines(data)

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def close(self) -> None:
        self.transport.close()


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Written, socket.socket]]:
    near, far = socket.socketpair()
    with far:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=near)
        yield Written(transport), far
        transport.close()


async def test_what_is_given_in_one_turn_is_written_at_once(ends: tuple[Written, socket.socket]) -> None:
    written, far = ends
    joining = CoalescingTransport(written, asyncio.get_running_loop())
    joining.write(b"head ")
    joining.write(b"body")
    assert written.writes == []
    await asyncio.sleep(0)
    joining.write(b" next")
    await asyncio.sleep(0)
    assert written.writes == [b"head body", b" next"]
    assert far.recv(100) == b"head body next"


async def test_what_was_given_before_the_end_is_sent_and_nothing_after_it(ends: tuple[Written, socket.socket]) -> None:
    written, far = ends
    joining = CoalescingTransport(written, asyncio.get_running_loop())
    joining.write(b"last")
    joining.close()
    joining.write(b"too late")
    await asyncio.sleep(0)
    assert written.writes == [b"last"]
    assert far.recv(100) == b"last"
    assert far.recv(100) == b""
