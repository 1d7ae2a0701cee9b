"""Lists of complaints: what a filter asks for, inside what the viewer may know."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from resolvers import policy
from resolvers.documents import INSTANTS
from resolvers.domain import search_words
from resolvers.domain.lifecycle import OPEN
from resolvers.domain.vocabulary import ComplaintOrder, ComplaintStatus
from resolvers.errors import InvalidArgument
from resolvers.paging.listing import Arguments, Cursors, Listing, scope
from resolvers.personal_data.stems import list_stems
from resolvers.request.context import RequestContext
from resolvers.store import indexes, pages
from resolvers.store.database import Document

MAX_VALUES: Final = 100
MAX_SEARCH: Final = 200
MAX_SEARCH_STEMS: Final = 8

_ORDERS: Final = {
    ComplaintOrder.RECEIVED_DESC: pages.Order("receivedAt", descending=True),
    ComplaintOrder.RECEIVED_ASC: pages.Order("receivedAt"),
    ComplaintOrder.UPDATED_DESC: pages.Order("updatedAt", descending=True),
    ComplaintOrder.DUE_ASC: pages.Order("nextDueAt"),
}


def _one_of(key: str) -> Callable[[RequestContext, Any], Document]:
    return lambda context, values: {key: {"$in": list(values)}}


def _equal(key: str) -> Callable[[RequestContext, Any], Document]:
    return lambda context, value: {key: {"$eq": value}}


def _between(key: str) -> Callable[[RequestContext, Any], Document]:
    def condition(context: RequestContext, span: Mapping[str, Any]) -> Document:
        bounds = {"$gte": span.get("from"), "$lt": span.get("to")}
        bounds = {operator: instant for operator, instant in bounds.items() if instant is not None}
        return {key: bounds} if bounds else {}

    return condition


def _region(context: RequestContext, codes: Any) -> Document:
    provinces = [code for code in codes if "." not in code]
    regencies = [code for code in codes if "." in code]
    if not regencies:
        return {"province": {"$in": provinces}}
    if not provinces:
        return {"region": {"$in": regencies}}
    return {"$or": [{"province": {"$in": provinces}}, {"region": {"$in": regencies}}]}


def _overdue(context: RequestContext, overdue: Any) -> Document:
    return {"nextDueAt": {"$lt": context.now} if overdue else {"$gte": context.now}}


def _escalated(context: RequestContext, escalated: Any) -> Document:
    return {"escalationLevel": {"$gt": 0} if escalated else 0}


_CONDITIONS: Final[Mapping[str, Callable[[RequestContext, Any], Document]]] = {
    "class": _one_of("class"),
    "category": _one_of("category"),
    "grade": _one_of("grade"),
    "channel": _one_of("channel"),
    "holder": _one_of("holder"),
    "holderKind": _one_of("holderKind"),
    "region": _region,
    "team": _equal("team"),
    "unit": _one_of("unit"),
    "assignee": _equal("assignee"),
    "receivedAt": _between("receivedAt"),
    "closedAt": _between("closedAt"),
    "overdue": _overdue,
    "escalated": _escalated,
}


def listing(
    context: RequestContext,
    filter: Mapping[str, Any],
    order_by: ComplaintOrder | None,
    arguments: Arguments,
    *,
    within: tuple[str, str] | None = None,
    keys: frozenset[str],
) -> Listing:
    """Complaints that match; `filter` has the keys of ComplaintFilter, `within` pins one key (an agency's, a team's).

    Raises InvalidArgument for more than 100 values of one key.
    """
    order = _ORDERS[order_by or ComplaintOrder.RECEIVED_DESC]
    clauses = _clauses(context, filter, within)
    asked = [order_by or ComplaintOrder.RECEIVED_DESC, within, filter]
    return pages.build_listing(
        context.store.complaints,
        [_part(clauses, bounds, order) for bounds in _readable(context, filter)],
        order,
        arguments,
        Cursors(context.secret_key, scope("complaints", asked)),
        keys=keys,
        instants=INSTANTS,
    )


def queries(context: RequestContext, filter: Mapping[str, Any]) -> list[Document]:
    """What the list asks the database for, in parts: a complaint is in the list where it matches one of them."""
    clauses, order = _clauses(context, filter, None), _ORDERS[ComplaintOrder.RECEIVED_DESC]
    return [_part(clauses, bounds, order).filter for bounds in _readable(context, filter)]


def _clauses(context: RequestContext, filter: Mapping[str, Any], within: tuple[str, str] | None) -> list[Document]:
    clauses: list[Document] = [{"status": {"$in": sorted(_statuses(filter))}}]
    clauses += [] if within is None else [{within[0]: {"$eq": within[1]}}]
    for key, value in filter.items():
        if isinstance(value, list) and len(value) > MAX_VALUES:
            raise InvalidArgument(f"{key} has {len(value)} values; at most {MAX_VALUES} are taken.")
        if key in _CONDITIONS:
            clauses.append(_CONDITIONS[key](context, value))
    return clauses


class _Bounds(NamedTuple):
    """What bounds one part of a list to the viewer's own; whether the index of words is the way to it."""

    clauses: list[Document]
    by_words: bool = False


