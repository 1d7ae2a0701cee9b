"""README and guides: every command and query in them is run against one running demonstration, and answers as shown."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.ports import free_port

from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
BIN = Path(sys.executable).parent
SET_UP = 2
"""README's first two commands: one installs and runs the demonstration, one installs and runs the tests."""
END = "--- end of block ---"
READY_SECONDS = 60


class Step(NamedTuple):
    """A shell block, and the output that the document shows below it: a JSON value, text, or None."""

    commands: str
    shown: Any


def read_steps(document: Path) -> list[Step]:
    steps: list[Step] = []
    for language, text in re.findall(
        r"^```(\w+)\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        if language == "bash":
            steps.append(Step(text, None))
        elif language == "json":
            steps[-1] = steps[-1]._replace(shown=json.loads(text))
        elif language == "text" and steps:
            steps[-1] = steps[-1]._replace(shown=text)
    return steps


class Demonstration(NamedTuple):
    """The README's own demonstration, running in a folder like the reader's."""

    folder: Path
    port: int

    def run(self, steps: list[Step], mongodb_uri: str) -> list[str]:
        """Run the blocks in one shell, as a reader does who copies them one after the other; return their outputs."""
        script = "set -euo pipefail\n" + "".join(f"{step.commands}\necho; echo '{END}'\n" for step in steps)
        for written, real in (
            ("localhost:8000", f"localhost:{self.port}"),
            ("4001", str(free_port())),
            ("8080", str(free_port())),
            ("mongodb://localhost:27017/?replicaSet=rs0", mongodb_uri),
            ("satugraf_guide", f"test_guide_{self.port}"),
        ):
            script = script.replace(written, real)
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split(END)[:-1]


ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SATUGRAF_")}


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder, port = tmp_path_factory.mktemp("readme"), free_port()
    (folder / ".venv").symlink_to(BIN.parent)
    (folder / "docs").symlink_to(ROOT / "docs")
    command = read_steps(README)[0].commands.rpartition("&& ")[2].split()
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            give_up = time.monotonic() + READY_SECONDS
            while not is_ready(port):
                assert running.poll() is None, "the demonstration has ended"
                assert time.monotonic() < give_up, f"the demonstration is not ready after {READY_SECONDS} s"
                time.sleep(0.1)
            yield Demonstration(folder, port)
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0


def is_ready(port: int) -> bool:
    return not subprocess.run(["curl", "-sf", f"localhost:{port}/readyz"], capture_output=True, check=False).returncode


def test_set_up_takes_the_two_commands_that_ci_runs_too() -> None:
    first, second = read_steps(README)[:SET_UP]
    assert first.commands.startswith("python3 -m venv .venv && .venv/bin/pip install -e '.[embedded]' && ")
    assert second.commands.strip() in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", [README, *GUIDES], ids=lambda path: path.stem)
def test_every_command_works_and_answers_as_shown(
    document: Path, demonstration: Demonstration, mongodb_uri: str
) -> None:
    steps = read_steps(document)[SET_UP if document == README else 0 :]
    outputs = demonstration.run(steps, mongodb_uri)
    assert len(outputs) == len(steps)
    for step, output in zip(steps, outputs, strict=True):
        if isinstance(step.shown, str):
            pattern = ".*".join(map(re.escape, step.shown.strip().split("…")))
            assert re.fullmatch(pattern, output.strip(), re.DOTALL), (step.shown, output)
        elif output.strip():
            answer = json.loads(output)
            assert "errors" not in answer, (step.commands, answer)
            assert step.shown is None or matches(step.shown, answer), (step.shown, answer)
        else:
            assert step.shown is None


def matches(shown: Any, answer: Any) -> bool:
    """Whether both are equal. An ellipsis in what is shown stands for any text or value."""
    if isinstance(shown, dict):
        return shown.keys() == answer.keys() and all(matches(shown[key], answer[key]) for key in shown)
    if isinstance(shown, list):
        return len(shown) == len(answer) and all(map(matches, shown, answer))
    if isinstance(shown, str) and "…" in shown:
        return shown == "…" or bool(re.fullmatch(re.escape(shown).replace("…", ".+"), answer))
    return bool(shown == answer)


def test_the_national_sdl_that_the_guide_writes_is_the_contract(demonstration: Demonstration, mongodb_uri: str) -> None:
    guide = ROOT / "docs" / "guides" / "agency-subgraph.md"
    [step] = [step for step in read_steps(guide) if "satugraf schema" in step.commands]
    demonstration.run([step], mongodb_uri)
    written = (demonstration.folder / "national.graphql").read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "schema.graphql").read_text(encoding="utf-8")


def test_every_setting_is_in_the_operators_table() -> None:
    text = (ROOT / "docs" / "guides" / "operator.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `SATUGRAF")]
    named = {name for row in rows for name in re.findall(r"SATUGRAF_\w+", row)}
    assert named == {f"SATUGRAF_{name.upper()}" for name in Settings.model_fields}


def test_the_readme_is_a_front_door() -> None:
    """It stays short: what a reader needs besides has a page of its own, and README leads to each."""
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    assert all(f"(docs/guides/{guide.name})" in text for guide in GUIDES)
