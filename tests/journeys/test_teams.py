"""Teams over HTTP: set up by decree, superseded, joined and left."""

import asyncio
from typing import Any

import pytest
from support.portal import ADMIN, COORDINATOR, LIAISON, NATIONAL, OTHER_ADMIN, UNIT, Portal
from support.stories import team_of

from resolvers.store.database import Store
from resolvers.viewer import PUBLIC, Viewer

DECREE = {"number": "12/2026", "issuer": "Bupati Badung", "issuedOn": "2026-01-05", "title": "Tim Pengelola"}
MEMBER = {"name": "Ni Luh", "role": "LIAISON", "unit": UNIT, "from": "2026-01-05", "subject": "ni-luh"}
TEAM: dict[str, Any] = {
    "agency": "kab-badung",
    "kind": "MANAGEMENT",
    "name": "Tim Pengelola 2026",
    "decree": DECREE,
    "termFrom": "2026-01-05",
    "termTo": "2030-12-31",
    "members": [MEMBER],
}
SELECT = "team { id status supersedes { id } members { id name role unit { id } from to } revision }"


async def test_a_new_team_supersedes_the_old_one(portal: Portal) -> None:
    query = '{ agency(id: "kab-badung") { teams { id status } } }'
    old = (await portal.data(query))["agency"]["teams"][0]["id"]
    made = (await portal.do("createTeam", ADMIN, SELECT, supersedes=old, **TEAM))["team"]
    assert (made["status"], made["supersedes"]["id"]) == ("ACTIVE", old)
    statuses = {team["id"]: team["status"] for team in (await portal.data(query))["agency"]["teams"]}
    assert statuses == {old: "SUPERSEDED", made["id"]: "ACTIVE"}
    again = await portal.do("createTeam", ADMIN, SELECT, supersedes=old, **TEAM)
    assert again["userErrors"][0]["code"] == "INVALID_INPUT"


async def test_of_several_teams_that_supersede_one_at_once_one_is_made(portal: Portal, register: Store) -> None:
    old = await team_of(portal)
    made = await asyncio.gather(*(portal.do("createTeam", ADMIN, SELECT, supersedes=old, **TEAM) for _ in range(6)))
    winners = [payload["team"]["id"] for payload in made if payload["team"]]
    assert len(winners) == 1
    stored = await register.teams.find({"agency": "kab-badung"}).to_list(None)
    assert {team["_id"]: team["supersededBy"] for team in stored} == {old: winners[0], winners[0]: None}


async def test_members_join_and_leave(portal: Portal) -> None:
    team = (await portal.do("createTeam", ADMIN, SELECT, **TEAM))["team"]
    joined = {"name": "I Gede", "role": "ADMIN", "from": "2026-02-01"}
    two = (await portal.do("addTeamMember", ADMIN, SELECT, team=team["id"], member=joined))["team"]
    assert [member["name"] for member in two["members"]] == ["Ni Luh", "I Gede"]
    leaving = two["members"][0]["id"]
    left = await portal.do("endTeamMembership", ADMIN, SELECT, team=team["id"], member=leaving, on="2026-06-30")
    assert left["team"]["members"][0]["to"] == "2026-06-30"
    liaisons = await portal.data('{ agency(id: "kab-badung") { units { id liaisons { id } } } }')
    assert leaving not in str(liaisons)


@pytest.mark.parametrize(
    ("viewer", "allowed"),
    [(PUBLIC, False), (LIAISON, False), (OTHER_ADMIN, False), (COORDINATOR, False), (ADMIN, True), (NATIONAL, True)],
    ids=lambda value: getattr(value, "role", value),
)
async def test_an_agencys_teams_are_its_own_admins_to_change(portal: Portal, viewer: Viewer, allowed: bool) -> None:
    payload = await portal.do("createTeam", viewer, SELECT, **TEAM)
    assert [error["code"] for error in payload["userErrors"]] == ([] if allowed else ["NOT_ALLOWED"])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"agency": "nobody"}, ["input", "agency"]),
        ({"termTo": "2025-12-31"}, ["input", "termTo"]),
        ({"name": ""}, ["input", "name"]),
        ({"supersedes": "TM-NONE"}, ["input", "supersedes"]),
        ({"decree": DECREE | {"number": " "}}, ["input", "decree", "number"]),
        ({"members": [MEMBER | {"unit": "kab-sleman/inspektorat"}]}, ["input", "member", "unit"]),
        ({"members": [MEMBER | {"to": "2025-01-01"}]}, ["input", "member", "to"]),
    ],
)
async def test_a_team_says_which_field_is_at_fault(portal: Portal, given: dict[str, Any], field: list[str]) -> None:
    payload = await portal.do("createTeam", NATIONAL, SELECT, **(TEAM | given))
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("INVALID_INPUT", field)]


async def test_the_published_decrees_are_as_they_were_published(portal: Portal) -> None:
    query = "query ($id: ID!) { agency(id: $id) { teams { decree { number issuer } termTo status } } }"
    bali = (await portal.data(query, {"id": "prov-bali"}))["agency"]["teams"]
    badung = (await portal.data(query, {"id": "kab-badung"}))["agency"]["teams"]
    assert bali[0]["decree"] == {"number": "299/02-B/HK/2022", "issuer": "Gubernur Bali"}
    assert badung[0]["decree"] == {"number": "107/049/HK/2021", "issuer": "Bupati Badung"}
    assert [team["termTo"] for team in (*bali, *badung)] == [None, None]
