"""`satugraf demo` as a user runs it: one command, Ctrl-C, once more."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port
from typer.testing import CliRunner, Result

from gateway.cli import app
from resolvers.domain.vocabulary import Role

SATUGRAF = Path(sys.executable).with_name("satugraf")


@contextmanager
def demo(data: Path, complaints: int = 300) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The running demonstration and its port, ready; killed where the test has not ended it."""
    port = free_port()
    command = [str(SATUGRAF), "demo", "--complaints", str(complaints), "--port", str(port), "--data", str(data)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATUGRAF_")}
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment | {"COLUMNS": "80"}
    )
    try:
        give_up = time.monotonic() + 60
        while not ready(port):
            assert running.poll() is None, running.communicate()[0]
            assert time.monotonic() < give_up
            time.sleep(0.05)
        yield running, port
    finally:
        running.kill()
        running.communicate()


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(port: int, query: str, token: str | None = None) -> Any:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read())["data"]


def stop(running: subprocess.Popen[str]) -> str:
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=20)
    assert running.returncode == 0, output
    return output


def processes_of(data: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(data) in command and "pytest" not in command:
            found.append(command)
    return found


SUBMIT = 'mutation { submitComplaint(input: {class: COMPLAINT, title: "Lampu mati", body: "%s"}) { secret } }'


@dataclass
class FirstRun:
    """What a first start of the demonstration said and did, until Ctrl-C; its folder is there to be used again."""

    data: Path
    port: int
    tokens: dict[str, str]
    everybody: Any
    viewers: dict[str, Any]
    complaints: int
    output: str
    left: list[str]
    """Commands of processes that outlived it."""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    data = tmp_path_factory.mktemp("demo") / "data"
    with demo(data) as (running, port):
        tokens = json.loads((data / "tokens.json").read_text())
        query = "{ viewer { role agency { id } } agencies(filter: {connected: true}) { totalCount } }"
        everybody = ask(port, query)
        viewers = {role: ask(port, query, token)["viewer"] for role, token in tokens.items()}
        found = ask(port, "{ complaints { totalCount } }", tokens["NATIONAL_ADMIN"])["complaints"]["totalCount"]
        ask(port, SUBMIT % ("Lampu jalan mati sejak kemarin. " * 2), tokens["CITIZEN"])
        output = stop(running)
    return FirstRun(data, port, tokens, everybody, viewers, found, output, processes_of(data))


def test_one_command_serves_the_register_and_ctrl_c_leaves_nothing_behind(first: FirstRun) -> None:
    assert first.tokens.keys() == set(Role) - {Role.PUBLIC, Role.SYSTEM}
    assert first.everybody == {"viewer": {"role": "PUBLIC", "agency": None}, "agencies": {"totalCount": 658}}
    agencies = {"LIAISON": "kab-badung", "AGENCY_ADMIN": "kab-badung", "PROVINCE_COORDINATOR": "prov-bali"}
    for role, viewer in first.viewers.items():
        assert viewer["role"] == role
        assert (viewer["agency"] or {}).get("id") == agencies.get(role, viewer["agency"] and "kab-badung")
    assert first.complaints == 300
    assert "Traceback" not in first.output
    assert f"http://127.0.0.1:{first.port}/console/" in first.output
    assert all(f"Bearer {token}\n" in first.output for token in first.tokens.values())
    assert first.left == []
    assert (first.data / "tokens.json").stat().st_mode & 0o077 == 0
    assert (first.data / "keys.json").stat().st_mode & 0o077 == 0


# Alone, for what it promises is a user's wait: counted work would not show a pause.
@pytest.mark.alone
def test_a_second_start_is_quick_and_keeps_what_was_done(first: FirstRun) -> None:
    started = time.monotonic()
    with demo(first.data) as (running, port):
        assert time.monotonic() - started < 5
        token = first.tokens["CITIZEN"]
        assert ask(port, "{ complaints { nodes { title } } }", token)["complaints"]["nodes"][0]["title"] == "Lampu mati"
        stop(running)


def test_after_a_kill_it_opens_again_and_two_run_side_by_side(first: FirstRun, tmp_path: Path) -> None:
    with demo(first.data) as (running, _):
        running.kill()
        running.wait()
    with demo(first.data) as (_, again), demo(tmp_path / "two", complaints=0) as (_, other):
        for port in (again, other):
            assert ask(port, "{ regions(level: PROVINCE) { code } }")["regions"][0] == {"code": "11"}


@pytest.mark.parametrize("complaints", ["-1", "many"])
def test_a_wrong_number_is_refused_with_its_option(tmp_path: Path, complaints: str) -> None:
    done = run_demo("--complaints", complaints, "--data", str(tmp_path))
    assert done.exit_code == 2
    assert "--complaints" in done.stderr


def test_a_port_that_is_taken_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_demo("--port", port, "--data", str(tmp_path / "data"))
    assert done.exit_code == 1
    assert port in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("written", ["", "[]", "{", '{"secret_key": 5}'])
def test_a_folder_whose_keys_were_spoilt_says_so(tmp_path: Path, written: str) -> None:
    (tmp_path / "keys.json").write_text(written)
    done = run_demo("--data", str(tmp_path))
    assert done.exit_code == 1
    assert "keys.json is damaged: remove it, or choose another folder with --data." in re.sub(r"\s+", " ", done.stderr)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run_demo("--data", str(tmp_path / "file" / "data"))
    assert done.exit_code == 1
    assert "Not a directory" in re.sub(r"\s+", " ", done.stderr)


def run_demo(*options: str) -> Result:
    """The command in this process, which ends before it starts anything; what it does not refuse itself is raised."""
    done = CliRunner().invoke(app, ["demo", "--port", str(free_port()), *options])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done
