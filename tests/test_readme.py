"""The README: every command and query in it is run against the running demonstration, and answers as shown."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.ports import free_port

from gateway.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent
SET_UP = 2
END = "--- end of block ---"


class Step(NamedTuple):
    commands: str
    shown: Any


def steps() -> list[Step]:
    """The shell's blocks after the set-up, each with the answer that the README shows below it, if any."""
    found: list[Step] = []
    for language, text in BLOCKS:
        if language == "bash":
            found.append(Step(text, None))
        elif language == "json":
            found[-1] = found[-1]._replace(shown=json.loads(text))
        elif language == "text" and found:
            found[-1] = found[-1]._replace(shown=text)
    return found[SET_UP:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A folder as the reader's is, where the README's own demonstration runs; and its port."""
    where = tmp_path_factory.mktemp("readme")
    (where / ".venv").symlink_to(BIN.parent)
    (where / "docs").symlink_to(ROOT / "docs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = BLOCKS_OF_SET_UP[0].rpartition("&& ")[2].strip()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SATUGRAF_")}
    running = subprocess.Popen(
        [*command.split(), "--port", str(port)],
        cwd=where,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + 60
    while subprocess.run(["curl", "-sf", f"localhost:{port}/readyz"], capture_output=True, check=False).returncode:
        assert time.monotonic() < give_up
        time.sleep(0.2)
    yield where, port
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 0


BLOCKS_OF_SET_UP = [text for language, text in BLOCKS if language == "bash"][:SET_UP]


def test_set_up_takes_the_two_commands_that_ci_runs_too() -> None:
    first, second = BLOCKS_OF_SET_UP
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install -e '.[embedded]' && ")
    assert second.strip() in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_command_works_and_answers_as_shown(folder: tuple[Path, int]) -> None:
    where, port = folder
    script = "set -euo pipefail\n" + "".join(f"{step.commands}\necho; echo '{END}'\n" for step in steps())
    done = subprocess.run(
        ["bash", "-c", script.replace("localhost:8000", f"localhost:{port}").replace("4001", str(free_port()))],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outputs = done.stdout.split(END)[:-1]
    assert len(outputs) == len(steps())
    for step, output in zip(steps(), outputs, strict=True):
        if isinstance(step.shown, str):
            told = ".*".join(map(re.escape, step.shown.strip().split("…")))
            assert re.fullmatch(told, output.strip(), re.DOTALL), (step.shown, output)
        elif output.strip():
            answer = json.loads(output)
            assert "errors" not in answer, (step.commands, answer)
            assert step.shown is None or matches(step.shown, answer), (step.shown, answer)
        else:
            assert step.shown is None
    assert (where / "national.graphql").read_text() == (ROOT / "docs" / "schema.graphql").read_text()


def matches(shown: Any, answer: Any) -> bool:
    """Equal; an ellipsis stands for what differs each time."""
    if isinstance(shown, dict):
        return shown.keys() == answer.keys() and all(matches(shown[key], answer[key]) for key in shown)
    if isinstance(shown, list):
        return len(shown) == len(answer) and all(map(matches, shown, answer))
    if isinstance(shown, str) and "…" in shown:
        return shown == "…" or bool(re.fullmatch(re.escape(shown).replace("…", ".+"), answer))
    return bool(shown == answer)


def test_every_setting_is_in_the_operators_table() -> None:
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `SATUGRAF")]
    named = {name for row in rows for name in re.findall(r"SATUGRAF_\w+", row)}
    assert named == {f"SATUGRAF_{name.upper()}" for name in Settings.model_fields}


DOCUMENTS = [*sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("bench/*.md")), ROOT / "README.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert target.startswith("http") or (document.parent / target).exists(), target
