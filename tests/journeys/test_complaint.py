"""A complaint's whole story over HTTP, from submission to its end."""

from typing import Any

from support.portal import ADMIN, CITIZEN, COORDINATOR, LIAISON, NATIONAL, UNIT, Portal
from support.stories import BODY, answered, drafted, in_progress, routed, submitted, team_of, verified

from resolvers.domain.vocabulary import Role
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

MINISTRY = "kemen-pupr"

HISTORY = """
query ($id: ID!) { complaint(id: $id) {
  status title body holder { id } team { id } unit { id } assignee { id } closedAt firstFollowUpAt
  rating { stars comment } closure { code evidence archiveReason referral }
  forwardings { sequence from { id } to { id } action reason hash previousHash }
  clocks { kind startedAt dueAt stoppedAt paused breached workingDaysLeft provisional }
  followUps(first: 50) { nodes { id kind body visibility approved } }
} }
"""


async def history(portal: Portal, complaint_id: str, viewer: Any = NATIONAL) -> Any:
    return (await portal.data(HISTORY, {"id": complaint_id}, viewer))["complaint"]


def running(complaint: Any) -> set[str]:
    return {clock["kind"] for clock in complaint["clocks"] if clock["stoppedAt"] is None and not clock["paused"]}


async def test_a_citizen_gets_an_answer_and_confirms_it(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    new = await history(portal, complaint_id, CITIZEN)
    assert (new["status"], new["holder"]["id"], new["body"]) == ("SUBMITTED", "kemenpanrb", BODY)
    assert running(new) == {"TOTAL", "VERIFICATION"}

    await verified(portal, complaint_id)
    at_badung = await history(portal, complaint_id, CITIZEN)
    assert (at_badung["status"], at_badung["holder"]["id"]) == ("ROUTED", "kab-badung")
    assert running(at_badung) == {"TOTAL", "ACCEPTANCE", "FOLLOW_UP", "RESOLUTION"}

    team = await team_of(portal)
    liaison = (await portal.data('{ agency(id: "kab-badung") { units { id liaisons { id } } } }'))["agency"]["units"]
    member = next(unit["liaisons"][0]["id"] for unit in liaison if unit["id"] == UNIT)
    await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=team, liaison=member)
    taken = await history(portal, complaint_id)
    assert (taken["team"]["id"], taken["unit"]["id"], taken["assignee"]["id"]) == (team, UNIT, member)
    assert "ACCEPTANCE" not in running(taken)

    drafting = await portal.done(
        "addFollowUp",
        LIAISON,
        "status followUps { nodes { id approved } }",
        complaint=complaint_id,
        kind="FINAL",
        body="Lubang ditutup pada 12-11-2026 oleh Dinas PUPR; foto terlampir.",
        closureCode="FIXED",
        evidence=["foto-sesudah"],
    )
    assert drafting["status"] == "IN_PROGRESS"
    assert (await history(portal, complaint_id, CITIZEN))["followUps"]["nodes"] == []

    draft = drafting["followUps"]["nodes"][0]["id"]
    await portal.done("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft)
    told = await history(portal, complaint_id, CITIZEN)
    assert told["status"] == "ANSWERED"
    assert [row["id"] for row in told["followUps"]["nodes"]] == [draft]
    assert told["closure"] == {"code": "FIXED", "evidence": ["foto-sesudah"], "archiveReason": None, "referral": None}
    assert running(told) == {"TOTAL", "REPORTER_REPLY"}

    await portal.done("confirmAnswer", CITIZEN, complaint=complaint_id, stars=5, comment="Terima kasih")
    closed = await history(portal, complaint_id, CITIZEN)
    assert closed["status"] == "CLOSED_RESOLVED"
    assert closed["rating"] == {"stars": 5, "comment": "Terima kasih"}
    assert closed["closedAt"] is not None
    assert running(closed) == set()


async def test_a_disputed_answer_is_worked_on_again(portal: Portal) -> None:
    complaint_id = await answered(portal)
    await portal.done("disputeAnswer", CITIZEN, complaint=complaint_id, reason="Lubangnya masih ada.", stars=1)
    again = await history(portal, complaint_id)
    assert (again["status"], again["closure"], again["rating"]["stars"]) == ("IN_PROGRESS", None, 1)
    assert running(again) == {"TOTAL", "FOLLOW_UP", "RESOLUTION"}
    assert again["followUps"]["nodes"][-1]["kind"] == "REPLY"


async def test_a_rejected_draft_goes_back_and_the_next_one_is_approved(portal: Portal) -> None:
    complaint_id, draft = await drafted(portal)
    await portal.done("rejectFollowUp", ADMIN, complaint=complaint_id, followUp=draft, reason="Sebutkan tanggalnya.")
    assert await portal.refused("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft) == "WRONG_STATUS"
    better = await portal.done(
        "addFollowUp",
        LIAISON,
        "followUps(first: 50) { nodes { id kind } }",
        complaint=complaint_id,
        kind="FINAL",
        body="Ditutup pada 12-11-2026.",
        closureCode="EXPLAINED",
    )
    second = better["followUps"]["nodes"][-1]["id"]
    done = await portal.done("approveFollowUp", ADMIN, complaint=complaint_id, followUp=second)
    assert done["status"] == "ANSWERED"


async def test_a_wrong_agency_returns_it_and_the_province_forwards_it(portal: Portal) -> None:
    complaint_id = await routed(portal)
    await portal.done(
        "returnComplaint",
        ADMIN,
        complaint=complaint_id,
        reason="NOT_COMPETENT",
        suggested="kab-gianyar",
        note="Ruas jalan ini milik Gianyar.",
    )
    returned = await history(portal, complaint_id)
    assert (returned["status"], returned["holder"]["id"]) == ("RETURNED", "prov-bali")
    assert running(returned) == {"TOTAL", "RESOLUTION"}
    await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-gianyar", note="Sesuai usul.")
    forwarded = await history(portal, complaint_id)
    assert (forwarded["status"], forwarded["holder"]["id"]) == ("ROUTED", "kab-gianyar")
    links = forwarded["forwardings"]
    assert [link["action"] for link in links] == ["VERIFY", "RETURN", "FORWARD"]
    assert [link["previousHash"] for link in links] == [None, links[0]["hash"], links[1]["hash"]]
    assert len({link["hash"] for link in links}) == 3


async def test_what_a_ministry_returns_goes_to_the_national_desk(portal: Portal) -> None:
    complaint_id = await routed(portal, holder=MINISTRY)
    admin = Viewer(Role.AGENCY_ADMIN, "admin-of-the-ministry", MINISTRY)
    note = "Jalan kabupaten."
    await portal.done("returnComplaint", admin, complaint=complaint_id, reason="WRONG_LEVEL", note=note)
    assert (await history(portal, complaint_id))["holder"]["id"] == "kemenpanrb"
    moved = await portal.done("forwardComplaint", NATIONAL, "holder { id }", complaint=complaint_id, to="kab-badung")
    assert moved["holder"]["id"] == "kab-badung"


async def test_after_three_hand_overs_only_the_national_desk_assigns_and_nobody_returns(portal: Portal) -> None:
    complaint_id = await routed(portal)
    for agency in ("kab-gianyar", "kab-badung"):
        await portal.done("forwardComplaint", COORDINATOR, complaint=complaint_id, to=agency)
    back = {"complaint": complaint_id, "reason": "NOT_COMPETENT", "note": "Bukan wewenang kami."}
    assert await portal.refused("returnComplaint", ADMIN, **back) == "LIMIT_REACHED"
    assert (
        await portal.refused("forwardComplaint", COORDINATOR, complaint=complaint_id, to="kab-gianyar")
        == "LIMIT_REACHED"
    )
    assigned = await portal.done("forwardComplaint", NATIONAL, complaint=complaint_id, to="kab-gianyar")
    assert assigned["status"] == "ROUTED"


async def test_the_reporter_supplies_what_was_asked(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    await portal.done("requestInformation", NATIONAL, complaint=complaint_id, question="Di dekat apa?")
    asked = await history(portal, complaint_id, CITIZEN)
    assert asked["status"] == "NEEDS_INFO"
    assert asked["followUps"]["nodes"][0]["body"] == "Di dekat apa?"
    assert running(asked) == {"TOTAL", "REPORTER_REPLY"}
    await portal.done("supplyInformation", CITIZEN, complaint=complaint_id, text="Di depan pasar, sisi utara.")
    told = await history(portal, complaint_id)
    assert told["status"] == "SUBMITTED"
    assert running(told) == {"TOTAL", "VERIFICATION"}


async def test_the_desk_asks_at_most_twice(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    for _ in range(2):
        await portal.done("requestInformation", NATIONAL, complaint=complaint_id, question="Di mana tepatnya?")
        await portal.done("supplyInformation", CITIZEN, complaint=complaint_id, text="Di depan pasar.")
    code = await portal.refused("requestInformation", NATIONAL, complaint=complaint_id, question="Di mana lagi?")
    assert code == "LIMIT_REACHED"


async def test_the_desk_archives_with_a_referral(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    out_of_scope = {"complaint": complaint_id, "reason": "OUT_OF_SCOPE"}
    assert await portal.refused("archiveComplaint", NATIONAL, **out_of_scope) == "INVALID_INPUT"
    await portal.done("archiveComplaint", NATIONAL, **out_of_scope, referral="Komisi Yudisial")
    archived = await history(portal, complaint_id, CITIZEN)
    assert archived["status"] == "ARCHIVED"
    assert (archived["closure"]["archiveReason"], archived["closure"]["referral"]) == (
        "OUT_OF_SCOPE",
        "Komisi Yudisial",
    )
    assert running(archived) == set()


async def test_the_reporter_withdraws_and_the_public_no_longer_knows(portal: Portal) -> None:
    complaint_id = await routed(portal)
    assert await history(portal, complaint_id, PUBLIC) is not None
    await portal.done("withdrawComplaint", CITIZEN, complaint=complaint_id, reason="Sudah diperbaiki warga.")
    assert await history(portal, complaint_id, PUBLIC) is None
    assert (await history(portal, complaint_id, CITIZEN))["status"] == "WITHDRAWN"


async def test_a_progress_report_stops_the_follow_up_clock_and_bars_the_return(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    await portal.done(
        "addFollowUp",
        LIAISON,
        complaint=complaint_id,
        kind="PROGRESS",
        body="Bahan sudah dipesan.",
        visibility="PUBLIC",
        commitment={"action": "Penambalan", "dueOn": "2026-12-24"},
    )
    told = await history(portal, complaint_id, PUBLIC)
    assert told["firstFollowUpAt"] is not None
    assert "FOLLOW_UP" not in running(told)
    assert [row["body"] for row in told["followUps"]["nodes"]] == ["Bahan sudah dipesan."]
    back = {"complaint": complaint_id, "reason": "NOT_COMPETENT", "note": "Bukan wewenang kami."}
    assert await portal.refused("returnComplaint", ADMIN, **back) == "NOT_ALLOWED"


async def test_an_agency_that_is_not_connected_is_stood_in_for_by_its_province(portal: Portal) -> None:
    found = await portal.data(
        "{ agencies(filter: {connected: false, kinds: [REGENCY]}, first: 1) { nodes { id province { id } } } }"
    )
    absent = found["agencies"]["nodes"][0]
    complaint_id, _ = await submitted(portal)
    await verified(portal, complaint_id, holder=absent["id"])
    assert (await history(portal, complaint_id))["holder"]["id"] == absent["province"]["id"]


async def test_staff_take_in_a_complaint_at_the_counter(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal, ADMIN, channel="COUNTER", reporter={"name": "Ketut", "phone": "0812"})
    taken = await history(portal, complaint_id, ADMIN)
    assert (taken["status"], taken["holder"]["id"]) == ("SUBMITTED", "kab-badung")
    own = await portal.done(
        "verifyComplaint",
        ADMIN,
        "status holder { id }",
        complaint=complaint_id,
        class_="COMPLAINT",
        category="ROAD.POTHOLE",
        grade="LIGHT",
        holder="kab-badung",
    )
    assert own == {"status": "ROUTED", "holder": {"id": "kab-badung"}}


async def test_of_a_list_that_has_grown_only_what_was_added_is_written(portal: Portal, register: Store) -> None:
    complaint_id = await in_progress(portal)
    told = {"complaint": complaint_id, "kind": "PROGRESS"}
    await portal.done("addFollowUp", LIAISON, body="Bahan sudah dipesan.", **told)
    async with register.complaints.watch() as stream:
        await portal.done("addFollowUp", LIAISON, body="Bahan sudah tiba.", **told)
        written = (await stream.next())["updateDescription"]["updatedFields"]
    assert written["followUps.1"]["body"] == "Bahan sudah tiba."
    assert not {"followUps", "forwardings", "clocks"} & written.keys()
