"""Subscriptions: changes of complaints, sent to the subscribers who may see them.

The executor reads the yielded document with the subscriber's rights at that moment (`RequestContext.renew`).
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, NamedTuple

from resolvers import policy
from resolvers.agencies import agency as agencies
from resolvers.complaints import complaint_list
from resolvers.complaints.transition import prove_reporter
from resolvers.documents import ComplaintDoc, Filter
from resolvers.domain import tracking_id
from resolvers.errors import Forbidden, InvalidArgument, NotLive, NotReadable, ReadAnew
from resolvers.request.context import RequestContext
from resolvers.store import matching
from resolvers.store.change_window import Position
from resolvers.store.database import MAX_TIME_MS
from resolvers.store.fan_out import FanOut, Subscriber

POST_ONLY: Final = "A secret is not taken in a GET request, where logs and histories keep it: use POST."
REMEMBERED_COMPLAINTS: Final = 256
"""For how many complaints a subscription remembers the revision that it sent last, so as not to send it twice."""
REPLAYED_AT_ONCE: Final = 100
"""Complaints that one command reads when a client resumes."""
BEGIN_SECONDS: Final = 5.0
"""How long a subscription waits for the stream of a process that has just started."""

_DECIDING: Final = frozenset(policy.KEYS) | {"_id", "revision"}
_POSITION: Final = re.compile("[0-9a-f]{16}")


async def watch_complaint(
    context: RequestContext, text: str, *, secret: str | None, keys: frozenset[str]
) -> AsyncGenerator[ComplaintDoc, None]:
    """Yield the complaint as it is, then after each change; a valid secret makes the caller its reporter.

    Raises NotReadable, at once or later, when the viewer may not know of the complaint or it is gone.
    """
    if secret is not None and not context.takes_secrets:
        raise InvalidArgument(POST_ONLY)
    complaint_id = tracking_id.parse_id(text)
    if complaint_id is None:
        raise _build_not_readable()
    live, read = await _await_stream(context), keys | _DECIDING
    # Subscribed before the first read: no change can fall between the two.
    with live.subscribe(read, complaint=complaint_id) as subscriber:
        document = await context.loaders.complaint.load(complaint_id, read | {"secretHash"})
        if document is not None:
            prove_reporter(context, document, secret)
        sent = _SentRevisions()
        position = live.position()
        while True:
            if document is None or not policy.may_know(context.viewer, document, context.proven):
                raise _build_not_readable()
            if sent.is_new(document):
                context.renew(position)
                yield document
            event = await subscriber.next()
            position, document = event.position, event.document


async def watch_inbox(
    context: RequestContext, agency_id: str, filter: Mapping[str, Any], *, keys: frozenset[str]
) -> AsyncGenerator[ComplaintDoc, None]:
    """Yield the agency's complaints whenever they change, and once more a complaint that it has handed over.

    Begins with the changes since `context.position`, if the client resumes. `filter` has the keys of ComplaintFilter.
    Raises Forbidden, ReadAnew, and InvalidArgument for an unknown agency or a value that the filter refuses.
    """
    # `overdue` compares with the present time: a filter that is built once would compare with the time of subscribing.
    overdue = filter.get("overdue")
    filters = complaint_list.build_filters(context, {key: value for key, value in filter.items() if key != "overdue"})
    read = keys.union(_DECIDING, {"nextDueAt"}, *map(matching.collect_keys, filters))
    live, sent = await _await_stream(context), _SentRevisions()
    with live.subscribe(read, agency=agency_id) as subscriber:
        await _check_inbox(context, agency_id)

        def is_wanted(document: ComplaintDoc) -> bool:
            if not sent.is_new(document) or not policy.may_know(context.viewer, document, context.proven):
                return False
            if overdue is not None and (document["nextDueAt"] < context.now) != overdue:
                return False
            return any(matching.matches(each, document) for each in filters)

        async for position, document in _follow_inbox(context, live, subscriber, agency_id, read):
            context.renew(position)
            if is_wanted(document):
                yield document


async def _follow_inbox(
    context: RequestContext, live: FanOut, subscriber: Subscriber, agency_id: str, keys: frozenset[str]
) -> AsyncGenerator[tuple[Position, ComplaintDoc], None]:
    """Yield the changes that the client has missed, then the new ones, each with its position."""
    missed = _find_missed(live, context.position)
    ids = list(missed)
    for start in range(0, len(ids), REPLAYED_AT_ONCE):
        wanted: Filter = {"_id": {"$in": ids[start : start + REPLAYED_AT_ONCE]}, "holders": agency_id}
        found = context.store.complaints.find(wanted, dict.fromkeys(keys | {"holders"}, True), max_time_ms=MAX_TIME_MS)
        by_id = {row["_id"]: row for row in await found.to_list(REPLAYED_AT_ONCE)}
        for complaint_id in ids[start : start + REPLAYED_AT_ONCE]:
            document = by_id.get(complaint_id)
            if document is not None and (document["holder"] == agency_id or missed[complaint_id].has_moved):
                yield missed[complaint_id].position, document
    while True:
        event = await subscriber.next()
        if event.document is not None:
            yield event.position, event.document


class _MissedChange(NamedTuple):
    """The changes of one complaint since a position, as one."""

    position: Position
    """Of the last of them."""
    has_moved: bool
    """Whether the complaint was handed over: then its former holder is told once more."""


def _find_missed(live: FanOut, position: Position | None) -> dict[str, _MissedChange]:
    """Return the complaints that have changed since the position, in the order of their last changes.

    Raises InvalidArgument for a malformed position, ReadAnew for one that is too old.
    """
    if position is None:
        return {}
    if _POSITION.fullmatch(position) is None:
        raise InvalidArgument(f"Unknown position {position!r}: send the position of an event.")
    changes = live.changes_since(position)
    if changes is None:
        raise ReadAnew(f"The changes since position {position} are no longer known: read the state again.")
    missed: dict[str, _MissedChange] = {}
    for change in changes:
        before = missed.pop(change.document_id, None)
        has_moved = change.holder is not None or (before is not None and before.has_moved)
        missed[change.document_id] = _MissedChange(change.position, has_moved)
    return missed


class _SentRevisions:
    """The revisions that a subscription sent last, by complaint, at most REMEMBERED_COMPLAINTS of them.

    Two quick changes may arrive as one document; the event of the second one must not send it again.
    """

    def __init__(self) -> None:
        self._revisions: dict[str, int] = {}

    def is_new(self, document: ComplaintDoc) -> bool:
        """Whether the document is newer than the one that was sent last; remembers it."""
        complaint_id, revision = document["_id"], document["revision"]
        known = self._revisions.pop(complaint_id, -1)
        if len(self._revisions) >= REMEMBERED_COMPLAINTS:
            del self._revisions[next(iter(self._revisions))]
        self._revisions[complaint_id] = max(known, revision)
        return revision > known


async def _check_inbox(context: RequestContext, agency_id: str) -> None:
    agency = await agencies.by_id(context, agency_id)
    if agency is None:
        raise InvalidArgument(f"There is no agency {agency_id!r}: see the query agencies.")
    if not policy.may_watch_inbox(context.viewer, agency):
        raise Forbidden(f"The inbox of {agency_id} is for its staff, its province's coordinator and overseers.")


async def _await_stream(context: RequestContext) -> FanOut:
    """Return the stream of changes, once it has begun. Raises NotLive if the process has none, or it does not begin."""
    if context.live is not None:
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                await context.live.wait_until_begun()
        except TimeoutError:
            pass
        else:
            return context.live
    raise NotLive("Changes cannot be followed here now: try again.")


def _build_not_readable() -> NotReadable:
    return NotReadable("There is no such complaint, or it is not yours to see.")
