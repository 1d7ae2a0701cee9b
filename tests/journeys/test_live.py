"""Live: who is told of what as it happens, by role; and what ends a stream. Over real websockets."""

import asyncio

import pytest
from support.examples import a_complaint
from support.live import CHANGED, INBOX, Socket, connected
from support.portal import (
    ADMIN,
    CITIZEN,
    COORDINATOR,
    EVERYONE,
    LIAISON,
    NATIONAL,
    OTHER_ADMIN,
    OTHER_CITIZEN,
    OVERSIGHT,
    PARTNER,
    SUBGRAPH,
    UNIT,
    Portal,
)
from support.stories import routed, submitted, team_of, verified

from resolvers import policy
from resolvers.documents import ComplaintDoc
from resolvers.domain import tracking_id
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

NOBODYS = tracking_id.make_id("LP", bytes(range(16)))
WATCHERS = (LIAISON, ADMIN, COORDINATOR, NATIONAL, OVERSIGHT, SUBGRAPH)


async def test_an_agency_hears_of_what_comes_changes_and_leaves(portal: Portal) -> None:
    async with connected(portal, ADMIN) as socket:
        await socket.standing(INBOX, agency="kab-badung")
        complaint_id, _ = await submitted(portal)
        await verified(portal, complaint_id)
        seen = await socket.event()
        assert (seen["id"], seen["status"], seen["revision"]) == (complaint_id, "ROUTED", 2)
        await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=await team_of(portal), unit=UNIT)
        seen = await socket.event()
        assert (seen["status"], seen["revision"]) == ("IN_PROGRESS", 3)
        await portal.done("returnComplaint", ADMIN, complaint=complaint_id, reason="WRONG_REGION", note="Bukan kami.")
        seen = await socket.event()
        assert (seen["id"], seen["holder"]["id"], seen["status"]) == (complaint_id, "prov-bali", "RETURNED")


@pytest.mark.parametrize("viewer", EVERYONE, ids=lambda viewer: viewer.role + str(viewer.subject))
async def test_each_hears_of_a_complaint_what_they_may_read(register: Store, portal: Portal, viewer: Viewer) -> None:
    rows = [
        a_complaint(body="RAHASIA 0812-3456-7890", redactedBody="[telepon]", **further)
        for further in ({}, {"confidential": True}, {"verifiedAt": None, "status": "SUBMITTED"})
    ]
    await register.complaints.insert_many(rows)
    async with connected(portal, viewer) as socket:
        for row in rows:
            await socket.subscribe(CHANGED, row["_id"], id=row["_id"])
            for further in (0, 1):
                await register.complaints.update_one({"_id": row["_id"]}, {"$inc": {"revision": further}})
                if not policy.may_know(viewer, row):
                    assert await socket.refusal() == "NOT_FOUND"
                    break
                seen = await socket.event()
                assert (seen["id"], seen["revision"]) == (row["_id"], row["revision"] + further)
                assert ("RAHASIA" in (seen["body"] or "")) == policy.has_custody(viewer, row)


@pytest.mark.parametrize("viewer", [PUBLIC, PARTNER, OTHER_CITIZEN, OTHER_ADMIN, LIAISON], ids=lambda each: each.role)
async def test_what_is_confidential_is_what_does_not_exist(register: Store, portal: Portal, viewer: Viewer) -> None:
    hidden = a_complaint(confidential=True)
    await register.complaints.insert_one(hidden)
    async with connected(portal, viewer) as socket:
        seen = []
        for complaint_id in (hidden["_id"], NOBODYS, "LP-0", "x" * 5000, ""):
            for secret in (None, "0" * 32, ""):
                await socket.subscribe(CHANGED, id=complaint_id, secret=secret)
                seen.append(await socket.message())
        assert seen == [seen[0]] * len(seen)
        assert seen[0]["payload"][0]["extensions"] == {"code": "NOT_FOUND"}


