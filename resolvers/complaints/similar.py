"""Look-alikes: the public complaints that share most, and the rarest, words with a text."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import region as regions
from resolvers.domain.vocabulary import ComplaintStatus
from resolvers.errors import InvalidArgument
from resolvers.personal_data.stems import list_stems
from resolvers.personal_data.text import MAX_TEXT
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, Document

MAX_FIRST: Final = 10
MAX_STEMS: Final = 12
PER_STEM: Final = 100
"""Newest complaints that are looked at for each word."""
NEARBY: Final = 300
"""Newest complaints of the region that are looked at, whatever their words."""

_ALL: Final = {"$in": sorted(ComplaintStatus)}


async def complaints(context: RequestContext, text: str, *, region: str | None, first: int | None) -> list[Document]:
    """The likest first; with a region, inside it. Work is bounded by the constants above, whatever the text.

    Raises InvalidArgument for a text that is too long, a region that does not exist, and more than ten.
    """
    wanted = 5 if first is None else first
    if not 1 <= wanted <= MAX_FIRST:
        raise InvalidArgument(f"first: {wanted} is not between 1 and {MAX_FIRST}.")
    if len(text) > MAX_TEXT:
        raise InvalidArgument(f"text has {len(text)} characters; at most {MAX_TEXT} are taken.")
    if region is not None and await regions.by_code(context, region) is None:
        raise InvalidArgument(f"There is no region {region!r}: see the query regions.")
    asked = list_stems(text)[:MAX_STEMS]
    if not asked:
        return []
    found = await _candidates(context, asked, _within(region))
    loaded = await asyncio.gather(*map(context.loaders.complaint.load, _ranked(found, asked)[:wanted]))
    return [row for row in loaded if row is not None and policy.may_know(context.viewer, row, context.proven)]


def _within(region: str | None) -> Document:
    if region is None:
        return {}
    return {"region" if "." in region else "province": region}


async def _candidates(context: RequestContext, asked: Sequence[str], within: Document) -> list[Document]:
    """Complaints with the words that they share. Unmarked words are those of published complaints alone."""
    shared: Document = {"shared": {"$setIntersection": ["$words", list(asked)]}}
    newest: Document = {"$sort": {"receivedAt": -1, "_id": -1}}
    kept = {"$project": {**shared, "receivedAt": True}}
    branches = [[{"$match": {"words": stem}}, newest, {"$limit": PER_STEM}] for stem in asked]
    branches = [[*branch, *([{"$match": within}] if within else []), kept] for branch in branches]
    first, *further = branches
    pipeline: list[Document] = [*first]
    pipeline += [{"$unionWith": {"coll": context.store.complaints.name, "pipeline": branch}} for branch in further]
    reading = [_all(context, pipeline)]
    if within:
        nearby = {"$match": {"readers": "public", "status": _ALL, **within}}
        reading.append(_all(context, [nearby, newest, {"$limit": NEARBY}, kept], hint=_index(within)))
    return list({row["_id"]: row for rows in await asyncio.gather(*reading) for row in rows}.values())


def _index(within: Document) -> str:
    return f"readers_{next(iter(within))}_status_receivedAt"


async def _all(context: RequestContext, pipeline: list[Document], **options: Any) -> list[Document]:
    found = context.store.complaints.aggregate(pipeline, maxTimeMS=MAX_TIME_MS, batchSize=10_000, **options)
    rows: list[Document] = await found.to_list(None)
    return rows


def _ranked(candidates: Sequence[Document], asked: Sequence[str]) -> list[str]:
    """By the weight of the shared words, rare ones weighing more, then the newest; one word in common is chance."""
    count = Counter(stem for row in candidates for stem in row["shared"])
    weight = {stem: log(1 + len(candidates) / found) for stem, found in count.items()}
    alike = [row for row in candidates if len(row["shared"]) >= min(2, len(asked))]
    alike.sort(key=lambda row: (sum(weight[stem] for stem in row["shared"]), row["receivedAt"], row["_id"]))
    return [row["_id"] for row in reversed(alike)]
