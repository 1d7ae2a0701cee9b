"""What changes a complaint's course, over HTTP: holds, ends without a remedy, ways back, merging, protection."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from support.portal import ADMIN, CITIZEN, COORDINATOR, LIAISON, NATIONAL, OTHER_CITIZEN, Portal
from support.stories import BODY, answered, in_progress, routed, submitted, verified

from resolvers.domain.vocabulary import Role
from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

OTHER_BADUNG_ADMIN = Viewer(Role.AGENCY_ADMIN, "second-admin", "kab-badung")

COURSE = """
query ($id: ID!, $secret: String) { complaint(id: $id, secret: $secret) {
  id status body hold { reason reviewOn } closureProposal { code ground alternative } escalationLevel
  anonymous confidential mergedInto { id } closedAt allowedActions
  closure { code ground alternative archiveReason } clocks { kind stoppedAt paused dueAt }
  followUps(first: 50) { nodes { kind body visibility } }
} }
"""
UNABLE = {
    "code": "UNABLE_BUDGET",
    "ground": "Anggaran tahun ini sudah habis.",
    "alternative": "Usulkan pada musrenbang Februari.",
}


async def course(portal: Portal, complaint_id: str, viewer: Any = NATIONAL, secret: str | None = None) -> Any:
    return (await portal.data(COURSE, {"id": complaint_id, "secret": secret}, viewer))["complaint"]


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def clock(complaint: Any, kind: str) -> Any:
    return [row for row in complaint["clocks"] if row["kind"] == kind][-1]


async def test_work_waits_for_its_day_of_review_while_the_total_clock_runs(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    asked = {"complaint": complaint_id, "reason": "Menunggu aspal."}
    assert await portal.refused("holdComplaint", ADMIN, **asked, reviewOn=in_days(-1)) == "INVALID_INPUT"
    assert await portal.refused("holdComplaint", ADMIN, **asked, reviewOn=in_days(40)) == "INVALID_INPUT"
    await portal.done("holdComplaint", ADMIN, **asked, reviewOn=in_days(20))
    held = await course(portal, complaint_id)
    assert (held["status"], held["hold"]["reviewOn"]) == ("ON_HOLD", in_days(20))
    assert clock(held, "RESOLUTION")["paused"]
    assert not clock(held, "TOTAL")["paused"]
    assert clock(held, "TOTAL")["stoppedAt"] is None
    await portal.done("resumeComplaint", ADMIN, complaint=complaint_id)
    assert (await course(portal, complaint_id))["hold"] is None
    await portal.done("holdComplaint", ADMIN, **asked, reviewOn=in_days(20))
    await portal.done("resumeComplaint", ADMIN, complaint=complaint_id)
    assert await portal.refused("holdComplaint", ADMIN, **asked, reviewOn=in_days(20)) == "LIMIT_REACHED"


async def test_a_matter_without_a_remedy_ends_with_the_coordinators_consent_and_an_answer(portal: Portal) -> None:
    complaint_id = await in_progress(portal, confidential=True)
    assert await course(portal, complaint_id, COORDINATOR) is None
    proposal = {"complaint": complaint_id, **UNABLE}
    assert await portal.refused("proposeClosure", ADMIN, **(proposal | {"code": "FIXED"})) == "INVALID_INPUT"
    await portal.done("proposeClosure", ADMIN, **proposal)
    assert await portal.refused("proposeClosure", ADMIN, **proposal) == "WRONG_STATUS"
    assert (await course(portal, complaint_id, CITIZEN))["closureProposal"] is None
    under_review = await course(portal, complaint_id, COORDINATOR)
    assert (under_review["closureProposal"], under_review["body"]) == (UNABLE, BODY)

    consent: dict[str, Any] = {"complaint": complaint_id, "consent": False}
    assert await portal.refused("consentToClosure", COORDINATOR, **consent) == "INVALID_INPUT"
    await portal.done("consentToClosure", NATIONAL, **consent, reason="Jelaskan dasar hukumnya.")
    assert (await course(portal, complaint_id))["status"] == "IN_PROGRESS"
    assert await course(portal, complaint_id, COORDINATOR) is None

    await portal.done("proposeClosure", ADMIN, **proposal)
    await portal.done("consentToClosure", COORDINATOR, complaint=complaint_id, consent=True)
    ended = await course(portal, complaint_id, CITIZEN)
    assert ended["status"] == "CLOSED_UNABLE"
    assert ended["closure"] == {**UNABLE, "archiveReason": None}
    assert ended["followUps"]["nodes"][-1]["kind"] == "FINAL"
    assert UNABLE["alternative"] in ended["followUps"]["nodes"][-1]["body"]
    assert all(row["stoppedAt"] for row in ended["clocks"])


async def test_nobody_consents_to_the_own_proposal_in_another_office(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    await portal.done("proposeClosure", ADMIN, complaint=complaint_id, **UNABLE)
    promoted = Viewer(Role.PROVINCE_COORDINATOR, ADMIN.subject, "prov-bali")
    assert await portal.refused("consentToClosure", promoted, complaint=complaint_id, consent=True) == "NOT_ALLOWED"


async def test_an_archived_complaint_comes_back_with_new_information(portal: Portal) -> None:
    complaint_id, secret = await submitted(portal)
    await portal.done("archiveComplaint", NATIONAL, complaint=complaint_id, reason="INCOMPLETE")
    given = {"complaint": complaint_id, "reason": "Lokasinya di depan pasar Kuta.", "secret": secret}
    assert await portal.refused("restoreComplaint", OTHER_CITIZEN, **(given | {"secret": "x"})) == "NOT_FOUND"
    await portal.done("restoreComplaint", PUBLIC, **given, idempotencyKey="0b7f8a52-6a5e-4f0e-9d3c-2f6a1c1e7a10")
    back = await course(portal, complaint_id)
    assert (back["status"], back["closure"], back["closedAt"]) == ("SUBMITTED", None, None)
    assert [row["kind"] for row in back["clocks"]] == ["TOTAL", "VERIFICATION", "VERIFICATION"]
    assert clock(back, "TOTAL")["stoppedAt"] is None
    assert back["followUps"]["nodes"][-1]["body"] == given["reason"]


async def test_a_closed_complaint_is_reopened_twice_at_most(portal: Portal) -> None:
    complaint_id = await answered(portal)
    for _ in range(2):
        await portal.done("confirmAnswer", CITIZEN, complaint=complaint_id, stars=3)
        await portal.done("reopenComplaint", CITIZEN, complaint=complaint_id, reason="Lubangnya muncul lagi.")
        again = await course(portal, complaint_id)
        assert (again["status"], again["closure"]) == ("REOPENED", None)
        assert {row["kind"] for row in again["clocks"] if not row["stoppedAt"]} == {
            "TOTAL",
            "RESOLUTION",
            "ACCEPTANCE",
        }
        await _answered_again(portal, complaint_id)
    await portal.done("confirmAnswer", CITIZEN, complaint=complaint_id, stars=3)
    code = await portal.refused("reopenComplaint", CITIZEN, complaint=complaint_id, reason="Muncul lagi.")
    assert code == "LIMIT_REACHED"


async def _answered_again(portal: Portal, complaint_id: str) -> None:
    found = await portal.data('{ agency(id: "kab-badung") { teams(activeOnly: true) { id } } }')
    team = found["agency"]["teams"][0]["id"]
    await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=team)
    final = {"complaint": complaint_id, "kind": "FINAL", "body": "Ditutup lagi.", "closureCode": "EXPLAINED"}
    written = await portal.done("addFollowUp", LIAISON, "followUps(first: 50) { nodes { id } }", **final)
    draft = written["followUps"]["nodes"][-1]["id"]
    await portal.done("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft)


async def test_a_duplicate_is_merged_and_its_reporter_reads_the_answer(portal: Portal) -> None:
    target, _ = await submitted(portal, OTHER_CITIZEN)
    await verified(portal, target)
    duplicate, secret = await submitted(portal, PUBLIC)
    await verified(portal, duplicate)
    await portal.done("mergeComplaint", ADMIN, complaint=duplicate, into=target, note="Lubang yang sama.")
    merged = await course(portal, duplicate, PUBLIC, secret)
    assert (merged["status"], merged["mergedInto"]["id"]) == ("MERGED", target)
    assert merged["followUps"]["nodes"][-1]["kind"] == "ACKNOWLEDGE"
    assert all(row["stoppedAt"] for row in merged["clocks"])
    assert await portal.refused("withdrawComplaint", OTHER_CITIZEN, complaint=target) == "NOT_ALLOWED"

    await portal.done(
        "acceptComplaint", ADMIN, complaint=target, team=(await _team(portal)), unit="kab-badung/dinas-pupr"
    )
    final = {"complaint": target, "kind": "FINAL", "body": "Sudah ditutup.", "closureCode": "EXPLAINED"}
    written = await portal.done("addFollowUp", LIAISON, "followUps { nodes { id } }", **final)
    draft = written["followUps"]["nodes"][-1]["id"]
    await portal.done("approveFollowUp", ADMIN, complaint=target, followUp=draft)
    query = """query ($id: ID!, $s: String) { complaint(id: $id, secret: $s) {
      mergedInto { body followUps { nodes { body } } } } }"""
    followed = (await portal.data(query, {"id": duplicate, "s": secret}))["complaint"]["mergedInto"]
    assert followed == {"body": BODY, "followUps": {"nodes": [{"body": "Sudah ditutup."}]}}
    assert (await course(portal, target, PUBLIC))["followUps"]["nodes"] == []


async def _team(portal: Portal) -> str:
    found = await portal.data('{ agency(id: "kab-badung") { teams(activeOnly: true) { id } } }')
    team: str = found["agency"]["teams"][0]["id"]
    return team


async def test_what_is_merged_into_fits_and_is_open(portal: Portal) -> None:
    one, two = await routed(portal), await routed(portal)
    elsewhere = await routed(portal, location={"region": "51.04"})
    assert await portal.refused("mergeComplaint", ADMIN, complaint=one, into=one) == "INVALID_INPUT"
    assert await portal.refused("mergeComplaint", ADMIN, complaint=one, into=elsewhere) == "INVALID_INPUT"
    assert await portal.refused("mergeComplaint", ADMIN, complaint=one, into="LP-0000-0000-0000-0") == "NOT_FOUND"
    assert await portal.refused("mergeComplaint", ADMIN, complaint=one, into="$ne") == "NOT_FOUND"
    await portal.done("mergeComplaint", ADMIN, complaint=one, into=two)
    three = await routed(portal)
    assert await portal.refused("mergeComplaint", ADMIN, complaint=three, into=one) == "WRONG_STATUS"
    assert await portal.refused("mergeComplaint", ADMIN, complaint=two, into=three) == "NOT_ALLOWED"


async def test_complaints_merged_into_each_other_at_once_never_make_a_circle(portal: Portal, store: Store) -> None:
    for _ in range(4):
        ids = [await routed(portal) for _ in range(3)]
        pairs = [(ids[0], ids[1]), (ids[1], ids[2]), (ids[2], ids[0]), (ids[1], ids[0])]
        await asyncio.gather(*(portal.do("mergeComplaint", ADMIN, complaint=one, into=into) for one, into in pairs))
        rows = {row["_id"]: row async for row in store.complaints.find({"_id": {"$in": ids}})}
        assert any(row["status"] == "ROUTED" for row in rows.values())
        for row in rows.values():
            if row["status"] == "MERGED":
                assert rows[row["mergedInto"]]["status"] == "ROUTED"
                assert row["_id"] in rows[row["mergedInto"]]["followers"]
                assert row["followers"] == []


async def test_staff_escalate_at_any_time_and_the_reporter_after_a_breach(portal: Portal) -> None:
    complaint_id = await routed(portal)
    escalated = {"complaint": complaint_id, "reason": "Perlu perhatian pimpinan."}
    assert await portal.refused("escalateComplaint", CITIZEN, **escalated) == "NOT_ALLOWED"
    done = await portal.done("escalateComplaint", ADMIN, "escalationLevel", **escalated)
    assert done == {"escalationLevel": 1}
    for _ in range(3):
        await portal.done("escalateComplaint", COORDINATOR, **escalated)
    assert await portal.refused("escalateComplaint", COORDINATOR, **escalated) == "NOT_ALLOWED"


async def test_protection_is_tightened_by_staff_and_loosened_by_the_reporter(portal: Portal, store: Store) -> None:
    complaint_id = await routed(portal)
    given = {"complaint": complaint_id, "reason": "Nama orang disebut dalam laporan."}
    assert await portal.refused("setComplaintPrivacy", ADMIN, **given) == "INVALID_INPUT"
    await portal.done("setComplaintPrivacy", LIAISON, **given, confidential=True)
    assert await course(portal, complaint_id, PUBLIC) is None
    assert await portal.refused("setComplaintPrivacy", ADMIN, **given, confidential=False) == "NOT_ALLOWED"
    await portal.done("setComplaintPrivacy", CITIZEN, **given, confidential=False, anonymous=True)
    shown = await course(portal, complaint_id, PUBLIC)
    assert (shown["confidential"], shown["anonymous"]) == (False, True)
    kept = await store.complaints.find_one({"_id": complaint_id})
    assert kept is not None
    assert [(row["byRole"], row["confidential"]) for row in kept["privacyChanges"]] == [
        ("LIAISON", True),
        ("CITIZEN", False),
    ]


async def test_nobody_approves_the_own_draft_and_nobody_is_offered_to(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    final = {"complaint": complaint_id, "kind": "FINAL", "body": "Sudah ditutup.", "closureCode": "EXPLAINED"}
    written = await portal.done("addFollowUp", ADMIN, "allowedActions followUps { nodes { id } }", **final)
    assert "APPROVE" not in written["allowedActions"]
    approval = {"complaint": complaint_id, "followUp": written["followUps"]["nodes"][0]["id"]}
    assert await portal.refused("approveFollowUp", ADMIN, **approval) == "NOT_ALLOWED"
    assert (await portal.done("approveFollowUp", OTHER_BADUNG_ADMIN, **approval))["status"] == "ANSWERED"
