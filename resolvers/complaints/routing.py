"""Applies the routing rules to a complaint, and verifies its chain of custody."""

from collections.abc import Iterable
from typing import NamedTuple

from resolvers.agencies import reference
from resolvers.complaints import complaint as complaints
from resolvers.documents import DESK, AgencyDoc, CategoryDoc
from resolvers.domain import custody_chain, routing, topics
from resolvers.domain.affairs import Jurisdiction
from resolvers.domain.routing import Candidate, Matter, NamedAgency, Routing
from resolvers.domain.vocabulary import SupervisionGrade
from resolvers.errors import InvalidArgument, InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.results import ChainVerificationResult, RoutingCandidateResult, RoutingPreviewResult


class Question(NamedTuple):
    """The parts of a complaint that say where it belongs; ids are not checked."""

    title: str
    body: str
    category: str | None
    region: str | None
    named_agency: str | None
    confidential: bool = False


async def preview(context: RequestContext, question: Question) -> RoutingPreviewResult:
    """Return the candidates with their reasons, and the agency that the rules would choose without a person, if any.

    Raises InvalidArgument for an unknown id, and for text that a submission would refuse.
    """
    try:
        for name, words, limit in (("title", question.title, text.MAX_TITLE), ("body", question.body, text.MAX_TEXT)):
            text.clean_required(words, name, at_most=limit)
        result = await route_complaint(context, question)
    except InvalidInput as refused:
        raise InvalidArgument(str(refused)) from None
    candidates: list[RoutingCandidateResult] = [
        {"agency": row.agency, "score": row.score, "reason": row.reason, "rule": row.rule} for row in result.candidates
    ]
    return {"candidates": candidates, "decided": None if result.decided is None else result.decided.agency}


async def route_complaint(context: RequestContext, question: Question) -> Routing:
    """Return the rules' candidates, best first, each that is not connected replaced by its custodian.

    Raises InvalidInput for an unknown id.
    """
    result = routing.route(await _load_matter(context, question))
    by_agency = {candidate.agency: await _replace_by_custodian(context, candidate) for candidate in result.candidates}
    decided = None if result.decided is None else by_agency[result.decided.agency]
    # Two candidates may have the same custodian: the better one, which comes first, overwrites the other.
    rows = {row.agency: row for row in reversed(by_agency.values())}
    return Routing(tuple(sorted(rows.values(), key=lambda row: -row.score)), decided)


async def _load_matter(context: RequestContext, question: Question) -> Matter:
    category = None if question.category is None else await reference.require_category(context, question.category)
    region = None if question.region is None else await reference.require_region(context, question.region, "region")
    government = None if region is None or region["government"] is None else region["government"]
    named = question.named_agency
    # All categories are asked for before the first is awaited, so that the loader reads them with one command.
    loading = [context.loaders.category.load(code) for code in suggest_categories(question)]
    return build_matter(
        question,
        category=category,
        government=None if government is None else await reference.require_agency(context, government, "region"),
        named=None if named is None else await reference.require_agency(context, named, "namedAgency"),
        suggested=[await one for one in loading],
    )


def suggest_categories(question: Question) -> list[str]:
    """Return the codes of the categories that the text clearly speaks of."""
    suggestions = topics.suggest_categories(_normalize_words(question))
    return [row.category for row in suggestions[: routing.SUGGESTIONS] if row.score >= routing.CONTRADICTS]


def _normalize_words(question: Question) -> str:
    return topics.normalize_text(f"{question.title} {question.body}")


def build_matter(
    question: Question,
    *,
    category: CategoryDoc | None,
    government: AgencyDoc | None,
    named: AgencyDoc | None,
    suggested: Iterable[CategoryDoc | None],
) -> Matter:
    """Return what the rules look at.

    `government` governs the complaint's region, `named` is the agency that the reporter named, `suggested` are the
    categories that the text speaks of.
    """
    return Matter(
        words=_normalize_words(question),
        desk=DESK,
        category=question.category,
        protected=_find_protection((category, *suggested), question.confidential),
        place=None if government is None else Jurisdiction(government["_id"], government["province"]),
        named=None
        if named is None
        else NamedAgency(named["_id"], named["province"], governs=named["region"] is not None),
    )


def _find_protection(categories: Iterable[CategoryDoc | None], confidential: bool) -> str | None:
    """Return the reason why only a person may route the complaint, if there is one.

    A category that the text speaks of protects it like the category that the reporter chose.
    """
    if confidential:
        return "It is confidential: the national desk decides who may read it."
    for category in categories:
        if category is not None and category["sensitive"]:
            return f"{category['_id']} is sensitive: the national desk decides who may read it."
        if category is not None and category["defaultGrade"] == SupervisionGrade.SUPERVISORY:
            return f"{category['_id']} needs examination: the national desk decides who may read it."
    return None


async def _replace_by_custodian(context: RequestContext, candidate: Candidate) -> Candidate:
    holder = await reference.find_holding_agency(context, candidate.agency)
    if holder["_id"] == candidate.agency:
        return candidate
    reason = f"{candidate.reason} It is not connected: {holder['shortName']} holds it as custodian."
    return candidate._replace(agency=holder["_id"], reason=reason)


async def verify_chain(
    context: RequestContext, complaint_id: str, *, secret: str | None
) -> ChainVerificationResult | None:
    """Compute the hashes again, and check that the last link names the present holder.

    None if the viewer may not know of the complaint. Raises InvalidArgument for a secret in a GET request.
    """
    complaint = await complaints.by_tracking_id(context, complaint_id, secret=secret)
    if complaint is None:
        return None
    links = complaint["forwardings"]
    broken = custody_chain.find_first_broken(links)
    if broken is None and links and links[-1]["to"] != complaint["holder"]:
        broken = len(links) + 1
    return {"valid": broken is None, "length": len(links), "firstInvalidSequence": broken}
