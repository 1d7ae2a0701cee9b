"""Overtaking and repetition: revisions and idempotency keys, over HTTP."""

import asyncio
import uuid
from typing import Any

import pytest
from support.portal import ADMIN, CITIZEN, NATIONAL, OTHER_CITIZEN, Portal
from support.stories import BODY, answered, in_progress, routed, submitted, team_of

from resolvers.store.database import Store
from resolvers.viewer import PUBLIC

SUBMISSION: dict[str, Any] = {"class_": "COMPLAINT", "title": "Jalan berlubang", "body": BODY}
PROGRESS = {"kind": "PROGRESS", "body": "Sedang dikerjakan."}


async def codes(attempts: list[Any]) -> list[str | None]:
    payloads = await asyncio.gather(*attempts)
    return [payload["userErrors"][0]["code"] if payload["userErrors"] else None for payload in payloads]


async def test_of_twenty_attempts_at_one_revision_exactly_one_wins(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    attempts = [
        portal.do("addFollowUp", ADMIN, complaint=complaint_id, expectedRevision=3, **PROGRESS) for _ in range(20)
    ]
    assert sorted(await codes(attempts), key=str) == ["CHANGED_MEANWHILE"] * 19 + [None]
    found = await portal.data("query ($id: ID!) { complaint(id: $id) { revision } }", {"id": complaint_id})
    assert found["complaint"]["revision"] == 4


async def test_acceptances_at_once_leave_one_consistent_complaint(portal: Portal) -> None:
    complaint_id, team = await routed(portal), await team_of(portal)
    attempts = [portal.do("acceptComplaint", ADMIN, complaint=complaint_id, team=team) for _ in range(6)]
    assert set(await codes(attempts)) <= {None, "CHANGED_MEANWHILE"}
    query = "query ($id: ID!) { complaint(id: $id) { status revision clocks { kind stoppedAt } } }"
    found = (await portal.data(query, {"id": complaint_id}))["complaint"]
    assert found["status"] == "IN_PROGRESS"
    assert len([clock for clock in found["clocks"] if clock["kind"] == "ACCEPTANCE"]) == 1


async def test_confirmation_and_withdrawal_at_once_have_one_winner(portal: Portal) -> None:
    complaint_id = await answered(portal)
    outcome = await codes(
        [
            portal.do("confirmAnswer", CITIZEN, complaint=complaint_id, stars=5),
            portal.do("withdrawComplaint", CITIZEN, complaint=complaint_id),
            portal.do("disputeAnswer", CITIZEN, complaint=complaint_id, reason="Belum selesai."),
        ]
    )
    assert outcome.count(None) in (1, 2)  # a disputed complaint may still be withdrawn
    assert set(outcome) <= {None, "WRONG_STATUS"}


async def test_an_overtaken_change_brings_the_current_state(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    payload = await portal.do("addFollowUp", ADMIN, complaint=complaint_id, expectedRevision=2, **PROGRESS)
    assert payload["complaint"] == {"id": complaint_id, "status": "IN_PROGRESS", "revision": 3}
    assert payload["userErrors"][0]["field"] == ["input", "expectedRevision"]


async def test_a_repeated_submission_gives_the_same_complaint_and_secret(portal: Portal, register: Store) -> None:
    given = SUBMISSION | {"idempotencyKey": "form-1", "reporter": {"name": "Wayan"}}
    select = "secret complaint { id }"
    first, *others = await asyncio.gather(*(portal.do("submitComplaint", CITIZEN, select, **given) for _ in range(5)))
    assert all(other == first for other in others)
    assert await register.complaints.count_documents({}) == 1
    assert await register.reporters.count_documents({}) == 1


async def test_a_key_with_another_input_is_a_conflict(portal: Portal) -> None:
    await portal.done("submitComplaint", CITIZEN, idempotencyKey="form-1", **SUBMISSION)
    other = SUBMISSION | {"title": "Jembatan rusak", "idempotencyKey": "form-1"}
    assert await portal.refused("submitComplaint", CITIZEN, **other) == "IDEMPOTENCY_CONFLICT"


async def test_the_same_key_of_somebody_else_is_another_key(portal: Portal) -> None:
    mine = await portal.done("submitComplaint", CITIZEN, idempotencyKey="form-1", **SUBMISSION)
    theirs = await portal.done("submitComplaint", OTHER_CITIZEN, idempotencyKey="form-1", **SUBMISSION)
    assert mine["id"] != theirs["id"]


async def test_without_an_account_a_uuid_is_the_key(portal: Portal) -> None:
    given = SUBMISSION | {"idempotencyKey": str(uuid.uuid4())}
    first = await portal.do("submitComplaint", PUBLIC, "secret", **given)
    again = await portal.do("submitComplaint", PUBLIC, "secret", **given)
    assert first["secret"] == again["secret"] is not None


@pytest.mark.parametrize("times", [2, 10])
async def test_a_repeated_mutation_is_done_once(portal: Portal, times: int) -> None:
    complaint_id = await in_progress(portal)
    given: dict[str, Any] = PROGRESS | {"complaint": complaint_id, "idempotencyKey": "note-1", "expectedRevision": 3}
    assert await codes([portal.do("addFollowUp", ADMIN, **given) for _ in range(times)]) == [None] * times
    query = "query ($id: ID!) { complaint(id: $id) { revision followUps { totalCount } } }"
    found = (await portal.data(query, {"id": complaint_id}, NATIONAL))["complaint"]
    assert found == {"revision": 4, "followUps": {"totalCount": 1}}


async def test_a_mutations_key_with_another_input_is_a_conflict(portal: Portal) -> None:
    complaint_id = await in_progress(portal)
    given: dict[str, Any] = PROGRESS | {"complaint": complaint_id, "idempotencyKey": "note-1"}
    await portal.done("addFollowUp", ADMIN, **given)
    assert await portal.refused("addFollowUp", ADMIN, **(given | {"body": "Lain."})) == "IDEMPOTENCY_CONFLICT"


async def test_a_team_is_created_once_and_changed_by_revision(portal: Portal) -> None:
    decree = {"number": "1/2026", "issuer": "Bupati Badung", "title": "Tim"}
    given: dict[str, Any] = {"agency": "kab-badung", "kind": "MANAGEMENT", "name": "Tim baru", "decree": decree}
    given |= {"termFrom": "2026-01-01", "members": [], "idempotencyKey": "team-1"}
    given["supersedes"] = await team_of(portal)
    first = await portal.do("createTeam", ADMIN, "team { id revision }", **given)
    again = await portal.do("createTeam", ADMIN, "team { id revision }", **given)
    assert first == again
    team = first["team"]["id"]
    outcome = await codes(
        [
            portal.do("updateTeam", ADMIN, "team { id }", team=team, name=f"Tim {number}", expectedRevision=1)
            for number in range(20)
        ]
    )
    assert sorted(outcome, key=str) == ["CHANGED_MEANWHILE"] * 19 + [None]


async def test_an_attempt_that_was_refused_may_be_repeated_with_its_key(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal)
    given: dict[str, Any] = {"complaint": complaint_id, "idempotencyKey": "confirm-1", "stars": 5}
    assert await portal.refused("confirmAnswer", CITIZEN, **given) == "WRONG_STATUS"
    assert await portal.refused("confirmAnswer", CITIZEN, **given) == "WRONG_STATUS"
