"""docs/lifecycle.md shows the state machine that the code uses."""

from pathlib import Path

from resolvers.domain import diagram
from resolvers.domain.lifecycle import TRANSITIONS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text(encoding="utf-8")


def test_the_documented_diagram_and_table_are_those_of_the_code() -> None:
    assert f"```mermaid\n{diagram.render_mermaid()}\n```" in DOCUMENT
    assert diagram.render_table() in DOCUMENT


def test_every_row_is_drawn_or_told() -> None:
    drawn, told = diagram.render_mermaid(), diagram.render_table()
    for row in TRANSITIONS:
        assert row.source is row.target or f"{row.source} --> {row.target}: " in drawn
        assert f"| {row.action} |" in told
        assert row.guard is None or row.guard.__doc__
