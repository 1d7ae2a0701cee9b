"""docs/lifecycle.md shows the state machine that the code uses."""

import re
import subprocess
import sys
from pathlib import Path

from resolvers.domain import diagram
from resolvers.domain.lifecycle import TRANSITIONS

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")


def test_the_documented_diagram_and_table_are_those_of_the_code() -> None:
    assert f"```mermaid\n{diagram.render_mermaid()}\n```" in DOCUMENT
    assert diagram.render_table() in DOCUMENT


def test_the_command_in_the_document_prints_both() -> None:
    [command] = re.findall(r"^\.venv/bin/python -c '(.*)'$", DOCUMENT, re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{diagram.render_mermaid()}\n{diagram.render_table()}\n"


def test_every_row_is_drawn_or_told() -> None:
    drawn, told = diagram.render_mermaid(), diagram.render_table()
    for row in TRANSITIONS:
        assert row.source is row.target or f"{row.source} --> {row.target}: " in drawn
        assert f"| {row.action} |" in told
        assert row.guard is None or row.guard.__doc__
