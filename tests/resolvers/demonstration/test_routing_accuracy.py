"""The routing rules' accuracy, as it is measured and as the docs say it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from resolvers.demonstration import routing_accuracy

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs" / "routing.md"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("filing", routing_accuracy.FILINGS)
def test_the_rules_are_seldom_wrong(filing: str, seed: int) -> None:
    outcome = routing_accuracy.measure_filing(routing_accuracy.FILINGS[filing], 1000, now=NOW, seed=seed)
    assert outcome.right + outcome.wrong + outcome.undecided == 1000
    assert outcome.wrong <= 10, filing


def test_most_of_what_is_filed_with_category_and_place_is_right_the_first_time() -> None:
    outcome = routing_accuracy.measure_filing(next(iter(routing_accuracy.FILINGS.values())), 2000, now=NOW, seed=3)
    assert outcome.right > 0.7 * 2000


def test_the_docs_print_what_is_measured() -> None:
    done = CliRunner().invoke(app, ["routing", "--complaints", "5000"])
    assert done.exit_code == 0
    assert done.stdout in DOCS.read_text(encoding="utf-8"), "run: satugraf routing --complaints 5000"
