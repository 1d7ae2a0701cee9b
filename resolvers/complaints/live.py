"""Live: changes of complaints to subscribers who may see them, each as they may read it then."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, NamedTuple

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.complaints import complaint_list
from resolvers.complaints.transition import prove
from resolvers.domain import tracking_id
from resolvers.errors import Forbidden, InvalidArgument, NotLive, NotReadable, ReadAnew
from resolvers.request.context import RequestContext
from resolvers.store import matching
from resolvers.store.change_window import Position
from resolvers.store.database import MAX_TIME_MS, Document
from resolvers.store.fan_out import FanOut, Subscriber

POST_ONLY: Final = "A secret is not taken in a GET request, where logs and histories keep it: use POST."
TOLD: Final = 256
"""So many complaints' revisions a subscription remembers, not to tell one twice."""
REPLAYED_AT_ONCE: Final = 100
BEGIN_SECONDS: Final = 5.0

_DECIDING: Final = frozenset(policy.KEYS) | {"_id", "revision"}
_POSITION: Final = re.compile("[0-9a-f]{16}")


async def complaint_changed(
    context: RequestContext, text: str, *, secret: str | None, keys: frozenset[str]
) -> AsyncGenerator[Document, None]:
    """The complaint as it is, and after each change; a valid secret makes the caller its reporter.

    Raises NotReadable, at once or later, as soon as there is none that the viewer may know of.
    """
    if secret is not None and not context.takes_secrets:
        raise InvalidArgument(POST_ONLY)
    complaint_id = tracking_id.parse_id(text)
    if complaint_id is None:
        raise _not_readable()
    live, read = await _begun(context), keys | _DECIDING
    with live.subscribe(read, complaint=complaint_id) as subscriber:
        found = await context.loaders.complaint.load(complaint_id, read | {"secretHash"})
        if found is not None:
            prove(context, found, secret)
        told = _Told()
        position, document = live.position(), found
        while True:
            if document is None or not policy.may_know(context.viewer, document, context.proven):
                raise _not_readable()
            if told.is_new(document):
                context.renew(position)
                yield document
            event = await subscriber.next()
            position, document = event.position, event.document


async def agency_inbox(
    context: RequestContext, agency_id: str, filter: Mapping[str, Any], *, keys: frozenset[str]
) -> AsyncGenerator[Document, None]:
    """What the agency holds, whenever it changes, and once more what it has handed on; `filter` is ComplaintFilter's.

    Begins with what has changed since `context.position`, where the client names one. Raises Forbidden, ReadAnew, and
    InvalidArgument for an agency that there is not and for what the filter does not take.
    """
    # Whether it is overdue depends on the clock, and is asked again for each event.
    overdue = filter.get("overdue")
    queries = complaint_list.queries(context, {key: value for key, value in filter.items() if key != "overdue"})
    read = keys.union(_DECIDING, {"nextDueAt"}, *map(matching.collect_keys, queries))
    live, told = await _begun(context), _Told()
    with live.subscribe(read, agency=agency_id) as subscriber:
        await _check_inbox(context, agency_id)

        def is_wanted(document: Document) -> bool:
            if not told.is_new(document) or not policy.may_know(context.viewer, document, context.proven):
                return False
            if overdue is not None and (document["nextDueAt"] < context.now) != overdue:
                return False
            return any(matching.matches(query, document) for query in queries)

        async for position, document in _events(context, live, subscriber, agency_id, read):
            context.renew(position)
            if is_wanted(document):
                yield document


async def _events(
    context: RequestContext, live: FanOut, subscriber: Subscriber, agency_id: str, keys: frozenset[str]
) -> AsyncGenerator[tuple[Position, Document], None]:
    """Those that the client has missed, then those that come."""
    changed = _missed(live, context.position)
    ids = list(changed)
    for start in range(0, len(ids), REPLAYED_AT_ONCE):
        asked = {"_id": {"$in": ids[start : start + REPLAYED_AT_ONCE]}, "holders": agency_id}
        found = context.store.complaints.find(asked, dict.fromkeys(keys | {"holders"}, True), max_time_ms=MAX_TIME_MS)
        by_id = {row["_id"]: row for row in await found.to_list(REPLAYED_AT_ONCE)}
        for complaint_id in ids[start : start + REPLAYED_AT_ONCE]:
            document = by_id.get(complaint_id)
            if document is not None and (document["holder"] == agency_id or changed[complaint_id].has_moved):
                yield changed[complaint_id].position, document
    while True:
        event = await subscriber.next()
        if event.document is not None:
            yield event.position, event.document


class _Missed(NamedTuple):
    position: Position
    has_moved: bool


def _missed(live: FanOut, position: Position | None) -> dict[str, _Missed]:
    """The complaints that have changed since, in the order of their last changes."""
    if position is None:
        return {}
    if _POSITION.fullmatch(position) is None:
        raise InvalidArgument("The position is none that an event came with.")
    changes = live.changes_since(position)
    if changes is None:
        raise ReadAnew("What has changed since that position is not known any more: read the state anew.")
    missed: dict[str, _Missed] = {}
    for change in changes:
        before = missed.pop(change.document_id, None)
        has_moved = change.holder is not None or (before is not None and before.has_moved)
        missed[change.document_id] = _Missed(change.position, has_moved)
    return missed


class _Told:
    """The last revisions that went out: a change that was told with the one before it is not told again."""

    def __init__(self) -> None:
        self._revisions: dict[str, int] = {}

    def is_new(self, document: Document) -> bool:
        complaint_id, revision = document["_id"], document["revision"]
        known = self._revisions.pop(complaint_id, -1)
        if len(self._revisions) >= TOLD:
            del self._revisions[next(iter(self._revisions))]
        self._revisions[complaint_id] = max(known, revision)
        return bool(revision > known)


async def _check_inbox(context: RequestContext, agency_id: str) -> None:
    agency = await agencies.by_id(context, agency_id)
    if agency is None:
        raise InvalidArgument(f"There is no agency {agency_id!r}: see the query agencies.")
    if not policy.may_watch_inbox(context.viewer, agency):
        raise Forbidden(f"The inbox of {agency_id} is for its staff, its province's coordinator and overseers.")


async def _begun(context: RequestContext) -> FanOut:
    """The process's stream; waits for it where the process has only just started."""
    if context.live is not None:
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                await context.live.wait_until_begun()
        except TimeoutError:
            pass
        else:
            return context.live
    raise NotLive("Changes cannot be followed here now: try again.")


def _not_readable() -> NotReadable:
    return NotReadable("There is no such complaint, or it is not yours to see.")