def _part(clauses: Sequence[Document], bounds: _Bounds, order: pages.Order) -> pages.Part:
    query: Document = {}
    further: list[Document] = []
    for clause in (*clauses, *bounds.clauses):
        # A key that is bounded twice keeps both bounds: the second goes beside the first.
        if clause.keys() & query.keys():
            further.append(clause)
        else:
            query |= clause
    query |= {"$and": further} if further else {}
    bounded = query.keys() - (set() if bounds.by_words else {"words"})
    if query.get(indexes.ESCALATED) == 0:
        bounded -= {indexes.ESCALATED}
    return pages.Part(query, indexes.choose(indexes.COMPLAINT_LISTS, bounded, order.key))


def _readable(context: RequestContext, filter: Mapping[str, Any]) -> list[_Bounds]:
    """What bounds a list to the viewer's own, in as many parts as it is looked up by.

    A search goes through what the viewer reads in full by any of its words, and through the rest by the words that
    others read: two look-ups, neither of which touches what the viewer may not know of.
    """
    # Who is assigned is read inside custody alone, and so is the filter by it.
    custody = list(policy.custody_groups(context.viewer))
    all_ = custody if "assignee" in filter else list(policy.groups(context.viewer))
    asked = filter.get("search", "").strip()
    if not asked:
        return [_Bounds([{"readers": {"$in": all_}}])]
    wanted = _stems(asked)
    words: list[Document] = [{"words": {"$in": search_words.list_spellings(stem)}} for stem in wanted]
    # What somebody reads in full is little beside all that has a word, unless it is everything.
    own = _Bounds([{"readers": {"$in": custody}}, *words], by_words=policy.reads_everything(context.viewer))
    if all_ == custody:
        return [own]
    others = [group for group in all_ if group not in custody]
    readers: Document = {"readers": {"$in": others, "$nin": custody}}
    shown = _Bounds([readers, *({"words": stem} for stem in wanted)], by_words=True)
    return [shown, own] if custody else [shown]


def _stems(words: str) -> tuple[str, ...]:
    wanted = list_stems(words) if len(words) <= MAX_SEARCH else ()
    if not 1 <= len(wanted) <= MAX_SEARCH_STEMS:
        raise InvalidArgument(
            f"search takes 1 to {MAX_SEARCH_STEMS} words that carry meaning, in at most {MAX_SEARCH} characters."
        )
    return wanted


def _statuses(filter: Mapping[str, Any]) -> set[str]:
    wanted = {str(status) for status in filter.get("status", ComplaintStatus)}
    if "open" in filter:
        wanted &= {str(status) for status in ComplaintStatus if (status in OPEN) == filter["open"]}
    return wanted