async def test_the_secrets_bearer_follows_the_own_complaint_and_nobody_elses(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal, PUBLIC, confidential=True)
    other_id, _ = await submitted(portal, PUBLIC, confidential=True)
    async with connected(portal) as socket:
        await socket.subscribe(CHANGED, "without", id=complaint_id)
        assert await socket.refusal() == "NOT_FOUND"
        await socket.subscribe(CHANGED, "other", id=other_id, secret=secret)
        assert await socket.refusal() == "NOT_FOUND"
        await socket.subscribe(CHANGED, "own", id=complaint_id.lower(), secret=secret)
        assert (await socket.event())["status"] == "SUBMITTED"
        await verified(portal, complaint_id)
        seen = await socket.event()
        assert seen["status"] == "ROUTED"
        assert seen["body"] is not None


async def test_who_loses_the_right_is_told_what_those_are_told_who_never_had_it(portal: Portal) -> None:
    complaint_id = await routed(portal, confidential=False)
    async with connected(portal) as public, connected(portal, CITIZEN) as reporter:
        for socket in (public, reporter):
            await socket.subscribe(CHANGED, id=complaint_id)
            assert (await socket.event())["id"] == complaint_id
        await portal.done(
            "setComplaintPrivacy", CITIZEN, complaint=complaint_id, confidential=True, reason="Saya diancam."
        )
        lost = await public.message()
        await public.subscribe(CHANGED, id=NOBODYS)
        assert lost == await public.message()
        assert lost["type"] == "error"
        assert (await reporter.event())["revision"] == 3
        await portal.done("escalateComplaint", ADMIN, complaint=complaint_id, reason="Perlu perhatian.")
        assert (await reporter.event())["revision"] == 4
        assert await public.nothing()


@pytest.mark.parametrize("viewer", EVERYONE, ids=lambda viewer: viewer.role + str(viewer.subject))
async def test_an_inbox_is_for_those_who_work_on_it_and_overseers(portal: Portal, viewer: Viewer) -> None:
    async with connected(portal, viewer) as socket:
        await socket.subscribe(INBOX, "inbox", agency="kab-badung")
        if viewer in WATCHERS:
            assert await socket.nothing(0.05)
        else:
            assert await socket.refusal() == "FORBIDDEN"
        await socket.subscribe(INBOX, "nobodys", agency="kab-nowhere")
        assert await socket.refusal() == "BAD_USER_INPUT"


async def test_an_inbox_tells_each_only_of_what_they_may_know(register: Store, portal: Portal) -> None:
    assigned = {"confidential": True, "team": "TM-1", "assigneeSubject": "demo-liaison", "unit": UNIT}
    rows = {
        "public": a_complaint(),
        "hidden": a_complaint(confidential=True),
        "assigned": a_complaint(**assigned),
        "other": a_complaint(holder="kab-sleman", holders=["kemenpanrb", "kab-sleman"], holderProvince=None),
    }
    expected: dict[Viewer, set[str]] = {
        ADMIN: {"public", "hidden", "assigned"},
        LIAISON: {"public", "assigned"},
        SUBGRAPH: {"public"},
        COORDINATOR: {"public"},
        OVERSIGHT: {"public"},
        NATIONAL: {"public", "hidden", "assigned"},
    }
    for viewer, names in expected.items():
        async with connected(portal, viewer) as socket:
            await socket.standing(INBOX, agency="kab-badung")
            await register.complaints.delete_many({})
            await register.complaints.insert_many(list(rows.values()))
            seen = {(await socket.event())["id"] for _ in names}
            assert seen == {rows[name]["_id"] for name in names}, viewer.role
            assert await socket.nothing()


async def test_an_inbox_can_be_narrowed_as_lists_are(register: Store, portal: Portal) -> None:
    async with connected(portal, ADMIN) as socket:
        narrowed = {"category": ["SAFETY.CHILD"], "open": True, "search": "anak"}
        await socket.standing(INBOX, agency="kab-badung", filter=narrowed)
        wanted = a_complaint(category="SAFETY.CHILD", body="Seorang anak hilang di pasar sejak kemarin.")
        closed = a_complaint(category="SAFETY.CHILD", body="Seorang anak hilang.", status="CLOSED_RESOLVED")
        await register.complaints.insert_many([a_complaint(body="anak"), closed, wanted])
        assert (await socket.event())["id"] == wanted["_id"]
        assert await socket.nothing()
        await socket.subscribe(INBOX, "many", agency="kab-badung", filter={"category": ["X"] * 101})
        assert await socket.refusal() == "BAD_USER_INPUT"


