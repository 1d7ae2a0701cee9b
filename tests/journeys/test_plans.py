"""Action plans over HTTP: set up, measured, dropped; and Bali's, as it was published."""

import asyncio
from typing import Any

import pytest
from support.portal import ADMIN, CITIZEN, COORDINATOR, LIAISON, NATIONAL, OTHER_ADMIN, PARTNER, UNIT, Portal

from resolvers.viewer import PUBLIC, Viewer

DECREE = {"number": "9/2026", "issuer": "Bupati Badung", "title": "Rencana Aksi"}
PLAN: dict[str, Any] = {
    "agency": "kab-badung",
    "title": "Rencana Aksi 2026",
    "decree": DECREE,
    "periodFrom": "2026-01-01",
    "periodTo": "2030-12-31",
    "milestones": [
        {"title": "Tanggapan pertama dalam lima hari", "dueOn": "2030-12-31", "weight": 3, "kpi": "FU_ONTIME",
         "baseline": 40, "target": 90, "unit": UNIT},
        {"title": "Pelatihan admin", "dueOn": "2026-03-31"},
    ],
}  # fmt: skip
SELECT = "actionPlan { id progress revision milestones { id value status weight } }"


async def set_up(portal: Portal, **given: Any) -> Any:
    payload = await portal.do("createActionPlan", ADMIN, SELECT, **(PLAN | given))
    assert payload["userErrors"] == [], payload
    return payload["actionPlan"]


async def test_progress_is_recorded_and_weighted(portal: Portal) -> None:
    plan = await set_up(portal)
    assert (plan["progress"], [row["status"] for row in plan["milestones"]]) == (None, ["PLANNED", "LATE"])
    first, second = (row["id"] for row in plan["milestones"])

    async def record(viewer: Viewer, milestone: str, **given: Any) -> Any:
        asked = {"actionPlan": plan["id"], "milestone": milestone, "on": "2026-11-01"} | given
        return (await portal.do("recordMilestoneProgress", viewer, SELECT, **asked))["actionPlan"]

    assert (await record(LIAISON, first, value=65))["progress"] == 0.375
    assert (await record(ADMIN, second, value=1))["progress"] == 0.625
    earlier = await record(ADMIN, first, value=45, on="2026-06-01")
    assert earlier["milestones"][0]["value"] == 65
    assert (await record(ADMIN, first, value=90, on="2026-11-02"))["progress"] == 1
    dropped = await record(ADMIN, second, value=0, on="2026-11-02", dropped=True)
    assert (dropped["progress"], dropped["milestones"][1]["status"]) == (1, "DROPPED")
    assert (await record(ADMIN, second, value=0, on="2026-11-03", dropped=False))["progress"] == 0.75


@pytest.mark.parametrize(
    ("viewer", "own_unit", "other_unit"),
    [
        (PUBLIC, False, False),
        (CITIZEN, False, False),
        (OTHER_ADMIN, False, False),
        (COORDINATOR, False, False),
        (PARTNER, False, False),
        (LIAISON, True, False),
        (ADMIN, True, True),
        (NATIONAL, True, True),
    ],
    ids=lambda value: getattr(value, "role", value),
)
async def test_progress_is_the_admins_to_record_and_the_liaisons_for_the_own_unit(
    portal: Portal, viewer: Viewer, own_unit: bool, other_unit: bool
) -> None:
    plan = await set_up(portal)
    for milestone, allowed in zip(plan["milestones"], (own_unit, other_unit), strict=True):
        asked = {"actionPlan": plan["id"], "milestone": milestone["id"], "value": 50.0, "on": "2026-11-01"}
        payload = await portal.do("recordMilestoneProgress", viewer, SELECT, **asked)
        assert [error["code"] for error in payload["userErrors"]] == ([] if allowed else ["NOT_ALLOWED"])


async def test_a_liaison_drops_nothing(portal: Portal) -> None:
    plan = await set_up(portal)
    asked = {"actionPlan": plan["id"], "milestone": plan["milestones"][0]["id"], "value": 50.0, "on": "2026-11-01"}
    assert await portal.refused_in("recordMilestoneProgress", LIAISON, SELECT, dropped=True, **asked) == "NOT_ALLOWED"


