"""Who should hold a complaint: ordered rules over what it says, each with its certainty and its reason.

What no rule is certain enough of, people decide: `decided` is None below CERTAIN, wherever two rules disagree, and for
what is protected. Source: docs/routing.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from resolvers.domain import topics
from resolvers.domain.affairs import Jurisdiction, Level, find_affair, find_competent_agency

VERSION: Final = "2026.1"
"""Of the rules and their tables; a hand-over that they decide records it."""

CERTAIN: Final = 0.85
DOUBT: Final = 0.85
"""What each doubt leaves of a score: one is enough to leave the decision to people."""

CONTRADICTS: Final = 0.5
"""From this score on, a text that reads like another body's affair is a doubt."""

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
    """Its province's agency, where it is a regency or city."""
    governs: bool
    """Whether it is the government of a place."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What the rules look at."""

    words: str
    """Title and body, as `topics.normalized` gives them."""
    desk: str
    category: str | None = None
    protected: str | None = None
    """Why people alone may route it, as a sentence; None where the rules may."""
    place: Jurisdiction | None = None
    named: NamedAgency | None = None


class Candidate(NamedTuple):
    agency: str
    score: float
    reason: str
    rule: RuleId
    category: str | None = None
    """Whose affair it was found to be, where a category was."""


class Routing(NamedTuple):
    candidates: tuple[Candidate, ...]
    """Best first; the national desk is always among them."""
    decided: Candidate | None
    """The candidate that a rule is certain enough of to route to by itself."""


Propose = Callable[[Matter], Iterable[Candidate]]


class RoutingRule(NamedTuple):
    id: RuleId
    propose: Propose
    stops: bool = False
    """Whether its candidates leave the decision to people, however certain the rules below it are."""


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
    """To the superior of whom it is about: the province of a regency, the desk for others, the Ombudsman for it."""
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
    """Whether the category is the named agency's affair; a place given as a province covers its regencies."""
    found = find_affair(category, matter.words)
    if found is None or named is None:
        return False
    answering = find_competent_agency(found, matter.place)
    if answering is None:
        return named.governs and matter.place is None
    whole_province = matter.place is not None and matter.place.province is None
    return named.agency == answering or (whole_province and found.body is None and named.province == answering)


def _propose_competent(matter: Matter) -> Iterator[Candidate]:
    """By the table of affairs: of the rule AFFAIRS or VERTICAL_BODY, as the row says."""
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
    # A province's own place does not say which of its regencies is meant.
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
    """The candidates of every rule in order, an agency once, and the one that is certain enough, if any."""
    best: dict[str, Candidate] = {}
    stopped = False
    for rule in RULES:
        found = [candidate for candidate in rule.propose(matter) if candidate.rule is rule.id]
        stopped = stopped or (rule.stops and bool(found))
        for candidate in found:
            known = best.get(candidate.agency)
            if known is None or known.score < candidate.score:
                best[candidate.agency] = candidate
    doubted = [_apply_doubts(matter, candidate) for candidate in best.values()]
    candidates = tuple(sorted(doubted, key=lambda candidate: -candidate.score))
    return Routing(candidates, None if stopped else _find_certain(candidates, matter.desk))


def _apply_doubts(matter: Matter, candidate: Candidate) -> Candidate:
    """A score less for each doubt; rules that stop are not doubted."""
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
    """The first where it is certain enough and nobody else nearly is."""
    certain = [candidate for candidate in candidates if candidate.score >= CERTAIN and candidate.agency != desk]
    return certain[0] if len(certain) == 1 else None
