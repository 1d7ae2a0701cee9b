"""Computes due times again after a decree has changed the calendar. Due times that have passed stay."""

from datetime import datetime

from pymongo import UpdateOne

from resolvers.documents import Changes, ComplaintDoc
from resolvers.domain import sla
from resolvers.domain.lifecycle import OPEN
from resolvers.domain.sla import ClockDoc
from resolvers.domain.vocabulary import SupervisionGrade, TimeZone
from resolvers.regulations.regulations import Regulations
from resolvers.store.database import NEVER

BATCH = 500


async def recount_due_times(regulations: Regulations, now: datetime) -> int:
    """Compute the due times of the running clocks of open complaints; return how many complaints have changed.

    A complaint that somebody changes at the same time is left to the next run, because that change may have used the
    new calendar already.
    """
    complaints = regulations.store.complaints
    keys = ("clocks", "grade", "policyVersion", "revision")
    waiting = complaints.find(
        {"status": {"$in": sorted(OPEN)}, "nextDueAt": {"$gte": now, "$lt": NEVER}}, dict.fromkeys(keys, True)
    )
    changed, writes = 0, list[UpdateOne]()
    async for complaint in waiting:
        if (moved := _recount_complaint(regulations, complaint, now)) is not None:
            unchanged = {"_id": complaint["_id"], "revision": complaint["revision"]}
            writes.append(UpdateOne(unchanged, {"$set": moved, "$inc": {"revision": 1}}))
        if len(writes) == BATCH:
            changed += (await complaints.bulk_write(writes, ordered=False)).modified_count
            writes.clear()
    if writes:
        changed += (await complaints.bulk_write(writes, ordered=False)).modified_count
    return changed


def _recount_complaint(regulations: Regulations, complaint: ComplaintDoc, now: datetime) -> Changes | None:
    policy = regulations.policies.by_version(complaint["policyVersion"])
    grade = None if complaint["grade"] is None else SupervisionGrade(complaint["grade"])

    def recount_clock(clock: ClockDoc) -> ClockDoc:
        if clock["stoppedAt"] is not None or clock["dueAt"] is None or clock["dueAt"] < now:
            return clock
        return sla.recount_clock(clock, regulations.calendar(TimeZone(clock["zone"])), policy, grade)

    clocks = [recount_clock(clock) for clock in complaint["clocks"]]
    if clocks == complaint["clocks"]:
        return None
    # Due at once, so that upkeep computes the next step with the new due times.
    return {"clocks": clocks, "nextDueAt": sla.find_next_due(clocks) or NEVER, "wakeAt": now}
