"""Teams: read."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta, timezone
from typing import Any, Final

from resolvers.context import RequestContext
from resolvers.domain import teams
from resolvers.domain.vocabulary import TeamKind, TeamRole, TeamStatus
from resolvers.listing import Arguments, Cursors, Listing, scope
from resolvers.store import indexes, pages
from resolvers.store.database import MAX_TIME_MS, Document

JAKARTA: Final = timezone(timedelta(hours=7))
"""Terms of decrees are dates without a zone: they begin and end by the capital's day."""


def today(context: RequestContext) -> date:
    return context.now.astimezone(JAKARTA).date()


def status(context: RequestContext, team: Mapping[str, Any]) -> TeamStatus:
    return teams.status(
        term_from=date.fromisoformat(team["termFrom"]),
        term_to=None if team["termTo"] is None else date.fromisoformat(team["termTo"]),
        superseded=team["supersededBy"] is not None,
        today=today(context),
    )


def may_work(context: RequestContext, team: Mapping[str, Any]) -> bool:
    """Whether its members may verify, accept and answer now."""
    return teams.may_work(status(context, team))


async def by_id(context: RequestContext, team_id: str) -> Document | None:
    return await context.loaders.team.load(team_id)


async def member(context: RequestContext, member_id: str) -> Document | None:
    """A member by its id, which begins with its team's."""
    team = await by_id(context, member_id.partition("/")[0])
    return next((member for member in team["members"] if member["id"] == member_id), None) if team else None


async def by_agency(context: RequestContext, agency_id: str, *, active_only: bool = False) -> list[Document]:
    """An agency's teams, by name."""
    found = await context.loaders.teams.load(agency_id)
    return [team for team in found if may_work(context, team)] if active_only else found


def is_current(context: RequestContext, member: Mapping[str, Any]) -> bool:
    day = today(context).isoformat()
    return member["from"] <= day and (member["to"] is None or day <= member["to"])


async def liaisons(context: RequestContext, unit_id: str) -> list[Document]:
    """The present liaisons of a unit, from its agency's working teams."""
    found = await by_agency(context, unit_id.partition("/")[0], active_only=True)
    return [
        member
        for team in found
        for member in team["members"]
        if member["unit"] == unit_id and member["role"] == TeamRole.LIAISON and is_current(context, member)
    ]


async def of_subject(context: RequestContext, subject: str | None) -> list[Document]:
    """The teams that a person is a present member of, by name."""
    if subject is None:
        return []
    found = context.store.teams.find({"members.subject": {"$eq": subject}}, max_time_ms=MAX_TIME_MS)
    return [
        team
        for team in sorted(await found.to_list(None), key=lambda team: str(team["name"]))
        if any(member["subject"] == subject and is_current(context, member) for member in team["members"])
    ]


def listing(
    context: RequestContext, filter: Mapping[str, Any], arguments: Arguments, *, keys: frozenset[str] | None = None
) -> Listing:
    """Teams by name; `filter` has the keys of TeamFilter."""
    query: Document = {"kind": {"$in": list(filter.get("kinds", TeamKind))}}
    if "agency" in filter:
        query["agency"] = {"$eq": filter["agency"]}
    if "province" in filter:
        query["agencyProvince"] = {"$eq": filter["province"]}
    hint = indexes.choose(indexes.TEAM_LISTS, query, "name")
    if "status" in filter:
        query["$or"] = [_term(context, status) for status in filter["status"]] or [{"_id": {"$in": []}}]
    cursors = Cursors(context.secret_key, scope("teams", filter))
    parts = [pages.Part(query, hint)]
    return pages.listing(context.store.teams, parts, pages.Order("name"), arguments, cursors, keys=keys)


def _term(context: RequestContext, status: TeamStatus) -> Document:
    """The stored dates that `status` is derived from; tested against `teams.status`."""
    if status is TeamStatus.SUPERSEDED:
        return {"supersededBy": {"$ne": None}}
    day = today(context)
    soon = (day + timedelta(days=teams.EXPIRING_DAYS)).isoformat()
    terms: dict[TeamStatus, Iterable[Document]] = {
        TeamStatus.PLANNED: [{"termFrom": {"$gt": day.isoformat()}}],
        TeamStatus.ACTIVE: [
            {"termFrom": {"$lte": day.isoformat()}},
            {"$or": [{"termTo": None}, {"termTo": {"$gt": soon}}]},
        ],
        TeamStatus.EXPIRING: [
            {"termFrom": {"$lte": day.isoformat()}},
            {"termTo": {"$gte": day.isoformat(), "$lte": soon}},
        ],
        TeamStatus.EXPIRED: [{"termFrom": {"$lte": day.isoformat()}}, {"termTo": {"$lt": day.isoformat()}}],
    }
    return {"$and": [{"supersededBy": None}, *terms[status]]}
