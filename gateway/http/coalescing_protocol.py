"""Head and body of an answer in one write: a system call less, and nobody is woken up for a head without its body."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Joining:
    """A transport that writes at the end of each turn of the event loop what was given to it in the turn."""

    __slots__ = ("_given", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._given: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._given:
            self._loop.call_soon(self._write)
        self._given.append(data)

    def _write(self) -> None:
        given, self._given = self._given, []
        if given and not self._transport.is_closing():
            self._transport.writelines(given)

    def close(self) -> None:
        self._write()
        self._transport.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._write()
        self._transport.set_protocol(protocol)


class Protocol(HttpToolsProtocol):
    """The server's HTTP/1.1, over transports that join what is written."""

    def connection_made(self, transport: Any) -> None:
        joining: Any = Joining(transport, self.loop)
        super().connection_made(joining)