async def find_position(socket: Socket, revision: int) -> str:
    """The position of the change that made the revision. What was written just before it may be told first."""
    while True:
        payload = (await socket.message())["payload"]
        if payload["data"]["agencyInbox"]["revision"] == revision:
            position: str = payload["extensions"]["position"]
            return position


async def test_who_comes_back_is_told_what_happened_meanwhile(portal: Portal) -> None:
    first = await routed(portal)
    async with connected(portal, ADMIN) as socket:
        await socket.standing(INBOX, agency="kab-badung")
        escalated = await portal.done("escalateComplaint", ADMIN, complaint=first, reason="Perlu perhatian.")
        position = await find_position(socket, escalated["revision"])
    second = await routed(portal)
    gone = await routed(portal)
    await portal.done("returnComplaint", ADMIN, complaint=gone, reason="WRONG_REGION", note="Bukan kami.")
    await portal.done("escalateComplaint", ADMIN, complaint=first, reason="Masih perlu.")
    async with connected(portal, ADMIN) as socket:
        await socket.subscribe(INBOX, position=position, agency="kab-badung")
        seen = [await socket.event() for _ in range(3)]
        assert [(row["id"], row["holder"]["id"]) for row in seen] == [
            (second, "kab-badung"),
            (gone, "prov-bali"),
            (first, "kab-badung"),
        ]
        assert await socket.nothing()
        await socket.subscribe(INBOX, "old", position="0" * 16, agency="kab-badung")
        assert await socket.refusal() == "READ_ANEW"
        for wrong in ("", "x", position.upper() + "0"):
            await socket.subscribe(INBOX, "wrong", position=wrong, agency="kab-badung")
            assert await socket.refusal() == "BAD_USER_INPUT"


async def test_many_changes_at_once_are_too_many_for_nobody(register: Store, portal: Portal) -> None:
    """A new custodian touches all that an agency holds; who comes back may have missed as much."""
    many = [a_complaint() for _ in range(1500)]
    async with connected(portal, ADMIN) as socket:
        await socket.standing(INBOX, agency="kab-badung")
        await register.complaints.insert_one(a_complaint())
        position = (await socket.message())["payload"]["extensions"]["position"]
        await register.complaints.insert_many(many)
        assert {(await socket.event())["id"] for _ in many} == {row["_id"] for row in many}
    async with connected(portal, ADMIN) as socket:
        await socket.subscribe(INBOX, position=position, agency="kab-badung")
        assert {(await socket.event())["id"] for _ in many} == {row["_id"] for row in many}


async def test_every_change_is_told_in_order_to_all_who_follow_it(register: Store, portal: Portal) -> None:
    rows = [a_complaint() for _ in range(5)]
    await register.complaints.insert_many(rows)
    async with connected(portal, ADMIN) as inbox, connected(portal) as public:
        await inbox.standing(INBOX, agency="kab-badung")
        for row in rows:
            await public.subscribe(CHANGED, row["_id"], id=row["_id"])
            await public.event()

        async def write(row: ComplaintDoc) -> None:
            for _ in range(20):
                await register.complaints.update_one({"_id": row["_id"]}, {"$inc": {"revision": 1}})

        await asyncio.gather(*map(write, rows))
        last = {row["_id"]: row["revision"] + 20 for row in rows}
        for socket in (inbox, public):
            assert await told(socket, last) == last


async def told(socket: Socket, last: dict[str, int]) -> dict[str, int]:
    """The last revision of each complaint, which never went back."""
    seen: dict[str, int] = {}
    while seen != last:
        row = await socket.event()
        assert row["revision"] > seen.get(row["id"], 0)
        seen[row["id"]] = row["revision"]
    return seen


async def test_what_nobody_is_told_of_is_no_event(register: Store, portal: Portal) -> None:
    row = a_complaint()
    await register.complaints.insert_one(row)
    async with connected(portal, ADMIN) as socket:
        await socket.subscribe(CHANGED, id=row["_id"])
        await socket.event()
        await register.complaints.update_one({"_id": row["_id"]}, {"$set": {"wakeAt": row["receivedAt"]}})
        assert await socket.nothing()
