"""Lists of complaints: those that match a filter and that the viewer may know of.

The list becomes one MongoDB filter, or two with a search. Each bounds `readers` and `status` by values, so that an
index serves it; which one, `resolvers.store.indexes` decides from the keys that the filter bounds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from resolvers import policy
from resolvers.documents import INSTANTS, Filter
from resolvers.domain import search_words
from resolvers.domain.lifecycle import OPEN
from resolvers.domain.vocabulary import ComplaintOrder, ComplaintStatus
from resolvers.errors import InvalidArgument
from resolvers.paging.listing import Arguments, Cursors, Listing, encode_scope
from resolvers.personal_data.stems import list_stems
from resolvers.request.context import RequestContext
from resolvers.store import indexes, pages

MAX_VALUES: Final = 100
MAX_SEARCH: Final = 200
MAX_SEARCH_STEMS: Final = 8

_ORDERS: Final = {
    ComplaintOrder.RECEIVED_DESC: pages.Order("receivedAt", descending=True),
    ComplaintOrder.RECEIVED_ASC: pages.Order("receivedAt"),
    ComplaintOrder.UPDATED_DESC: pages.Order("updatedAt", descending=True),
    ComplaintOrder.DUE_ASC: pages.Order("nextDueAt"),
}


Condition = Callable[[RequestContext, Any], Filter]
"""Takes one value of ComplaintFilter; returns the MongoDB filter that it stands for."""


def _match_any(key: str) -> Condition:
    return lambda context, values: {key: {"$in": list(values)}}


def _match_value(key: str) -> Condition:
    return lambda context, value: {key: {"$eq": value}}


def _match_span(key: str) -> Condition:
    def match(context: RequestContext, span: Mapping[str, Any]) -> Filter:
        bounds = {"$gte": span.get("from"), "$lt": span.get("to")}
        bounds = {operator: instant for operator, instant in bounds.items() if instant is not None}
        return {key: bounds} if bounds else {}

    return match


def _match_region(context: RequestContext, codes: Sequence[str]) -> Filter:
    # "51" is a province, "51.03" a regency or city: complaints store both codes.
    provinces = [code for code in codes if "." not in code]
    regencies = [code for code in codes if "." in code]
    if not regencies:
        return {"province": {"$in": provinces}}
    if not provinces:
        return {"region": {"$in": regencies}}
    return {"$or": [{"province": {"$in": provinces}}, {"region": {"$in": regencies}}]}


def _match_overdue(context: RequestContext, is_overdue: bool) -> Filter:
    return {"nextDueAt": {"$lt": context.now} if is_overdue else {"$gte": context.now}}


def _match_escalated(context: RequestContext, is_escalated: bool) -> Filter:
    return {"escalationLevel": {"$gt": 0} if is_escalated else 0}


_CONDITIONS: Final[Mapping[str, Condition]] = {
    "class": _match_any("class"),
    "category": _match_any("category"),
    "grade": _match_any("grade"),
    "channel": _match_any("channel"),
    "holder": _match_any("holder"),
    "holderKind": _match_any("holderKind"),
    "region": _match_region,
    "team": _match_value("team"),
    "unit": _match_any("unit"),
    "assignee": _match_value("assignee"),
    "receivedAt": _match_span("receivedAt"),
    "closedAt": _match_span("closedAt"),
    "overdue": _match_overdue,
    "escalated": _match_escalated,
}


def list_complaints(
    context: RequestContext,
    filter: Mapping[str, Any],
    order_by: ComplaintOrder | None,
    arguments: Arguments,
    *,
    within: tuple[str, str] | None = None,
    keys: frozenset[str],
) -> Listing:
    """Return the complaints that match `filter`, which has the keys of ComplaintFilter.

    `within` is one more key and its value, for the list of one agency or team. `keys` are the keys to read.
    Raises InvalidArgument for more than MAX_VALUES values of one key, and for a search that is too long or too short.
    """
    order = _ORDERS[order_by or ComplaintOrder.RECEIVED_DESC]
    clauses = _build_clauses(context, filter, within)
    scope = [order_by or ComplaintOrder.RECEIVED_DESC, within, filter]
    return pages.build_listing(
        context.store.complaints,
        [_build_part(clauses, bounds, order) for bounds in _bound_to_viewer(context, filter)],
        order,
        arguments,
        Cursors(context.secret_key, encode_scope("complaints", scope)),
        keys=keys,
        instants=INSTANTS,
    )


def build_filters(context: RequestContext, filter: Mapping[str, Any]) -> list[Filter]:
    """Return the MongoDB filters of the list: a complaint is in the list if it matches one of them."""
    clauses, order = _build_clauses(context, filter, None), _ORDERS[ComplaintOrder.RECEIVED_DESC]
    return [_build_part(clauses, bounds, order).filter for bounds in _bound_to_viewer(context, filter)]


def _build_clauses(context: RequestContext, filter: Mapping[str, Any], within: tuple[str, str] | None) -> list[Filter]:
    """Return the filters that the input asks for, all of which must match."""
    clauses: list[Filter] = [{"status": {"$in": sorted(_select_statuses(filter))}}]
    clauses += [] if within is None else [{within[0]: {"$eq": within[1]}}]
    for key, value in filter.items():
        if isinstance(value, list) and len(value) > MAX_VALUES:
            raise InvalidArgument(f"{key} has {len(value)} values; at most {MAX_VALUES} are taken.")
        if key in _CONDITIONS:
            clauses.append(_CONDITIONS[key](context, value))
    return clauses


class _ViewerBounds(NamedTuple):
    """Bounds one part of a list to the complaints of the viewer."""

    clauses: list[Filter]
    by_words: bool = False
    """Whether the part is looked up through the index of words."""


def _build_part(clauses: Sequence[Filter], bounds: _ViewerBounds, order: pages.Order) -> pages.Part:
    query: Filter = {}
    further: list[Filter] = []
    for clause in (*clauses, *bounds.clauses):
        # A dict has each key once: the second bound of a key goes into `$and`, e.g. two words of a search.
        if clause.keys() & query.keys():
            further.append(clause)
        else:
            query |= clause
    query |= {"$and": further} if further else {}
    # The keys by which an index can be chosen.
    bounded = query.keys() - (set() if bounds.by_words else {"words"})
    if query.get(indexes.ESCALATED) == 0:
        bounded -= {indexes.ESCALATED}
    return pages.Part(query, indexes.choose(indexes.COMPLAINT_LISTS, bounded, order.key))


def _bound_to_viewer(context: RequestContext, filter: Mapping[str, Any]) -> list[_ViewerBounds]:
    """Return the bounds of each part of the list.

    A search has two parts: complaints that the viewer reads in full are found by any of their words, the others only by
    the words of their redacted text. Neither part touches a complaint that the viewer may not know of.
    """
    # Only viewers inside custody read the assignee, so a filter by assignee must not find other complaints.
    custody = list(policy.list_custody_groups(context.viewer))
    all_ = custody if "assignee" in filter else list(policy.list_groups(context.viewer))
    search = filter.get("search", "").strip()
    if not search:
        return [_ViewerBounds([{"readers": {"$in": all_}}])]
    wanted = _parse_search(search)
    words: list[Filter] = [{"words": {"$in": search_words.list_spellings(stem)}} for stem in wanted]
    # A viewer has custody of few complaints, which `readers` finds faster than a word does; the national desk of all.
    own = _ViewerBounds([{"readers": {"$in": custody}}, *words], by_words=policy.may_read_everything(context.viewer))
    if all_ == custody:
        return [own]
    others = [group for group in all_ if group not in custody]
    readers: Filter = {"readers": {"$in": others, "$nin": custody}}
    shown = _ViewerBounds([readers, *({"words": stem} for stem in wanted)], by_words=True)
    return [shown, own] if custody else [shown]


def _parse_search(search: str) -> tuple[str, ...]:
    wanted = list_stems(search) if len(search) <= MAX_SEARCH else ()
    if not 1 <= len(wanted) <= MAX_SEARCH_STEMS:
        raise InvalidArgument(
            f"search takes 1 to {MAX_SEARCH_STEMS} words that carry meaning, in at most {MAX_SEARCH} characters."
        )
    return wanted


def _select_statuses(filter: Mapping[str, Any]) -> set[str]:
    wanted = {str(status) for status in filter.get("status", ComplaintStatus)}
    if "open" in filter:
        wanted &= {str(status) for status in ComplaintStatus if (status in OPEN) == filter["open"]}
    return wanted
