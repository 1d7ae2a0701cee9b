"""Routing: what the rules make of a complaint, and whether its chain of custody verifies."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from resolvers.agencies import reference
from resolvers.complaints import complaint as complaints
from resolvers.documents import DESK
from resolvers.domain import custody_chain, routing, topics
from resolvers.domain.affairs import Jurisdiction
from resolvers.domain.routing import Candidate, Matter, NamedAgency, Routing
from resolvers.domain.vocabulary import SupervisionGrade
from resolvers.errors import InvalidArgument, InvalidInput
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.store.database import Document


class Question(NamedTuple):
    """What a complaint says of where it belongs; ids as they were given."""

    title: str
    body: str
    category: str | None
    region: str | None
    named_agency: str | None
    confidential: bool = False


async def preview(context: RequestContext, question: Question) -> Document:
    """The candidates with their reasons, and the agency that the rules would hand it to by themselves, if any.

    Raises InvalidArgument for an id that is none, and for text that a submission would refuse.
    """
    try:
        for name, words, limit in (("title", question.title, text.MAX_TITLE), ("body", question.body, text.MAX_TEXT)):
            text.clean_required(words, name, at_most=limit)
        found = await routed(context, question)
    except InvalidInput as refused:
        raise InvalidArgument(str(refused)) from None
    rows = [candidate._asdict() for candidate in found.candidates]
    return {"candidates": rows, "decided": None if found.decided is None else found.decided.agency}


async def routed(context: RequestContext, question: Question) -> Routing:
    """What the rules say; in place of an agency that is not connected its custodian. Raises InvalidInput."""
    found = routing.route(await _matter(context, question))
    standing = {candidate.agency: await _standing_in(context, candidate) for candidate in found.candidates}
    decided = None if found.decided is None else standing[found.decided.agency]
    rows = {row.agency: row for row in reversed(standing.values())}
    return Routing(tuple(sorted(rows.values(), key=lambda row: -row.score)), decided)


async def _matter(context: RequestContext, question: Question) -> Matter:
    category = None if question.category is None else await reference.require_category(context, question.category)
    region = None if question.region is None else await reference.require_region(context, question.region, "region")
    government = None if region is None or region["government"] is None else region["government"]
    named = question.named_agency
    # Every category is asked for before the first is awaited: the loader reads them in one batch.
    loading = [context.loaders.category.load(code) for code in suggested(question)]
    return matter(
        question,
        category=category,
        government=None if government is None else await reference.require_agency(context, government, "region"),
        named=None if named is None else await reference.require_agency(context, named, "namedAgency"),
        suggested=[await one for one in loading],
    )


def suggested(question: Question) -> list[str]:
    """The categories that the text speaks of clearly."""
    found = topics.suggest_categories(_words(question))
    return [row.category for row in found[: routing.SUGGESTIONS] if row.score >= routing.CONTRADICTS]


def _words(question: Question) -> str:
    return topics.normalize_text(f"{question.title} {question.body}")


def matter(
    question: Question,
    *,
    category: Mapping[str, Any] | None,
    government: Mapping[str, Any] | None,
    named: Mapping[str, Any] | None,
    suggested: Iterable[Mapping[str, Any] | None],
) -> Matter:
    """What the rules look at, from the stored category, the government of the place, the agency named, and the
    categories that the text speaks of.
    """
    return Matter(
        words=_words(question),
        desk=DESK,
        category=question.category,
        protected=_protection((category, *suggested), question.confidential),
        place=None if government is None else Jurisdiction(government["_id"], government["province"]),
        named=None
        if named is None
        else NamedAgency(named["_id"], named["province"], governs=named["region"] is not None),
    )


def _protection(categories: Iterable[Mapping[str, Any] | None], confidential: bool) -> str | None:
    """Why people alone may route it; what the text speaks of protects it as what the reporter chose does."""
    if confidential:
        return "It is confidential: the national desk decides who may read it."
    for category in categories:
        if category is not None and category["sensitive"]:
            return f"{category['_id']} is sensitive: the national desk decides who may read it."
        if category is not None and category["defaultGrade"] == SupervisionGrade.SUPERVISORY:
            return f"{category['_id']} needs examination: the national desk decides who may read it."
    return None


async def _standing_in(context: RequestContext, candidate: Candidate) -> Candidate:
    holder = await reference.find_holding_agency(context, candidate.agency)
    if holder["_id"] == candidate.agency:
        return candidate
    reason = f"{candidate.reason} It is not connected: {holder['shortName']} holds it as custodian."
    return candidate._replace(agency=holder["_id"], reason=reason)


async def verify_chain(context: RequestContext, complaint_id: str, *, secret: str | None) -> Document | None:
    """The hashes computed anew, and whether the last link names the present holder; None for what the viewer may not
    know of.

    Raises InvalidArgument for a secret in a request whose text is kept in logs and histories.
    """
    complaint = await complaints.by_tracking_id(context, complaint_id, secret=secret)
    if complaint is None:
        return None
    links = complaint["forwardings"]
    broken = custody_chain.find_first_broken(links)
    if broken is None and links and links[-1]["to"] != complaint["holder"]:
        broken = len(links) + 1
    return {"valid": broken is None, "length": len(links), "firstInvalidSequence": broken}
