"""Starts a server on its own core, and reads its CPU time and memory from /proc."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
TICK_SECONDS: Final = 1 / os.sysconf("SC_CLK_TCK")
"""The unit of CPU time in /proc."""

_CORES: Final = sorted(os.sched_getaffinity(0))
IS_PINNED: Final = len(_CORES) > 1
"""Servers run on the first core, load and database on the second. On one core they share it."""
_SERVER_CORES: Final = {_CORES[0]}
_LOAD_CORES: Final = {_CORES[1]} if IS_PINNED else {_CORES[0]}


class NotServing(Exception):
    """A server ended or did not answer; the message ends with its log."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a server. It gets its port by `{port}` in the words, and by PORT in the environment."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    port: int
    pid: int

    def read_cpu_seconds(self) -> float:
        return read_cpu_seconds(self.pid)

    def resident_mib(self) -> float:
        return sum(_read_resident_kib(pid) for pid in _list_tree(self.pid)) / 1024


def pin_load() -> None:
    """Pins this process, and children without a core of their own, to the load's core."""
    os.sched_setaffinity(0, _LOAD_CORES)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def start_server(name: str, command: Command, log: Path, *, on_server_core: bool = True) -> Iterator[Server]:
    """Starts a server and yields it when it listens; ends it after the block. Raises NotServing."""
    port = find_free_port()
    with log.open("wb") as written, _pin_to(_SERVER_CORES if on_server_core else _LOAD_CORES):
        process = subprocess.Popen(
            [word.replace("{port}", str(port)) for word in command.words],
            cwd=command.folder,
            env={**os.environ, **command.environment, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_listening(process, name, port, log)
        yield Server(name, port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _pin_to(cores: set[int]) -> Iterator[None]:
    """Pins this process during the block: a child that it starts inherits the cores, with all its threads."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def _wait_until_listening(process: subprocess.Popen[bytes], name: str, port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotServing(f"{name} does not serve:\n{log.read_text(errors='replace')[-2000:]}")


def read_cpu_seconds(pid: int) -> float:
    """Returns the user and system time of a process, its children, and the children that have ended."""
    ticks = 0
    for member in _list_tree(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks * TICK_SECONDS


def _list_tree(pid: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may have ended since it was listed.
        with suppress(FileNotFoundError, ProcessLookupError):
            children += map(int, (task / "children").read_text().split())
    return [pid, *(member for child in children for member in _list_tree(child))]


def _read_resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
