"""Each wrong step is refused with its UserErrorCode and changes nothing."""

from typing import Any

import pytest
from support.portal import (
    ADMIN,
    CITIZEN,
    COORDINATOR,
    LIAISON,
    NATIONAL,
    OTHER_ADMIN,
    OTHER_CITIZEN,
    PARTNER,
    UNIT,
    Portal,
)
from support.stories import BODY, answered, drafted, in_progress, routed, submitted, team_of

from resolvers.viewer import PUBLIC, Viewer

VERIFICATION = {"class_": "COMPLAINT", "category": "ROAD.POTHOLE", "grade": "NORMATIVE", "holder": "kab-badung"}
FINAL = {"kind": "FINAL", "body": "Sudah selesai dikerjakan.", "closureCode": "EXPLAINED"}
SUBMISSION = {"class_": "COMPLAINT", "title": "Jalan berlubang", "body": BODY}
RETURN = {"reason": "NOT_COMPETENT", "note": "Bukan wewenang kami."}


async def revision(portal: Portal, complaint_id: str) -> int:
    found = await portal.data("query ($id: ID!) { complaint(id: $id) { revision } }", {"id": complaint_id}, NATIONAL)
    number: int = found["complaint"]["revision"]
    return number


@pytest.mark.parametrize(
    ("mutation", "viewer", "given", "code"),
    [
        ("verifyComplaint", CITIZEN, VERIFICATION, "NOT_ALLOWED"),
        ("verifyComplaint", PUBLIC, VERIFICATION, "NOT_FOUND"),
        ("verifyComplaint", ADMIN, VERIFICATION, "NOT_FOUND"),
        ("verifyComplaint", NATIONAL, VERIFICATION | {"holder": "kab-atlantis"}, "INVALID_INPUT"),
        ("verifyComplaint", NATIONAL, VERIFICATION | {"category": "NOPE"}, "INVALID_INPUT"),
        ("verifyComplaint", NATIONAL, VERIFICATION | {"expectedRevision": 7}, "CHANGED_MEANWHILE"),
        ("acceptComplaint", NATIONAL, {"team": "TM-XXXX"}, "INVALID_INPUT"),
        ("confirmAnswer", CITIZEN, {"stars": 5}, "WRONG_STATUS"),
        ("confirmAnswer", CITIZEN, {"stars": 6}, "INVALID_INPUT"),
        ("disputeAnswer", CITIZEN, {"reason": "Tidak"}, "WRONG_STATUS"),
        ("supplyInformation", CITIZEN, {"text": "Ini"}, "WRONG_STATUS"),
        ("withdrawComplaint", OTHER_CITIZEN, {}, "NOT_FOUND"),
        ("withdrawComplaint", NATIONAL, {}, "NOT_ALLOWED"),
        ("forwardComplaint", NATIONAL, {"to": "kab-badung"}, "WRONG_STATUS"),
        ("requestInformation", NATIONAL, {"question": "  "}, "INVALID_INPUT"),
        ("archiveComplaint", CITIZEN, {"reason": "SPAM"}, "NOT_ALLOWED"),
    ],
)
async def test_a_new_complaint_refuses(
    portal: Portal, mutation: str, viewer: Viewer, given: dict[str, Any], code: str
) -> None:
    complaint_id, _ = await submitted(portal)
    assert await portal.refused(mutation, viewer, complaint=complaint_id, **given) == code
    assert await revision(portal, complaint_id) == 1


@pytest.mark.parametrize(
    ("mutation", "viewer", "given", "code"),
    [
        ("acceptComplaint", CITIZEN, {}, "NOT_ALLOWED"),
        ("acceptComplaint", PARTNER, {}, "NOT_ALLOWED"),
        ("acceptComplaint", OTHER_ADMIN, {}, "NOT_ALLOWED"),
        ("acceptComplaint", ADMIN, {"unit": "kab-sleman/dinas-pupr"}, "INVALID_INPUT"),
        ("acceptComplaint", ADMIN, {"unit": "kab-badung/no-unit"}, "INVALID_INPUT"),
        ("acceptComplaint", ADMIN, {"liaison": "TM-1/9"}, "INVALID_INPUT"),
        ("acceptComplaint", LIAISON, {"unit": "kab-badung/inspektorat"}, "NOT_ALLOWED"),
    ],
)
async def test_a_routed_complaint_is_accepted_by_its_holder_alone(
    portal: Portal, mutation: str, viewer: Viewer, given: dict[str, Any], code: str
) -> None:
    complaint_id = await routed(portal)
    team = await team_of(portal)
    assert await portal.refused(mutation, viewer, complaint=complaint_id, team=team, **given) == code
    assert await revision(portal, complaint_id) == 2


