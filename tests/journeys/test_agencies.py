"""Agencies over HTTP: changed by those who answer for them, and how their teams are filled."""

from typing import Any

import pytest
from support.portal import ADMIN, CITIZEN, COORDINATOR, LIAISON, NATIONAL, OTHER_ADMIN, UNIT, Portal
from support.stories import in_progress, team_of

from resolvers.viewer import PUBLIC, Viewer

SELECT = "agency { id shortName connected revision units { id name parent { id } } }"


async def units(portal: Portal) -> list[dict[str, Any]]:
    found = await portal.data('{ agency(id: "kab-badung") { units { id name } } }')
    rows: list[dict[str, Any]] = found["agency"]["units"]
    return rows


async def test_an_admin_names_adds_moves_and_removes_units(portal: Portal) -> None:
    before = await units(portal)
    kept = [row for row in before if "inspektorat" not in row["id"]]
    for member in (await portal.data('{ agency(id: "kab-badung") { units { id liaisons { id } } } }'))["agency"][
        "units"
    ]:
        if member["id"] == "kab-badung/inspektorat":
            [seat] = member["liaisons"]
            await portal.do(
                "endTeamMembership",
                ADMIN,
                "team { id }",
                team=seat["id"].partition("/")[0],
                member=seat["id"],
                on="2025-12-31",
            )
    kept[0] = kept[0] | {"name": "Dinas PU"}
    added = [{"name": "Bidang Bina Marga", "parent": UNIT}, {"name": "Bidang Bina Marga"}]
    payload = await portal.do("updateAgency", ADMIN, SELECT, agency="kab-badung", units=[*kept, *added])
    assert payload["userErrors"] == []
    after = {row["id"]: row for row in payload["agency"]["units"]}
    assert after[kept[0]["id"]]["name"] == "Dinas PU"
    assert after["kab-badung/bidang-bina-marga"]["parent"] == {"id": UNIT}
    assert "kab-badung/bidang-bina-marga-2" in after
    assert "kab-badung/inspektorat" not in after
    assert payload["agency"]["revision"] == 2


def within_each_other(first: dict[str, Any], second: dict[str, Any], *rest: dict[str, Any]) -> list[dict[str, Any]]:
    return [first | {"parent": second["id"]}, second | {"parent": first["id"]}, *rest]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: [*rows, {"id": "kab-sleman/inspektorat", "name": "x"}], "INVALID_INPUT"),
        (lambda rows: [*rows, rows[0]], "INVALID_INPUT"),
        (lambda rows: [rows[0] | {"name": " "}, *rows[1:]], "INVALID_INPUT"),
        (lambda rows: [rows[0] | {"parent": rows[0]["id"]}, *rows[1:]], "INVALID_INPUT"),
        (lambda rows: within_each_other(*rows), "INVALID_INPUT"),
        (lambda rows: [rows[0] | {"parent": "kab-badung/none"}, *rows[1:]], "INVALID_INPUT"),
        (lambda rows: rows[1:], "INVALID_INPUT"),
        (lambda rows: [*rows, *({"name": "x"} for _ in range(300))], "LIMIT_REACHED"),
    ],
)  # fmt: skip
async def test_a_list_of_units_that_does_not_hold_together_is_refused(portal: Portal, change: Any, code: str) -> None:
    given = change(await units(portal))
    assert await portal.refused_in("updateAgency", ADMIN, SELECT, agency="kab-badung", units=given) == code


async def test_a_unit_with_open_work_stays(portal: Portal) -> None:
    await in_progress(portal)
    team = await portal.data(
        "query ($id: ID!) { team(id: $id) { members { id unit { id } } } }", {"id": await team_of(portal)}
    )
    for member in team["team"]["members"]:
        if member["unit"] and member["unit"]["id"] == UNIT:
            given = {"team": await team_of(portal), "member": member["id"], "on": "2025-12-31"}
            await portal.do("endTeamMembership", ADMIN, "team { id }", **given)
    rest = [row for row in await units(portal) if row["id"] != UNIT]
    assert await portal.refused_in("updateAgency", ADMIN, SELECT, agency="kab-badung", units=rest) == "INVALID_INPUT"


@pytest.mark.parametrize(
    ("viewer", "name", "connected"),
    [
        (PUBLIC, False, False),
        (CITIZEN, False, False),
        (LIAISON, False, False),
        (OTHER_ADMIN, False, False),
        (COORDINATOR, False, False),
        (ADMIN, True, False),
        (NATIONAL, True, True),
    ],
    ids=lambda value: getattr(value, "role", value),
)
async def test_an_agency_is_its_admins_to_change_and_the_desks_to_connect(
    portal: Portal, viewer: Viewer, name: bool, connected: bool
) -> None:
    for given, allowed in (({"shortName": "Badung"}, name), ({"connected": True}, connected)):
        payload = await portal.do("updateAgency", viewer, SELECT, agency="kab-badung", **given)
        assert [error["code"] for error in payload["userErrors"]] == ([] if allowed else ["NOT_ALLOWED"])


async def test_the_health_of_an_agencys_teams(portal: Portal) -> None:
    query = """query ($id: ID!) { agency(id: $id) {
      teamHealth { seatsFilled seatsTotal liaisonsPerUnit trainedShare daysToExpiry } } }"""
    health = (await portal.data(query, {"id": "kab-badung"}))["agency"]["teamHealth"]
    assert health == {
        "seatsFilled": 10,
        "seatsTotal": 10,
        "liaisonsPerUnit": 1.0,
        "trainedShare": 0.0,
        "daysToExpiry": None,
    }
    team = await team_of(portal)
    await portal.do("updateTeam", ADMIN, "team { id }", team=team, termTo="2025-12-31")
    member = {"name": "I Gede", "role": "LIAISON", "from": "2026-01-01", "trainings": ["Dasar"], "unit": UNIT}
    await portal.do("addTeamMember", ADMIN, "team { id }", team=team, member=member)
    expired = (await portal.data(query, {"id": "kab-badung"}))["agency"]["teamHealth"]
    assert expired["daysToExpiry"] < 0
    assert (expired["liaisonsPerUnit"], expired["trainedShare"]) == (1.12, 0.0833)
    off = await portal.data(
        "{ agencies(filter: {connected: false}, first: 1) { nodes { teamHealth { seatsTotal } } } }"
    )
    assert off["agencies"]["nodes"] == [{"teamHealth": None}]
