"""Changes teams: set up by decree, rename, extend, add and end memberships."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import reference
from resolvers.agencies import team as teams
from resolvers.documents import AgencyDoc, Changes, TeamDoc, TeamMemberDoc
from resolvers.domain import tracking_id
from resolvers.domain.teams import TeamStanding
from resolvers.domain.vocabulary import AgencyKind, TeamKind
from resolvers.errors import InvalidInput, LimitReached, NotAllowed, NotFound
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, find_created, update
from resolvers.store.database import MAX_TIME_MS, DuplicateKeyError, Session

MAX_MEMBERS: Final = 500


async def create_team(
    context: RequestContext,
    attempt: Attempt,
    *,
    agency: str,
    kind: TeamKind,
    name: str,
    decree: Mapping[str, Any],
    term_from: str,
    term_to: str | None,
    supersedes: str | None,
    members: Sequence[Mapping[str, Any]],
) -> TeamDoc:
    """Store a team and return it. The team that it supersedes ends in the same transaction."""
    owner = await reference.require_agency(context, agency, "agency")
    _check_manager(context, owner)
    _check_term(term_from, term_to)
    old = None if supersedes is None else await _find_superseded(context, supersedes, agency)
    team_id = tracking_id.make_id("TM", secrets.token_bytes(16))
    province = owner["_id"] if owner["kind"] == AgencyKind.PROVINCE else owner["province"]
    team: TeamDoc = {
        "_id": team_id,
        "agency": agency,
        "agencyProvince": province,
        "kind": kind,
        "name": text.clean_required(name, "name", at_most=text.MAX_NAME),
        "decree": reference.make_decree(decree),
        "termFrom": term_from,
        "termTo": term_to,
        "members": [],
        "supersedes": old and old["_id"],
        "supersededBy": None,
        "standing": TeamStanding.PLANNED,
        "wakeAt": context.now,
        "synthetic": False,
        "processed": [],
        "revision": 1,
    }
    for member in members:
        team["members"].append(_make_member(team, owner, member))
    return await _store_team(context, attempt, team)


async def _store_team(context: RequestContext, attempt: Attempt, team: TeamDoc) -> TeamDoc:
    creation = attempt.build_creation(context)
    if creation is not None:
        team["creation"] = creation
    collection = context.store.teams

    async def write(session: Session) -> None:
        # Inserted first, so that a repeated call fails on its idempotency key, not on the team that it has superseded.
        await collection.insert_one(team, session=session)
        if team["supersedes"] is not None:
            old = {"_id": team["supersedes"], "supersededBy": None}
            ended = {"$set": {"supersededBy": team["_id"], "wakeAt": context.now}, "$inc": {"revision": 1}}
            if (await collection.update_one(old, ended, session=session)).modified_count == 0:
                raise InvalidInput(f"{team['supersedes']} is superseded already.", field=("input", "supersedes"))

    try:
        async with await context.store.client.start_session() as session:
            await session.with_transaction(write)
    except DuplicateKeyError:
        return await find_created(context, collection, attempt)
    context.note_write(collection.name, team)
    if team["supersedes"] is not None:
        superseded = await collection.find_one({"_id": {"$eq": team["supersedes"]}}, max_time_ms=MAX_TIME_MS)
        context.note_write(collection.name, superseded or team)
    return team


async def change_team(
    context: RequestContext,
    attempt: Attempt,
    team_id: str,
    *,
    name: str | None,
    term_to: str | None,
    decree: Mapping[str, Any] | None,
) -> TeamDoc:
    """Change a team and return it; None leaves a value as it is."""
    renamed = text.clean_optional(name, "name", at_most=text.MAX_NAME)

    def changes(team: TeamDoc) -> Changes:
        _check_term(team["termFrom"], term_to)
        wanted = {
            "name": renamed,
            "termTo": term_to,
            "decree": None if decree is None else reference.make_decree(decree),
        }
        return {key: value for key, value in wanted.items() if value is not None}

    return await _change_managed(context, attempt, team_id, lambda team, owner: changes(team))


async def add_member(context: RequestContext, attempt: Attempt, team_id: str, member: Mapping[str, Any]) -> TeamDoc:
    def changes(team: TeamDoc, owner: AgencyDoc) -> Changes:
        return {"members": [*team["members"], _make_member(team, owner, member)]}

    return await _change_managed(context, attempt, team_id, changes)


async def end_membership(
    context: RequestContext, attempt: Attempt, team_id: str, member_id: str, *, on: str
) -> TeamDoc:
    def changes(team: TeamDoc, owner: AgencyDoc) -> Changes:
        member = next((row for row in team["members"] if row["id"] == member_id), None)
        if member is None:
            raise NotFound(f"{member_id} is not a member of {team_id}.", field=("input", "member"))
        if on < member["from"]:
            raise InvalidInput(f"on {on} is before the membership began, {member['from']}.", field=("input", "on"))
        return {"members": [{**row, "to": on} if row is member else row for row in team["members"]]}

    return await _change_managed(context, attempt, team_id, changes)


async def _change_managed(context: RequestContext, attempt: Attempt, team_id: str, changes: Any) -> TeamDoc:
    known = await teams.by_id(context, team_id)
    if known is None:
        raise NotFound(f"There is no team {team_id!r}: see the query teams.", field=("input", "team"))
    owner = await reference.require_agency(context, known["agency"], "team")

    def change(team: TeamDoc) -> Changes:
        _check_manager(context, owner)
        return {**changes(team, owner), "wakeAt": context.now}

    return await update(context, context.store.teams, team_id, attempt, change)


def _check_manager(context: RequestContext, owner: AgencyDoc) -> None:
    if not policy.may_manage_teams(context.viewer, owner):
        raise NotAllowed(f"You may not change the teams of {owner['_id']}.")


def _check_term(term_from: str, term_to: str | None) -> None:
    if term_to is not None and term_to < term_from:
        raise InvalidInput(f"termTo {term_to} is before termFrom {term_from}.", field=("input", "termTo"))


async def _find_superseded(context: RequestContext, team_id: str, agency: str) -> TeamDoc:
    old = await teams.by_id(context, team_id)
    if old is None or old["agency"] != agency:
        raise InvalidInput(f"{team_id!r} is not a team of {agency}.", field=("input", "supersedes"))
    return old


def _make_member(team: TeamDoc, owner: AgencyDoc, given: Mapping[str, Any]) -> TeamMemberDoc:
    """Return the document of a new member.

    Ids count up and are used once, because a membership is ended and never removed. Raises InvalidInput, LimitReached.
    """
    if len(team["members"]) >= MAX_MEMBERS:
        raise LimitReached(f"{team['_id']} has {MAX_MEMBERS} members and can have no more.")
    unit = given.get("unit")
    if unit is not None and unit not in {known["id"] for known in owner["units"]}:
        raise InvalidInput(f"{unit!r} is not a unit of {owner['_id']}.", field=("input", "member", "unit"))
    if given.get("to") is not None and given["to"] < given["from"]:
        raise InvalidInput(f"to {given['to']} is before from {given['from']}.", field=("input", "member", "to"))
    return {
        "id": f"{team['_id']}/{len(team['members']) + 1}",
        "name": text.clean_required(given["name"], "member", "name", at_most=text.MAX_NAME),
        "role": given["role"],
        "unit": unit,
        "from": given["from"],
        "to": given.get("to"),
        "primary": bool(given.get("primary")),
        "trainings": [
            text.clean_required(row, "member", "trainings", at_most=200) for row in given.get("trainings", ())
        ],
        "subject": text.clean_optional(given.get("subject"), "member", "subject", at_most=255),
    }