async def test_a_liaison_assigns_within_the_own_unit_alone(portal: Portal) -> None:
    units = (await portal.data('{ agency(id: "kab-badung") { units { id liaisons { id } } } }'))["agency"]["units"]
    liaisons = {unit["id"]: unit["liaisons"][0]["id"] for unit in units}
    other = "kab-badung/inspektorat"
    given = {"complaint": await routed(portal), "team": await team_of(portal)}
    assert await portal.refused("acceptComplaint", LIAISON, liaison=liaisons[other], **given) == "NOT_ALLOWED"
    both = given | {"unit": UNIT, "liaison": liaisons[other]}
    assert await portal.refused("acceptComplaint", LIAISON, **both) == "INVALID_INPUT"
    done = await portal.done("acceptComplaint", LIAISON, "unit { id }", liaison=liaisons[UNIT], **given)
    assert done["unit"]["id"] == UNIT


async def test_another_agencys_team_does_not_accept(portal: Portal) -> None:
    complaint_id = await routed(portal)
    team = await team_of(portal, "kab-sleman")
    assert await portal.refused("acceptComplaint", ADMIN, complaint=complaint_id, team=team) == "INVALID_INPUT"


async def test_a_team_whose_term_is_over_does_not_accept(portal: Portal) -> None:
    complaint_id, team = await routed(portal), await team_of(portal)
    await portal.do("updateTeam", ADMIN, "team { id }", team=team, termTo="2025-12-31")
    assert await portal.refused("acceptComplaint", ADMIN, complaint=complaint_id, team=team) == "TEAM_NOT_ACTIVE"


async def test_a_team_whose_term_ended_since_does_not_answer(portal: Portal) -> None:
    complaint_id, draft = await drafted(portal)
    await portal.do("updateTeam", ADMIN, "team { id }", team=await team_of(portal), termTo="2025-12-31")
    assert await portal.refused("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft) == "TEAM_NOT_ACTIVE"


@pytest.mark.parametrize(
    ("viewer", "to", "code"),
    [
        (COORDINATOR, "kab-sleman", "NOT_ALLOWED"),
        (COORDINATOR, "kab-badung", "INVALID_INPUT"),
        (NATIONAL, "kab-nowhere", "INVALID_INPUT"),
        (ADMIN, "kab-gianyar", "NOT_ALLOWED"),
        (OTHER_ADMIN, "kab-gianyar", "NOT_ALLOWED"),
    ],
)
async def test_forwarding_stays_in_reach(portal: Portal, viewer: Viewer, to: str, code: str) -> None:
    complaint_id = await routed(portal)
    assert await portal.refused("forwardComplaint", viewer, complaint=complaint_id, to=to) == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"kind": "REPLY", "body": "Halo"}, "INVALID_INPUT"),
        ({"kind": "PROGRESS", "body": "Berjalan", "closureCode": "FIXED"}, "INVALID_INPUT"),
        ({"kind": "FINAL", "body": "Selesai"}, "INVALID_INPUT"),
        (FINAL | {"visibility": "INTERNAL"}, "INVALID_INPUT"),
        (FINAL | {"closureCode": "UNABLE_BUDGET"}, "INVALID_INPUT"),
        (FINAL | {"closureCode": "FIXED"}, "INVALID_INPUT"),
        (FINAL | {"evidence": ["x"] * 21}, "INVALID_INPUT"),
        (FINAL | {"body": "\u0007"}, "INVALID_INPUT"),
        (FINAL | {"body": "x" * 10_001}, "INVALID_INPUT"),
        (FINAL | {"expectedRevision": 1}, "CHANGED_MEANWHILE"),
    ],
)
async def test_a_follow_up_must_say_something_that_can_be_checked(
    portal: Portal, given: dict[str, Any], code: str
) -> None:
    complaint_id = await in_progress(portal)
    assert await portal.refused("addFollowUp", LIAISON, complaint=complaint_id, **given) == code
    assert await revision(portal, complaint_id) == 3


