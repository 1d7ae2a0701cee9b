"""The private mongod: started, moved, killed, shared by nobody."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pymongo import MongoClient
from support.ports import free_port

from gateway.mongod import MongodUnavailable, run_embedded
from gateway.mongod.process import find_binary

RUN = """
import sys, time
from pathlib import Path
from gateway.mongod import run_embedded
with run_embedded(Path(sys.argv[1])) as uri:
    print(uri, flush=True)
    time.sleep(60)
# satugraf
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended(pid: int) -> bool:
    give_up = time.monotonic() + 15
    while alive(pid) and time.monotonic() < give_up:
        time.sleep(0.05)
    return not alive(pid)


def mongod_of(folder: Path) -> int:
    return int((folder / "mongod" / "satugraf.pid").read_text().split()[1])


def test_data_survive_a_restart_on_another_port_and_nothing_is_left_behind(tmp_path: Path) -> None:
    ports = []
    for number in range(2):
        with run_embedded(tmp_path) as uri:
            ports.append(uri)
            pid = mongod_of(tmp_path)
            with MongoClient[dict[str, int]](uri) as client:
                client.test.numbers.insert_one({"number": number})
                assert client.test.numbers.count_documents({}) == number + 1
                with client.start_session() as session, session.start_transaction():
                    client.test.numbers.insert_one({"number": 9}, session=session)
                    session.abort_transaction()
                with client.test.numbers.watch() as stream:
                    assert stream.try_next() is None
        assert ended(pid)
        assert not (tmp_path / "mongod" / "satugraf.pid").exists()
    assert ports[0] != ports[1]


def test_two_run_side_by_side(tmp_path: Path) -> None:
    with run_embedded(tmp_path / "one") as first, run_embedded(tmp_path / "two") as second:
        assert first != second


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_mongod_along_and_the_data_open_again(tmp_path: Path, kind: signal.Signals) -> None:
    running = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    uri = running.stdout.readline().strip()
    pid = mongod_of(tmp_path)
    with MongoClient[dict[str, int]](uri) as client:
        client.test.get_collection("numbers").insert_one({"number": 1})
    os.kill(running.pid, kind)
    running.wait()
    running.stdout.close()
    assert ended(pid)
    with run_embedded(tmp_path) as again, MongoClient[dict[str, int]](again) as client:
        assert client.test.numbers.count_documents({}) == 1


def test_a_folder_in_use_is_refused_with_the_process_that_uses_it(tmp_path: Path) -> None:
    running = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    running.stdout.readline()
    try:
        with pytest.raises(MongodUnavailable, match=f"process {running.pid}"), run_embedded(tmp_path):
            pass
    finally:
        running.terminate()
        running.wait()
        running.stdout.close()


def test_a_mongod_that_was_left_over_is_ended(tmp_path: Path) -> None:
    folder, port = _made(tmp_path / "mongod"), free_port()
    left = subprocess.Popen(
        [str(find_binary()), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    (tmp_path / "mongod" / "satugraf.pid").write_text(f"{2**22} {left.pid}")
    # It has made its files once it listens: a folder half made is no folder of data.
    _until_listening(port)
    with run_embedded(tmp_path) as uri, MongoClient[dict[str, int]](uri) as client:
        assert left.wait(10) is not None
        client.test.numbers.insert_one({"number": 1})


def _until_listening(port: int) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        else:
            return


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_a_machine_without_mongod_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("gateway.mongod.process._WHEEL", "not-installed")
    with pytest.raises(MongodUnavailable, match=r"SATUGRAF_MONGODB_URI.*PATH.*satugraf\[embedded\]"):
        find_binary()


def test_a_mongod_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "mongod"
    own.write_text("#!/bin/sh\nexit 7\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_binary() == own
    with pytest.raises(MongodUnavailable, match="ended with code 7"), run_embedded(tmp_path / "data"):
        pass