@pytest.mark.parametrize("viewer", [PUBLIC, LIAISON, OTHER_ADMIN, COORDINATOR], ids=lambda viewer: viewer.role)
async def test_an_agencys_plans_are_its_own_admins_to_set_up(portal: Portal, viewer: Viewer) -> None:
    assert await portal.refused_in("createActionPlan", viewer, SELECT, **PLAN) == "NOT_ALLOWED"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"agency": "nobody"}, "INVALID_INPUT", ["input", "agency"]),
        ({"title": " "}, "INVALID_INPUT", ["input", "title"]),
        ({"periodTo": "2025-12-31", "milestones": []}, "INVALID_INPUT", ["input", "periodTo"]),
        ({"decree": DECREE | {"title": ""}}, "INVALID_INPUT", ["input", "decree", "title"]),
        ({"milestones": [{"title": "x", "dueOn": "2031-01-01"}]}, "INVALID_INPUT", ["input", "milestones", "dueOn"]),
        (
            {"milestones": [{"title": "x", "dueOn": "2026-05-01", "weight": 0}]},
            "INVALID_INPUT",
            ["input", "milestones", "weight"],
        ),
        (
            {"milestones": [{"title": "x", "dueOn": "2026-05-01", "baseline": 1}]},
            "INVALID_INPUT",
            ["input", "milestones", "target"],
        ),
        (
            {"milestones": [{"title": "x", "dueOn": "2026-05-01", "unit": "kab-sleman/inspektorat"}]},
            "INVALID_INPUT",
            ["input", "milestones", "unit"],
        ),
        ({"milestones": [{"title": "x", "dueOn": "2026-05-01"}] * 201}, "LIMIT_REACHED", ["input", "milestones"]),
    ],
)
async def test_a_plan_says_which_field_is_at_fault(
    portal: Portal, given: dict[str, Any], code: str, field: list[str]
) -> None:
    payload = await portal.do("createActionPlan", NATIONAL, SELECT, **(PLAN | given))
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)]


async def test_progress_of_tomorrow_or_of_another_plan_is_refused(portal: Portal) -> None:
    plan = await set_up(portal)
    asked = {"actionPlan": plan["id"], "milestone": plan["milestones"][0]["id"], "value": 1.0, "on": "2026-11-01"}
    for wrong, code in (
        ({"on": "2999-01-01"}, "INVALID_INPUT"),
        ({"milestone": "PL-NONE/1"}, "NOT_FOUND"),
        ({"actionPlan": "PL-NONE"}, "NOT_FOUND"),
        ({"expectedRevision": 7}, "CHANGED_MEANWHILE"),
    ):
        assert await portal.refused_in("recordMilestoneProgress", ADMIN, SELECT, **(asked | wrong)) == code


async def test_the_same_key_makes_one_plan_and_one_measurement(portal: Portal) -> None:
    made = await asyncio.gather(*(set_up(portal, idempotencyKey="plan-1") for _ in range(5)))
    assert len({plan["id"] for plan in made}) == 1
    assert await portal.refused_in(
        "createActionPlan", ADMIN, SELECT, **(PLAN | {"title": "Lain"}), idempotencyKey="plan-1"
    ) == "IDEMPOTENCY_CONFLICT"  # fmt: skip
    asked = {"actionPlan": made[0]["id"], "milestone": made[0]["milestones"][0]["id"], "value": 1.0, "on": "2026-11-01"}
    for _ in range(2):
        payload = await portal.do("recordMilestoneProgress", ADMIN, SELECT, idempotencyKey="value-1", **asked)
        assert payload["actionPlan"]["revision"] == 2


async def test_measurements_at_once_are_all_kept(portal: Portal) -> None:
    plan = await set_up(portal)
    asked = {"actionPlan": plan["id"], "milestone": plan["milestones"][0]["id"], "value": 50.0}
    days = [f"2026-10-{day:02}" for day in range(1, 7)]
    await asyncio.gather(*(portal.do("recordMilestoneProgress", ADMIN, SELECT, on=day, **asked) for day in days))
    found = await portal.data(
        "query ($id: ID!) { node(id: $id) { ... on ActionPlan { revision } } }", {"id": plan["id"]}
    )
    assert found["node"]["revision"] == 7


async def test_balis_plan_is_as_it_was_published(portal: Portal) -> None:
    query = """{ agency(id: "prov-bali") { actionPlans { id title periodFrom periodTo progress agency { id }
      decree { number issuer } milestones { id } } } }"""
    [plan] = (await portal.data(query))["agency"]["actionPlans"]
    assert plan["decree"] == {"number": "817/02-B/HK/2021", "issuer": "Gubernur Bali"}
    assert (plan["periodFrom"], plan["periodTo"], plan["progress"]) == ("2021-01-01", "2024-12-31", None)
    node = "query ($id: ID!) { node(id: $id) { id __typename } }"
    assert (await portal.data(node, {"id": plan["id"]}))["node"] == {"id": plan["id"], "__typename": "ActionPlan"}