async def test_nobody_approves_the_own_draft(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    complaint = await portal.done("addFollowUp", ADMIN, "followUps { nodes { id } }", complaint=complaint_id, **FINAL)
    draft = complaint["followUps"]["nodes"][0]["id"]
    assert await portal.refused("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft) == "NOT_ALLOWED"
    other = Viewer(ADMIN.role, "second-admin", "kab-badung")
    assert (await portal.done("approveFollowUp", other, complaint=complaint_id, followUp=draft))["status"] == "ANSWERED"


async def test_a_liaison_does_not_approve_and_an_unknown_draft_is_not_found(portal: Portal) -> None:
    complaint_id, draft = await drafted(portal)
    assert await portal.refused("approveFollowUp", LIAISON, complaint=complaint_id, followUp=draft) == "NOT_ALLOWED"
    assert await portal.refused("approveFollowUp", ADMIN, complaint=complaint_id, followUp="LP/9") == "NOT_FOUND"
    assert await portal.refused("rejectFollowUp", ADMIN, complaint=complaint_id, followUp=draft, reason="") == (
        "INVALID_INPUT"
    )


async def test_only_the_reporter_judges_the_answer(portal: Portal) -> None:
    complaint_id = await answered(portal)
    for viewer in (PUBLIC, OTHER_CITIZEN, ADMIN, NATIONAL):
        assert await portal.refused("confirmAnswer", viewer, complaint=complaint_id, stars=1) == "NOT_ALLOWED"
    await portal.done("confirmAnswer", CITIZEN, complaint=complaint_id, stars=4)
    assert await portal.refused("confirmAnswer", CITIZEN, complaint=complaint_id, stars=4) == "WRONG_STATUS"
    assert await portal.refused("withdrawComplaint", CITIZEN, complaint=complaint_id) == "WRONG_STATUS"


async def test_a_supervisory_complaint_under_examination_is_not_withdrawn(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    await portal.done("verifyComplaint", NATIONAL, complaint=complaint_id, **(VERIFICATION | {"grade": "SUPERVISORY"}))
    team = await team_of(portal)
    await portal.done("acceptComplaint", ADMIN, complaint=complaint_id, team=team, unit=UNIT)
    assert await portal.refused("withdrawComplaint", CITIZEN, complaint=complaint_id) == "NOT_ALLOWED"


async def test_a_follow_up_too_early_and_a_return_too_late_are_refused(
    portal: Portal,
) -> None:
    complaint_id = await routed(portal)
    assert await portal.refused("addFollowUp", LIAISON, complaint=complaint_id, **FINAL) == "WRONG_STATUS"
    finished = await answered(portal)
    assert await portal.refused("returnComplaint", ADMIN, complaint=finished, **RETURN) == "WRONG_STATUS"


@pytest.mark.parametrize(
    ("viewer", "given", "code", "field"),
    [
        (CITIZEN, {"body": "terlalu pendek"}, "INVALID_INPUT", ["input", "body"]),
        (CITIZEN, {"body": "x" * 10_001}, "INVALID_INPUT", ["input", "body"]),
        (CITIZEN, {"title": " "}, "INVALID_INPUT", ["input", "title"]),
        (CITIZEN, {"title": "x" * 201}, "INVALID_INPUT", ["input", "title"]),
        (CITIZEN, {"category": "NOPE"}, "INVALID_INPUT", ["input", "category"]),
        (CITIZEN, {"location": {"region": "99.99"}}, "INVALID_INPUT", ["input", "location", "region"]),
        (CITIZEN, {"location": {"region": "51", "latitude": 91.0}}, "INVALID_INPUT", ["input", "location", "latitude"]),
        (CITIZEN, {"occurredOn": "2099-01-01"}, "INVALID_INPUT", ["input", "occurredOn"]),
        (CITIZEN, {"namedAgency": "nobody"}, "INVALID_INPUT", ["input", "namedAgency"]),
        (CITIZEN, {"channel": "COUNTER"}, "NOT_ALLOWED", ["input", "channel"]),
        (PARTNER, {}, "NOT_ALLOWED", ["input", "channel"]),
        (PUBLIC, {"idempotencyKey": "mine"}, "INVALID_INPUT", ["input", "idempotencyKey"]),
        (CITIZEN, {"reporter": {"nik": "1" * 30}}, "INVALID_INPUT", ["input", "reporter", "nik"]),
    ],
)
async def test_a_submission_says_which_field_is_at_fault(
    portal: Portal, viewer: Viewer, given: dict[str, Any], code: str, field: list[str]
) -> None:
    payload = await portal.do("submitComplaint", viewer, "secret complaint { id }", **(SUBMISSION | given))
    assert payload["complaint"] is None
    assert payload["secret"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)]
    assert BODY not in payload["userErrors"][0]["message"]
