"""`satugraf demo --with-agency`: one query over both graphs, and its agency's process killed while many ask."""

import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port
from support.serving_processes import SATUGRAF

pytestmark = pytest.mark.timeout(300)

PATIENCE_SECONDS = 120
ASKING = 3
CROSSING = """{ complaints(first: 2, filter: { holder: "kab-badung" }) { nodes { id title holder { name }
  kabBadungSurvey localCase { __typename number } } } }"""
PLAIN = '{ complaints(first: 2, filter: { holder: "kab-badung" }) { nodes { id title status holder { name } } } }'
OWN = ("kabBadungSurvey", "localCase")


class Demo:
    """The running demonstration, and what it has printed so far."""

    def __init__(self, data: Path, port: int) -> None:
        command = [str(SATUGRAF), "demo", "--with-agency", "--complaints", "300", "--port", str(port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SATUGRAF_")}
        self.port, self.printed = port, ""
        self.process = subprocess.Popen(
            [*command, "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment | {"COLUMNS": "80", "PYTHONUNBUFFERED": "1"},
        )
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.printed += line

    def ask(self, query: str, token: str) -> Any:
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())


def until(holds: Callable[[], Any], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up, what
        time.sleep(0.1)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path / "data", free_port())
    try:
        until(lambda: "SATUGRAF_KEYS_URL=" in running.printed, running.printed)
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        try:
            running.process.wait(30)
        finally:
            running.process.kill()
            running.process.wait()
            running.reading.join()


def test_the_agencys_process_dies_while_many_ask_and_only_its_fields_are_null(demo: Demo, tmp_path: Path) -> None:
    token = json.loads((tmp_path / "data" / "tokens.json").read_text())["NATIONAL_ADMIN"]
    for shown in ("One query", "Its answer", "Its plan", '"KabBadungLocalCase"', '"serviceName": "kab-badung"'):
        assert shown in demo.printed, demo.printed
    expected = demo.ask(CROSSING, token)["data"]["complaints"]["nodes"]
    plain = demo.ask(PLAIN, token)["data"]
    assert all(row["localCase"]["number"] for row in expected)
    answers, wrong, stopped = list[Any](), list[Any](), threading.Event()

    def keep_asking() -> None:
        while not stopped.is_set():
            answers.append(demo.ask(CROSSING, token))
            if demo.ask(PLAIN, token)["data"] != plain:
                wrong.append("plain")

    asking = [threading.Thread(target=keep_asking) for _ in range(ASKING)]
    for thread in asking:
        thread.start()
    try:
        until(lambda: len(answers) >= 20, "nothing was answered")
        found = re.search(r"kill (\d+)", demo.printed)
        assert found is not None
        os.kill(int(found[1]), signal.SIGKILL)
        until(lambda: sum("errors" in answer for answer in list(answers)) >= 20, "nothing failed")
        [again] = [line for line in demo.printed.splitlines() if line.startswith("SATUGRAF_KEYS_URL=")]
        setting, *words = shlex.split(again)
        name, _, value = setting.partition("=")
        healing = subprocess.Popen(words, env={**os.environ, name: value})
        try:
            until(lambda: "errors" not in answers[-1], "it did not heal")
        finally:
            stopped.set()
            for thread in asking:
                thread.join()
            healing.kill()
            healing.wait()
    finally:
        stopped.set()
    assert wrong == []
    national = [{name: row[name] for name in row.keys() - set(OWN)} for row in expected]
    for answer in answers:
        nodes = answer["data"]["complaints"]["nodes"]
        assert [{name: row[name] for name in row.keys() - set(OWN)} for row in nodes] == national
        if "errors" not in answer:
            assert nodes == expected
            continue
        for row in nodes:
            assert row["kabBadungSurvey"] is None
            assert row["localCase"] == {"__typename": "KabBadungLocalCase", "number": None}
        assert {error["extensions"]["serviceName"] for error in answer["errors"]} == {"kab-badung"}
    assert "Traceback" not in demo.printed
