"""Measures how often the routing rules are right, on synthetic complaints whose competent agency is known."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from resolvers.complaints.routing import Question, build_matter, suggest_categories
from resolvers.demonstration import synthetic
from resolvers.documents import ComplaintDoc, apply_changes
from resolvers.domain import routing
from resolvers.domain.routing import RuleId
from resolvers.store import register


class FilingOutcome(NamedTuple):
    """The number of right, wrong and undecided complaints of one way of filing."""

    right: int
    wrong: int
    undecided: int
    by_rule: Mapping[RuleId, tuple[int, int, int]]
    """Right, wrong and undecided, by the rule of the decided candidate, or else of the best."""


Filing = Callable[[ComplaintDoc, random.Random], ComplaintDoc]


def _keep_filing(filed: ComplaintDoc, chance: random.Random) -> ComplaintDoc:
    return filed


def _name_nobody(filed: ComplaintDoc, chance: random.Random) -> ComplaintDoc:
    return apply_changes(filed, {"namedAgency": None})


def _leave_text_alone(filed: ComplaintDoc, chance: random.Random) -> ComplaintDoc:
    return apply_changes(filed, {"namedAgency": None, "category": None})


def _name_any_agency(filed: ComplaintDoc, chance: random.Random) -> ComplaintDoc:
    return apply_changes(filed, {"namedAgency": chance.choice(register.agencies())["_id"]})


def _replace_category(filed: ComplaintDoc, chance: random.Random) -> ComplaintDoc:
    return apply_changes(filed, {"category": chance.choice(register.categories())["_id"], "namedAgency": None})


FILINGS: Final[Mapping[str, Filing]] = {
    "with category and place, 80 % naming the agency": _keep_filing,
    "with category and place, naming nobody": _name_nobody,
    "with place and text alone": _leave_text_alone,
    "naming an agency at random": _name_any_agency,
    "with a category at random, naming nobody": _replace_category,
}


def measure_filing(filing: Filing, count: int, *, now: datetime, seed: int) -> FilingOutcome:
    """Measure `count` complaints; the same arguments give the same outcome."""
    chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
    counted: Counter[tuple[RuleId, int]] = Counter()
    for filed, target in synthetic.generate_labelled(count, now=now, seed=seed):
        found = _route(filing(filed, chance))
        verdict = 2 if found.decided is None else int(found.decided.agency != target)
        counted[(found.decided or found.candidates[0]).rule, verdict] += 1
    by_rule = {rule: (counted[rule, 0], counted[rule, 1], counted[rule, 2]) for rule in RuleId}
    right, wrong, undecided = (sum(row[verdict] for row in by_rule.values()) for verdict in range(3))
    return FilingOutcome(right, wrong, undecided, by_rule)


_AGENCY: Final = {agency["_id"]: agency for agency in register.agencies()}
_CATEGORY: Final = {category["_id"]: category for category in register.categories()}
_GOVERNMENT: Final = {region["_id"]: _AGENCY[region["government"] or ""] for region in register.regions()}


def _route(filed: ComplaintDoc) -> routing.Routing:
    question = Question(filed["title"], filed["body"], filed["category"], filed["region"], filed["namedAgency"])
    return routing.route(
        build_matter(
            question,
            category=_CATEGORY.get(filed["category"] or ""),
            government=_GOVERNMENT[filed["region"] or ""],
            named=_AGENCY.get(filed["namedAgency"] or ""),
            suggested=[_CATEGORY[code] for code in suggest_categories(question)],
        )
    )


def render_table(count: int, *, now: datetime, seed: int) -> Iterator[str]:
    """Yield the outcomes as lines of a Markdown table: shares of all complaints, for each filing and each rule."""
    for name, filing in FILINGS.items():
        outcome = measure_filing(filing, count, now=now, seed=seed)
        yield f"| {name} | {_format_shares((outcome.right, outcome.wrong, outcome.undecided), count)} |"
        for rule, row in outcome.by_rule.items():
            if any(row):
                yield f"| &nbsp;&nbsp;{rule} | {_format_shares(row, count)} |"


def _format_shares(row: tuple[int, ...], count: int) -> str:
    return " | ".join(f"{100 * part / count:.1f} %" for part in row)
