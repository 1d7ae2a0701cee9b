"""Catches the signal to stop before the server does, so that streams can end with a reason."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_streams_first(stop: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """Run `stop` at a signal during the block, and pass the signal on to the server afterwards.

    The server would close websockets with a code of its own. A second signal reaches it at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    stopping: list[asyncio.Task[None]] = []

    def catch(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, number)

    def begin(number: int) -> None:
        if stopping:
            pass_on(number)
            return
        stopping.append(loop.create_task(stop()))
        stopping[0].add_done_callback(lambda stopped: pass_on(number))

    def pass_on(number: int) -> None:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, None)

    for number in _SIGNALS:
        signal.signal(number, catch)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
