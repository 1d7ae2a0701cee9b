"""Reads teams, their members and their health."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from operator import attrgetter
from typing import Any, Final

from resolvers import policy
from resolvers.agencies.reference import Register
from resolvers.documents import AgencyDoc, Filter, TeamDoc, TeamMemberDoc
from resolvers.domain import teams
from resolvers.domain.vocabulary import TeamKind, TeamRole, TeamStatus
from resolvers.errors import NotAllowed, TeamNotActive
from resolvers.paging.listing import Arguments, Cursors, Listing, encode_scope
from resolvers.request.context import RequestContext
from resolvers.results import TeamHealthResult
from resolvers.store import indexes, pages
from resolvers.store.database import MAX_TIME_MS, NEVER

JAKARTA: Final = timezone(timedelta(hours=7))
"""The terms of decrees are dates without a zone: they begin and end with the day in the capital."""


def find_today(context: RequestContext) -> date:
    return context.now.astimezone(JAKARTA).date()


def derive_status(context: RequestContext, team: TeamDoc) -> TeamStatus:
    return teams.derive_status(
        term_from=date.fromisoformat(team["termFrom"]),
        term_to=_parse_day(team["termTo"]),
        superseded=team["supersededBy"] is not None,
        today=find_today(context),
    )


def is_active(context: RequestContext, team: TeamDoc) -> bool:
    return teams.is_active(derive_status(context, team))


def may_work(context: RequestContext, team: TeamDoc) -> bool:
    """Whether the members may verify, accept and approve now: while the team is active, and in the days of grace."""
    return teams.may_work(derive_status(context, team), _parse_day(team["termTo"]), find_today(context))


def derive_standing(context: RequestContext, team: TeamDoc) -> teams.TeamStanding:
    return teams.derive_standing(derive_status(context, team), _parse_day(team["termTo"]), find_today(context))


def find_wake_time(context: RequestContext, team: TeamDoc) -> datetime:
    """Return when the standing changes next; NEVER for a team that is superseded or whose term has no end."""
    day = teams.find_next_change(date.fromisoformat(team["termFrom"]), _parse_day(team["termTo"]), find_today(context))
    if day is None or team["supersededBy"] is not None:
        return NEVER
    return datetime.combine(day, time.min, JAKARTA).astimezone(UTC)


async def find_refusal(context: RequestContext) -> TeamNotActive | NotAllowed | None:
    """Return why the viewer, an admin or liaison, may not work for the agency now; None when they may.

    Either no team of the agency is in force, or the viewer has no seat in it. Anybody may use a seat whose account is
    not on record. A viewer who is on record as having left has no seat.
    """
    agency, subject = context.viewer.agency, context.viewer.subject
    if agency is None or not policy.must_hold_seat(context.viewer):
        return None
    members = [
        member for team in await by_agency(context, agency) if may_work(context, team) for member in team["members"]
    ]
    if not members:
        return TeamNotActive(f"No team of {agency} is in force: it needs a decree for the present term.")
    own = [member for member in members if member["subject"] == subject]
    seats = own or [member for member in members if member["subject"] is None]
    if any(is_current(context, member) for member in seats):
        return None
    return NotAllowed(f"You are not a present member of any team of {agency}.")


def _parse_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


by_id: Final[Register[TeamDoc]] = Register(attrgetter("loaders.team"))


async def find_member(context: RequestContext, member_id: str) -> TeamMemberDoc | None:
    """Find a member by its id, which begins with the id of its team: `TM-…/3`."""
    team = await by_id(context, member_id.partition("/")[0])
    return next((member for member in team["members"] if member["id"] == member_id), None) if team else None


async def by_agency(context: RequestContext, agency_id: str, *, active_only: bool = False) -> list[TeamDoc]:
    """Return the teams of an agency, by name."""
    found = await context.loaders.teams.load(agency_id)
    return [team for team in found if is_active(context, team)] if active_only else found


async def compute_health(context: RequestContext, agency: AgencyDoc) -> TeamHealthResult | None:
    """Return the health of the agency's active teams together, under the contract's names.

    Without an active team it counts the teams whose term ended last. None when there is no such team.
    """
    begun = [
        team
        for team in await by_agency(context, agency["_id"])
        if derive_status(context, team) not in (TeamStatus.PLANNED, TeamStatus.SUPERSEDED)
    ]
    latest = max((team["termTo"] or "" for team in begun), default=None)
    counted = [team for team in begun if is_active(context, team)] or [row for row in begun if row["termTo"] == latest]
    if not counted:
        return None
    members = [
        teams.Seat(TeamRole(row["role"]), row["unit"], bool(row["trainings"]))
        for team in counted
        for row in team["members"]
        if is_current(context, row)
    ]
    units = [unit["id"] for unit in agency["units"]]
    found = teams.compute_health(members, units, [_parse_day(team["termTo"]) for team in counted], find_today(context))
    return {
        "seatsFilled": found.seats_filled,
        "seatsTotal": found.seats_total,
        "liaisonsPerUnit": found.liaisons_per_unit,
        "trainedShare": found.trained_share,
        "daysToExpiry": found.days_to_expiry,
    }


def is_current(context: RequestContext, member: TeamMemberDoc) -> bool:
    day = find_today(context).isoformat()
    return member["from"] <= day and (member["to"] is None or day <= member["to"])


async def find_liaisons(context: RequestContext, unit_id: str) -> list[TeamMemberDoc]:
    """Return the present liaisons of a unit, from the active teams of its agency."""
    found = await by_agency(context, unit_id.partition("/")[0], active_only=True)
    return [
        member
        for team in found
        for member in team["members"]
        if member["unit"] == unit_id and member["role"] == TeamRole.LIAISON and is_current(context, member)
    ]


async def by_subject(context: RequestContext, subject: str | None) -> list[TeamDoc]:
    """Return the teams of which a person is a present member, by name."""
    if subject is None:
        return []
    found = context.store.teams.find({"members.subject": {"$eq": subject}}, max_time_ms=MAX_TIME_MS)
    return [
        team
        for team in sorted(await found.to_list(None), key=lambda team: str(team["name"]))
        if any(member["subject"] == subject and is_current(context, member) for member in team["members"])
    ]


def list_teams(
    context: RequestContext, filter: Mapping[str, Any], arguments: Arguments, *, keys: frozenset[str] | None = None
) -> Listing:
    """List teams by name; `filter` has the keys of TeamFilter."""
    query: Filter = {"kind": {"$in": list(filter.get("kinds", TeamKind))}}
    if "agency" in filter:
        query["agency"] = {"$eq": filter["agency"]}
    if "province" in filter:
        query["agencyProvince"] = {"$eq": filter["province"]}
    hint = indexes.choose(indexes.TEAM_LISTS, query, "name")
    if "status" in filter:
        query["$or"] = [_make_term_query(context, status) for status in filter["status"]] or [{"_id": {"$in": []}}]
    cursors = Cursors(context.secret_key, encode_scope("teams", filter))
    return pages.build_listing(
        context.store.teams, [pages.Part(query, hint)], pages.Order("name"), arguments, cursors, keys=keys
    )


def _make_term_query(context: RequestContext, status: TeamStatus) -> Filter:
    """Return the filter on stored dates that selects teams of a status; a test compares it to `derive_status`."""
    if status is TeamStatus.SUPERSEDED:
        return {"supersededBy": {"$ne": None}}
    day = find_today(context)
    soon = (day + timedelta(days=teams.EXPIRING_DAYS)).isoformat()
    terms: dict[TeamStatus, Iterable[Filter]] = {
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
