"""Routing rules: which agency should hold a complaint, from its text, category, place and the agency that it names.

Each rule proposes candidates with a score and a reason. People decide (`Routing.decided` is None) when no score reaches
CERTAIN, when two agencies reach it, and when the complaint is protected. Source: docs/routing.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from resolvers.domain import topics
from resolvers.domain.affairs import Jurisdiction, Level, find_affair, find_competent_agency

VERSION: Final = "2026.1"
"""The version of the rules and their tables. A hand-over that a rule decides records it."""

CERTAIN: Final = 0.85
DOUBT: Final = 0.85
"""The factor that each doubt applies to a score. One doubt is enough to leave the decision to people."""

CONTRADICTS: Final = 0.5
"""The score of a text from which it counts as a doubt that it reads like the affair of another body."""

SUGGESTIONS: Final = 3
OMBUDSMAN: Final = "ombudsman"


class RuleId(StrEnum):
    PROTECTED = "PROTECTED"
    CONFLICT_OF_INTEREST = "CONFLICT_OF_INTEREST"
    NAMED_AGENCY = "NAMED_AGENCY"
    AFFAIRS = "AFFAIRS"
    VERTICAL_BODY = "VERTICAL_BODY"
    TEXT = "TEXT"
    NATIONAL_DESK = "NATIONAL_DESK"


class NamedAgency(NamedTuple):
    """The agency that the reporter named."""

    agency: str
    province: str | None
    """The agency of its province when it is a regency or city."""
    governs: bool
    """Whether the agency is the government of a place."""


@dataclass(frozen=True, slots=True)
class Matter:
    """The facts about a complaint that the rules decide on."""

    words: str
    """Title and body after `topics.normalize_text`."""
    desk: str
    category: str | None = None
    protected: str | None = None
    """The sentence that says why only people may route it; None when the rules may."""
    place: Jurisdiction | None = None
    named: NamedAgency | None = None


class Candidate(NamedTuple):
    agency: str
    score: float
    reason: str
    rule: RuleId
    category: str | None = None
    """The category by which the agency was found, if any."""


class Routing(NamedTuple):
    candidates: tuple[Candidate, ...]
    """Best first. The national desk is always one of them."""
    decided: Candidate | None
    """The candidate to which the system may route the complaint by itself, or None."""


Propose = Callable[[Matter], Iterable[Candidate]]


class RoutingRule(NamedTuple):
    id: RuleId
    propose: Propose
    stops: bool = False
    """Whether its candidates leave the decision to people, even when a later rule is certain."""


_MISCONDUCT: Final = (
    "pungli",
    "pungutan liar",
    "suap",
    "korupsi",
    "oknum",
    "calo",
    "diminta uang",
    "tanpa kuitansi",
    "inspektorat",
)


def _propose_protected(matter: Matter) -> Iterator[Candidate]:
    if matter.protected is not None:
        yield Candidate(matter.desk, 1.0, matter.protected, RuleId.PROTECTED)


def _propose_superior(matter: Matter) -> Iterator[Candidate]:
    """Propose the superior of the accused agency.

    A regency's superior is its province, the superior of any other agency is the desk, and the desk's is the Ombudsman.
    """
    if not any(f" {word} " in matter.words for word in _MISCONDUCT):
        return
    accused = _find_accused(matter)
    superior = matter.desk if accused is None else accused.province or matter.desk
    if accused is not None and accused.government == superior:
        superior = OMBUDSMAN
    reason = "The text speaks of officials' conduct: it goes to the superior, never to the agency complained of alone."
    yield Candidate(superior, 0.8, reason, RuleId.CONFLICT_OF_INTEREST)


def _find_accused(matter: Matter) -> Jurisdiction | None:
    if matter.named is not None:
        return Jurisdiction(matter.named.agency, matter.named.province)
    return matter.place


def _propose_named(matter: Matter) -> Iterator[Candidate]:
    named = matter.named
    if named is None:
        return
    if matter.category is None:
        yield Candidate(
            named.agency, 0.6, "The reporter names this agency; no category says more.", RuleId.NAMED_AGENCY
        )
    elif is_competent(named, matter.category, matter):
        reason = "The reporter names this agency, and it answers for this category at this place."
        yield Candidate(named.agency, 0.97, reason, RuleId.NAMED_AGENCY, matter.category)


def is_competent(named: NamedAgency | None, category: str, matter: Matter) -> bool:
    """Whether the named agency answers for the category. A place that is a province covers its regencies."""
    found = find_affair(category, matter.words)
    if found is None or named is None:
        return False
    answering = find_competent_agency(found, matter.place)
    if answering is None:
        return named.governs and matter.place is None
    whole_province = matter.place is not None and matter.place.province is None
    return named.agency == answering or (whole_province and found.body is None and named.province == answering)


def _propose_competent(matter: Matter) -> Iterator[Candidate]:
    """Propose by the table of affairs, under the rule AFFAIRS or VERTICAL_BODY, whichever the row belongs to."""
    yield from _propose_by_category(matter, matter.category, 1.0, None)


def _propose_by_text(matter: Matter) -> Iterator[Candidate]:
    if matter.category is None:
        for suggestion in topics.suggest_categories(matter.words)[:SUGGESTIONS]:
            yield from _propose_by_category(matter, suggestion.category, suggestion.score, RuleId.TEXT)


def _propose_by_category(
    matter: Matter, category: str | None, ceiling: float, rule: RuleId | None
) -> Iterator[Candidate]:
    found = None if category is None else find_affair(category, matter.words)
    answering = None if found is None else find_competent_agency(found, matter.place)
    if found is None or answering is None:
        return
    # A place that is a whole province does not say which of its regencies is meant.
    coarse = found.body is None and matter.place is not None and matter.place.province is None
    score = min(ceiling, found.certainty, 0.6 if coarse else 1.0)
    reason = f"{category} is the affair of {_WHOSE[found.level]}."
    if rule is RuleId.TEXT:
        reason = f"The text reads like {reason}"
    tabled = RuleId.VERTICAL_BODY if found.level is Level.VERTICAL else RuleId.AFFAIRS
    yield Candidate(answering, round(score, 2), reason, rule or tabled, category)


_WHOSE: Final = {
    Level.LOCAL: "the government of the place",
    Level.PROVINCE: "the province",
    Level.NATIONAL: "a national body",
    Level.VERTICAL: "a national body with offices in the regions",
}


def _propose_desk(matter: Matter) -> Iterator[Candidate]:
    yield Candidate(matter.desk, 0.0, "The national desk decides what no rule is certain of.", RuleId.NATIONAL_DESK)


RULES: Final = (
    RoutingRule(RuleId.PROTECTED, _propose_protected, stops=True),
    RoutingRule(RuleId.CONFLICT_OF_INTEREST, _propose_superior, stops=True),
    RoutingRule(RuleId.NAMED_AGENCY, _propose_named),
    RoutingRule(RuleId.AFFAIRS, _propose_competent),
    RoutingRule(RuleId.VERTICAL_BODY, _propose_competent),
    RoutingRule(RuleId.TEXT, _propose_by_text),
    RoutingRule(RuleId.NATIONAL_DESK, _propose_desk),
)


def route(matter: Matter) -> Routing:
    """Collect the candidates of all rules, each agency once with its best score, and the certain one, if any."""
    best: dict[str, Candidate] = {}
    stopped = False
    for rule in RULES:
        found = [candidate for candidate in rule.propose(matter) if candidate.rule is rule.id]
        # A rule that stops does not end the loop: people still see the candidates of the later rules.
        stopped = stopped or (rule.stops and bool(found))
        for candidate in found:
            known = best.get(candidate.agency)
            if known is None or known.score < candidate.score:
                best[candidate.agency] = candidate
    doubted = [_apply_doubts(matter, candidate) for candidate in best.values()]
    candidates = tuple(sorted(doubted, key=lambda candidate: -candidate.score))
    return Routing(candidates, None if stopped else _find_certain(candidates, matter.desk))


def _apply_doubts(matter: Matter, candidate: Candidate) -> Candidate:
    """Lower the score for each doubt and add the doubts to the reason. Rules that stop are not doubted."""
    if candidate.rule in (RuleId.PROTECTED, RuleId.CONFLICT_OF_INTEREST, RuleId.NATIONAL_DESK):
        return candidate
    doubts = list(_find_doubts(matter, candidate))
    score = round(candidate.score * DOUBT ** len(doubts), 2)
    return candidate._replace(score=score, reason=" ".join((candidate.reason, *doubts)))


def _find_doubts(matter: Matter, candidate: Candidate) -> Iterator[str]:
    if matter.named is not None and matter.named.agency != candidate.agency:
        yield "But the reporter names another agency."
    if matter.category is None:
        return
    spoken = topics.suggest_categories(matter.words)[:1]
    if not spoken or spoken[0].score < CONTRADICTS:
        return
    named_for_it = candidate.rule is RuleId.NAMED_AGENCY and is_competent(matter.named, spoken[0].category, matter)
    found = find_affair(spoken[0].category, matter.words)
    if (
        found is not None
        and not named_for_it
        and find_competent_agency(found, matter.place) not in (None, candidate.agency)
    ):
        yield f"But the text reads like {spoken[0].category}."


def _find_certain(candidates: Sequence[Candidate], desk: str) -> Candidate | None:
    """Return the only candidate, other than the desk, that reaches CERTAIN; None when there are several or none."""
    certain = [candidate for candidate in candidates if candidate.score >= CERTAIN and candidate.agency != desk]
    return certain[0] if len(certain) == 1 else None
