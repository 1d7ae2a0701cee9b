"""Custody: names the agency that works on the complaints of an agency that has no team in force.

A team is due when its standing changes. An agency is due when one of its teams or its connection has changed.
"""

from datetime import datetime, timedelta
from typing import Final

from pymongo import UpdateOne

from resolvers import policy
from resolvers.agencies import team as teams
from resolvers.audit_log import audit_trail
from resolvers.documents import DESK, AgencyDoc, Changes, ComplaintDoc, TeamDoc, apply_changes
from resolvers.domain.lifecycle import OPEN
from resolvers.domain.teams import TeamStanding
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, NEVER
from resolvers.upkeep import schedule

BATCH: Final = 200
SETTLING: Final = timedelta(minutes=1)
"""Time after a change of custodian in which hand-overs that began before it have ended."""


async def find_due_teams(context: RequestContext, limit: int) -> list[TeamDoc]:
    return await schedule.find_due(context, context.store.teams, limit)


async def note_standing(context: RequestContext, team: TeamDoc) -> str | None:
    """Store the standing of a team and make its agency due. Return the new standing, or None when it is the same."""
    standing = teams.derive_standing(context, team)
    await context.store.agencies.update_one({"_id": team["agency"]}, {"$set": {"wakeAt": context.now}})
    unchanged = {"_id": team["_id"], "revision": team["revision"]}
    noted = {"standing": standing, "wakeAt": teams.find_wake_time(context, team)}
    await context.store.teams.update_one(unchanged, {"$set": noted})
    return None if standing == team["standing"] else f"team_{standing}"


async def find_due_agencies(context: RequestContext, limit: int) -> list[AgencyDoc]:
    return await schedule.find_due(context, context.store.agencies, limit)


async def settle_custody(context: RequestContext, agency: AgencyDoc) -> str | None:
    """Set the custodian of an agency, and of a batch of its open complaints; the agency stays due until all have it."""
    custodian, before = await _find_custodian(context, agency), agency["custodian"]
    since: datetime | None = agency.get("custodianSince")
    if custodian != before:
        since = context.now
        await _appoint(context, agency, custodian)
    changed = await _correct_complaints(context, agency["_id"], custodian)
    # A full batch leaves `wakeAt` as it is, so that the agency is due again at once. After the last batch it is visited
    # once more when SETTLING is over, for complaints whose hand-over began before the custodian changed.
    if changed < BATCH:
        later = NEVER if since is None or context.now - since >= SETTLING else since + SETTLING
        unchanged = {"_id": agency["_id"], "wakeAt": agency["wakeAt"]}
        await context.store.agencies.update_one(unchanged, {"$set": {"wakeAt": later}})
    return "custody" if changed or custodian != before else None


async def _appoint(context: RequestContext, agency: AgencyDoc, custodian: str | None) -> None:
    """Store the custodian, and make the agencies due for which this agency may be the custodian."""
    appointed = {"custodian": custodian, "custodianSince": context.now}
    await context.store.agencies.update_one({"_id": agency["_id"]}, {"$set": appointed})
    stood_for = {"province": agency["_id"], "custodian": {"$ne": None}}
    await context.store.agencies.update_many(stood_for, {"$set": {"wakeAt": context.now}})


async def _find_custodian(context: RequestContext, agency: AgencyDoc) -> str | None:
    """Return the custodian: None when the agency is connected and has a team in force.

    Else its province if that has a team in force, else the national desk.
    """
    if agency["_id"] == DESK or (agency["connected"] and await _can_work(context, agency["_id"])):
        return None
    province = agency["province"]
    return province if province is not None and await _can_work(context, province) else DESK


async def _can_work(context: RequestContext, agency_id: str) -> bool:
    found = await teams.by_agency(context, agency_id)
    return any(teams.derive_standing(context, team) not in (TeamStanding.PLANNED, TeamStanding.OVER) for team in found)


async def _correct_complaints(context: RequestContext, agency_id: str, custodian: str | None) -> int:
    """Correct the custodian of up to a batch of open complaints; return how many were wrong."""
    wrong = {"readers": "national", "holder": agency_id, "status": {"$in": sorted(OPEN)}}
    found = context.store.complaints.find(
        wrong | {"custodian": {"$ne": custodian}}, limit=BATCH, max_time_ms=MAX_TIME_MS
    )
    writes = [_make_write(context, complaint, custodian) for complaint in await found.to_list(BATCH)]
    if writes:
        await context.store.complaints.bulk_write(writes, ordered=False)
    return len(writes)


def _make_write(context: RequestContext, complaint: ComplaintDoc, custodian: str | None) -> UpdateOne:
    unchanged = {"_id": complaint["_id"], "revision": complaint["revision"]}
    readers = policy.compute_readers(apply_changes(complaint, {"custodian": custodian}))
    changes: Changes = {"custodian": custodian, "readers": readers, "updatedAt": context.now}
    changes |= audit_trail.make_audit_keys(context, complaint, apply_changes(complaint, changes), "CUSTODY")
    return UpdateOne(unchanged, {"$set": changes, "$inc": {"revision": 1}})
