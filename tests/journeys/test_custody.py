"""Teams in force over HTTP: who may work through a seat, in grace, and for an agency that has none."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.portal import ADMIN, COORDINATOR, LIAISON, NATIONAL, OTHER_ADMIN, UNIT, Portal
from support.served_gateway import serving
from support.stories import drafted, routed, submitted, team_of

from gateway.settings import Settings
from resolvers.domain.vocabulary import Role
from resolvers.store.database import Store
from resolvers.viewer import Viewer

VERIFIED: dict[str, Any] = {"class_": "COMPLAINT", "category": "ROAD.POTHOLE", "grade": "NORMATIVE"}


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


@pytest.fixture
async def working(register: Store, settings: Settings, mongodb_uri: str) -> AsyncIterator[Portal]:
    """The gateway with its worker."""
    with_worker = settings.model_copy(update={"worker": True})
    async with serving(with_worker, mongodb_uri, register.database.name) as opened:
        yield opened


async def ended(portal: Portal, days: int) -> str:
    """Badung's team, whose term ended so many days ago."""
    team = await team_of(portal)
    payload = await portal.do("updateTeam", NATIONAL, "team { status }", team=team, termTo=days_ago(days))
    assert payload["team"]["status"] == "EXPIRED"
    return team


async def test_in_the_days_of_grace_work_goes_on_and_then_no_more(portal: Portal) -> None:
    complaint_id, draft = await drafted(portal)
    other = await routed(portal)
    team = await ended(portal, 3)
    await portal.done("acceptComplaint", ADMIN, complaint=other, team=team)
    await portal.do("updateTeam", NATIONAL, "team { id }", team=team, termTo=days_ago(16))
    assert await portal.refused("acceptComplaint", ADMIN, complaint=other, team=team) == "TEAM_NOT_ACTIVE"
    assert await portal.refused("approveFollowUp", ADMIN, complaint=complaint_id, followUp=draft) == "TEAM_NOT_ACTIVE"


async def test_an_agency_without_a_team_in_force_verifies_nothing(portal: Portal) -> None:
    complaint_id, _ = await submitted(portal, ADMIN, channel="COUNTER")
    team = await ended(portal, 16)
    given = {"complaint": complaint_id, "holder": "kab-badung", **VERIFIED}
    assert await portal.refused("verifyComplaint", ADMIN, **given) == "TEAM_NOT_ACTIVE"
    await portal.do("updateTeam", NATIONAL, "team { id }", team=team, termTo=days_ago(-100))
    await portal.done("verifyComplaint", ADMIN, **given)


async def test_who_has_left_the_team_works_for_it_no_more(portal: Portal) -> None:
    complaint_id, team = await routed(portal), await team_of(portal)
    members = (await portal.data("query ($id: ID!) { team(id: $id) { members { id role } } }", {"id": team}))["team"]
    seat = next(row["id"] for row in members["members"] if row["role"] == "ADMIN")
    given = {"team": team, "member": seat, "on": days_ago(2)}
    await portal.do("endTeamMembership", NATIONAL, "team { id }", **given)
    assert await portal.refused("acceptComplaint", ADMIN, complaint=complaint_id, team=team) == "NOT_ALLOWED"
    # Another admin's seat is not on record by name: it may be hers.
    deputy = Viewer(Role.AGENCY_ADMIN, "deputy", "kab-badung")
    await portal.done("acceptComplaint", deputy, complaint=complaint_id, team=team)


async def test_the_province_works_for_an_agency_without_a_team_until_it_has_one(working: Portal) -> None:
    complaint_id, team = await routed(working), await team_of(working)
    bali = await team_of(working, "prov-bali")
    asked = {"complaint": complaint_id, "team": bali}
    assert await working.refused("acceptComplaint", COORDINATOR, **asked) == "NOT_ALLOWED"
    await ended(working, 16)
    query = "query ($id: ID!) { complaint(id: $id) { custodian { id } allowedActions } }"

    async def custodian(wanted: str | None) -> list[str]:
        # By the clock: the worker looks every two seconds, and how many requests fit in between depends on the machine.
        async with asyncio.timeout(30):
            while True:
                found = (await working.data(query, {"id": complaint_id}, COORDINATOR))["complaint"]
                if (found["custodian"] or {}).get("id") == wanted:
                    actions: list[str] = found["allowedActions"]
                    return actions
                await asyncio.sleep(0.05)

    assert "ACCEPT" in await custodian("prov-bali")
    agency = await working.data('{ agency(id: "kab-badung") { custodian { id } } }')
    assert agency["agency"]["custodian"] == {"id": "prov-bali"}
    await working.done("acceptComplaint", COORDINATOR, **asked)
    await working.do("updateTeam", NATIONAL, "team { id }", team=team, termTo=days_ago(-100))
    assert "ACCEPT" not in await custodian(None)
    await working.done("acceptComplaint", ADMIN, complaint=complaint_id, team=team, unit=UNIT)
    assert await working.refused("acceptComplaint", OTHER_ADMIN, complaint=complaint_id, team=team) == "NOT_ALLOWED"
    await working.done("addFollowUp", LIAISON, complaint=complaint_id, kind="PROGRESS", body="Sedang dikerjakan.")
