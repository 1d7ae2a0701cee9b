"""Finds public complaints that resemble a text: those that share most words with it, rare words weighing more.

The weight of a word is its inverse frequency among the candidates, log(1 + candidates / candidates with the word).
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import region as regions
from resolvers.documents import ComplaintDoc, Document, Filter, Pipeline
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.errors import InvalidArgument
from resolvers.personal_data.stems import list_stems
from resolvers.personal_data.text import MAX_TEXT
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, Collection

MAX_FIRST: Final = 10
MAX_STEMS: Final = 12
PER_STEM: Final = 100
"""How many complaints with each word are candidates, newest first."""
NEARBY: Final = 300
"""How many complaints of the region are candidates with any words, newest first."""

_ALL: Final = {"$in": sorted(ComplaintStatus)}


async def find_similar(
    context: RequestContext, text: str, *, region: str | None, first: int | None
) -> list[ComplaintDoc]:
    """Return the `first` most similar complaints, best first; with a region, those inside it.

    The constants above bound the work for any text.
    Raises InvalidArgument for a text that is too long, an unknown region, and more than MAX_FIRST complaints.
    """
    count = 5 if first is None else first
    if not 1 <= count <= MAX_FIRST:
        raise InvalidArgument(f"first: {count} is not between 1 and {MAX_FIRST}.")
    if len(text) > MAX_TEXT:
        raise InvalidArgument(f"text has {len(text)} characters; at most {MAX_TEXT} are taken.")
    if region is not None and await regions.by_code(context, region) is None:
        raise InvalidArgument(f"There is no region {region!r}: see the query regions.")
    words = list_stems(text)[:MAX_STEMS]
    if not words:
        return []
    candidates = await _find_candidates(context, words, _filter_by_region(region))
    loaded = await asyncio.gather(*map(context.loaders.complaint.load, _rank(candidates, words)[:count]))
    return [row for row in loaded if row is not None and policy.may_know(context.viewer, row, context.proven)]


def _filter_by_region(region: str | None) -> Filter:
    if region is None:
        return {}
    return {"region" if "." in region else "province": region}


async def _find_candidates(context: RequestContext, words: Sequence[str], within: Filter) -> list[Document]:
    """Return `_id`, `receivedAt` and the `shared` words of complaints that have one of the words, or are near.

    Only published complaints store words without a mark (domain/search_words.py), so that no other can match.
    """
    shared: Document = {"shared": {"$setIntersection": ["$words", list(words)]}}
    newest: Document = {"$sort": {"receivedAt": -1, "_id": -1}}
    kept = {"$project": {**shared, "receivedAt": True}}
    branches = [[{"$match": {"words": stem}}, newest, {"$limit": PER_STEM}] for stem in words]
    branches = [[*branch, *([{"$match": within}] if within else []), kept] for branch in branches]
    first, *further = branches
    pipeline: Pipeline = [*first]
    pipeline += [{"$unionWith": {"coll": context.store.complaints.name, "pipeline": branch}} for branch in further]
    reading = [_run_pipeline(context, pipeline)]
    if within:
        nearby = {"$match": {"readers": "public", "status": _ALL, **within}}
        reading.append(_run_pipeline(context, [nearby, newest, {"$limit": NEARBY}, kept], hint=_choose_index(within)))
    return list({row["_id"]: row for rows in await asyncio.gather(*reading) for row in rows}.values())


def _choose_index(within: Filter) -> str:
    return f"readers_{next(iter(within))}_status_receivedAt"


async def _run_pipeline(context: RequestContext, pipeline: Pipeline, **options: Any) -> list[Document]:
    complaints: Collection[Any] = context.store.complaints
    found = complaints.aggregate(pipeline, maxTimeMS=MAX_TIME_MS, batchSize=10_000, **options)
    rows: list[Document] = await found.to_list(None)
    return rows


def _rank(candidates: Sequence[Document], words: Sequence[str]) -> list[str]:
    """Return the ids by the weight of the shared words, then newest first.

    A complaint that shares a single word is left out, unless the text has only one: one word in common is chance.
    """
    count = Counter(stem for row in candidates for stem in row["shared"])
    weight = {stem: log(1 + len(candidates) / frequency) for stem, frequency in count.items()}
    alike = [row for row in candidates if len(row["shared"]) >= min(2, len(words))]
    alike.sort(key=lambda row: (sum(weight[stem] for stem in row["shared"]), row["receivedAt"], row["_id"]))
    return [row["_id"] for row in reversed(alike)]
