"""Who works for an agency whose teams' terms are over: noticed before it happens, and set right on every complaint.

A team asks to be looked at when its standing changes, an agency when its teams have changed or its connection has.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne

from resolvers import policy
from resolvers.agencies import team as teams
from resolvers.audit_log import audit_trail
from resolvers.documents import DESK
from resolvers.domain.lifecycle import OPEN
from resolvers.domain.teams import TeamStanding
from resolvers.request.context import RequestContext
from resolvers.store.database import MAX_TIME_MS, NEVER, Document
from resolvers.upkeep import schedule

BATCH: Final = 200
SETTLING: Final = timedelta(minutes=1)
"""Hand-overs that began before an agency's custodian changed have ended by then."""


async def find_due_teams(context: RequestContext, limit: int) -> list[Document]:
    return await schedule.find_due(context, context.store.teams, limit)


async def note_standing(context: RequestContext, team: Document) -> str | None:
    """What the team has become, where that is news: its agency is looked at next."""
    standing = teams.derive_standing(context, team)
    await context.store.agencies.update_one({"_id": team["agency"]}, {"$set": {"wakeAt": context.now}})
    unchanged = {"_id": team["_id"], "revision": team["revision"]}
    noted = {"standing": standing, "wakeAt": teams.find_wake_time(context, team)}
    await context.store.teams.update_one(unchanged, {"$set": noted})
    return None if standing == team["standing"] else f"team_{standing}"


async def find_due_agencies(context: RequestContext, limit: int) -> list[Document]:
    return await schedule.find_due(context, context.store.agencies, limit)


async def settle_custody(context: RequestContext, agency: Document) -> str | None:
    """Sets the agency's custodian, and a batch of its open complaints right; asks to be looked at until all are."""
    custodian, before = await _find_custodian(context, agency), agency["custodian"]
    since: datetime | None = agency.get("custodianSince")
    if custodian != before:
        since = context.now
        await _appoint(context, agency, custodian)
    changed = await _correct_complaints(context, agency["_id"], custodian)
    if changed < BATCH:
        later = NEVER if since is None or context.now - since >= SETTLING else since + SETTLING
        unchanged = {"_id": agency["_id"], "wakeAt": agency["wakeAt"]}
        await context.store.agencies.update_one(unchanged, {"$set": {"wakeAt": later}})
    return "custody" if changed or custodian != before else None


async def _appoint(context: RequestContext, agency: Document, custodian: str | None) -> None:
    """Whom the agency stood in for needs another custodian then, or can have it back."""
    appointed = {"custodian": custodian, "custodianSince": context.now}
    await context.store.agencies.update_one({"_id": agency["_id"]}, {"$set": appointed})
    stood_for = {"province": agency["_id"], "custodian": {"$ne": None}}
    await context.store.agencies.update_many(stood_for, {"$set": {"wakeAt": context.now}})


async def _find_custodian(context: RequestContext, agency: Mapping[str, Any]) -> str | None:
    """None where a connected agency has a team in force; else its province where that can work, else the desk."""
    if agency["_id"] == DESK or (agency["connected"] and await _can_work(context, agency["_id"])):
        return None
    province = agency["province"]
    return province if province is not None and await _can_work(context, province) else DESK


async def _can_work(context: RequestContext, agency_id: str) -> bool:
    found = await teams.by_agency(context, agency_id)
    return any(teams.derive_standing(context, team) not in (TeamStanding.PLANNED, TeamStanding.OVER) for team in found)


async def _correct_complaints(context: RequestContext, agency_id: str, custodian: str | None) -> int:
    """How many open complaints were not as the agency's custodian says, a batch at most."""
    wrong = {"readers": "national", "holder": agency_id, "status": {"$in": sorted(OPEN)}}
    found = context.store.complaints.find(
        wrong | {"custodian": {"$ne": custodian}}, limit=BATCH, max_time_ms=MAX_TIME_MS
    )
    writes = [_make_write(context, complaint, custodian) for complaint in await found.to_list(BATCH)]
    if writes:
        await context.store.complaints.bulk_write(writes, ordered=False)
    return len(writes)


def _make_write(context: RequestContext, complaint: Document, custodian: str | None) -> UpdateOne:
    unchanged = {"_id": complaint["_id"], "revision": complaint["revision"]}
    readers = policy.readers(complaint | {"custodian": custodian})
    changes: Document = {"custodian": custodian, "readers": readers, "updatedAt": context.now}
    changes |= audit_trail.make_audit_keys(context, complaint, complaint | changes, "CUSTODY")
    return UpdateOne(unchanged, {"$set": changes, "$inc": {"revision": 1}})
