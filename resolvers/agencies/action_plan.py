"""Action plans: reads, set-up, and the measurements of their milestones."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from resolvers import policy
from resolvers.agencies import reference
from resolvers.agencies import team as teams
from resolvers.documents import ActionPlanDoc, AgencyDoc, Changes, MeasurementDoc, MilestoneDoc
from resolvers.domain import plans, tracking_id
from resolvers.domain.vocabulary import MilestoneStatus
from resolvers.errors import InvalidInput, LimitReached, NotAllowed, NotFound
from resolvers.personal_data import text
from resolvers.request.context import RequestContext
from resolvers.request.update import Attempt, create, update
from resolvers.results import MilestoneResult

MAX_MILESTONES: Final = 200
MAX_MEASUREMENTS: Final = 500
MAX_WEIGHT: Final = 1000.0


async def by_id(context: RequestContext, plan_id: str) -> ActionPlanDoc | None:
    return await context.loaders.action_plan.load(plan_id)


async def by_agency(context: RequestContext, agency_id: str) -> list[ActionPlanDoc]:
    """Return the plans of an agency, the earliest period first."""
    return await context.loaders.action_plans.load(agency_id)


def compute_progress(context: RequestContext, plan: ActionPlanDoc) -> float | None:
    return plans.compute_progress(_to_milestone(milestone) for milestone in plan["milestones"])


def list_milestones(context: RequestContext, plan: ActionPlanDoc) -> list[MilestoneResult]:
    """Return the milestones, each with `begins`, the first day of the plan, which the status is derived from."""
    return [{**milestone, "begins": plan["periodFrom"]} for milestone in plan["milestones"]]


def derive_status(context: RequestContext, milestone: MilestoneResult) -> MilestoneStatus:
    begins = date.fromisoformat(milestone["begins"])
    return plans.derive_status(_to_milestone(milestone), begins=begins, today=teams.find_today(context))


def find_value(context: RequestContext, milestone: MilestoneDoc) -> float | None:
    return _find_latest_value(milestone)


def _find_latest_value(milestone: MilestoneDoc) -> float | None:
    """Return the value measured on the latest day; of several on one day, the value recorded last."""
    found = milestone["measurements"]
    return None if not found else float(max(found, key=lambda row: (row["on"], row["at"]))["value"])


def _to_milestone(milestone: MilestoneDoc) -> plans.Milestone:
    return plans.Milestone(
        due_on=date.fromisoformat(milestone["dueOn"]),
        weight=milestone["weight"],
        baseline=milestone["baseline"],
        target=milestone["target"],
        value=_find_latest_value(milestone),
        dropped=milestone["dropped"],
    )


@dataclass(frozen=True, slots=True)
class ActionPlanDraft:
    """An action plan as the input of the mutation gives it."""

    agency: str
    title: str
    decree: Mapping[str, Any] | None
    period_from: str
    period_to: str
    milestones: Sequence[Mapping[str, Any]]


async def set_up(context: RequestContext, attempt: Attempt, draft: ActionPlanDraft) -> ActionPlanDoc:
    owner = await reference.require_agency(context, draft.agency, "agency")
    if not policy.may_manage_teams(context.viewer, owner):
        raise NotAllowed(f"You may not set up action plans of {draft.agency}.")
    if draft.period_to < draft.period_from:
        raise InvalidInput(
            f"periodTo {draft.period_to} is before periodFrom {draft.period_from}.", field=("input", "periodTo")
        )
    if len(draft.milestones) > MAX_MILESTONES:
        raise LimitReached(f"A plan has at most {MAX_MILESTONES} milestones.", field=("input", "milestones"))
    plan_id = tracking_id.make_id("PL", secrets.token_bytes(16))
    plan: ActionPlanDoc = {
        "_id": plan_id,
        "agency": draft.agency,
        "decree": None if draft.decree is None else reference.make_decree(draft.decree),
        "title": text.clean_required(draft.title, "title", at_most=text.MAX_TITLE),
        "periodFrom": draft.period_from,
        "periodTo": draft.period_to,
        "milestones": [
            _make_milestone(f"{plan_id}/{number}", draft, owner, given)
            for number, given in enumerate(draft.milestones, start=1)
        ],
        "processed": [],
        "revision": 1,
    }
    creation = attempt.build_creation(context)
    if creation is not None:
        plan["creation"] = creation
    return await create(context, context.store.action_plans, plan, attempt)


def _make_milestone(
    milestone_id: str, draft: ActionPlanDraft, owner: AgencyDoc, given: Mapping[str, Any]
) -> MilestoneDoc:
    field = ("input", "milestones")
    weight, baseline, target = given.get("weight", 1.0), given.get("baseline"), given.get("target")
    if not 0 < weight <= MAX_WEIGHT:
        raise InvalidInput(f"weight {weight} is not above 0 and at most {MAX_WEIGHT:g}.", field=(*field, "weight"))
    if not draft.period_from <= given["dueOn"] <= draft.period_to:
        raise InvalidInput(f"dueOn {given['dueOn']} is outside the period of the plan.", field=(*field, "dueOn"))
    if (1.0 if target is None else target) == (0.0 if baseline is None else baseline):
        raise InvalidInput(
            "baseline and target are the same, so that progress cannot be measured.", field=(*field, "target")
        )
    unit = given.get("unit")
    if unit is not None and unit not in {known["id"] for known in owner["units"]}:
        raise InvalidInput(f"{unit!r} is not a unit of {owner['_id']}.", field=(*field, "unit"))
    return {
        "id": milestone_id,
        "title": text.clean_required(given["title"], "milestones", "title", at_most=text.MAX_TITLE),
        "dueOn": given["dueOn"],
        "weight": weight,
        "kpi": given.get("kpi"),
        "baseline": baseline,
        "target": target,
        "unit": unit,
        "dropped": False,
        "measurements": [],
    }


@dataclass(frozen=True, slots=True)
class Measurement:
    """A new measurement. `dropped` takes the milestone out of the plan or back into it; None changes neither."""

    milestone: str
    value: float
    on: str
    note: str | None
    dropped: bool | None


async def record_measurement(
    context: RequestContext, attempt: Attempt, plan_id: str, measured: Measurement
) -> ActionPlanDoc:
    known = await by_id(context, plan_id)
    if known is None:
        raise NotFound(f"There is no action plan {plan_id!r}: see Agency.actionPlans.", field=("input", "actionPlan"))
    owner = await reference.require_agency(context, known["agency"])
    note = text.clean_optional(measured.note, "note")
    if measured.on > teams.find_today(context).isoformat():
        raise InvalidInput(f"on {measured.on} is in the future.", field=("input", "on"))

    def change(plan: ActionPlanDoc) -> Changes:
        milestone = next((row for row in plan["milestones"] if row["id"] == measured.milestone), None)
        if milestone is None:
            raise NotFound(f"{measured.milestone} is not a milestone of {plan_id}.", field=("input", "milestone"))
        _check_recorder(context, owner, milestone, measured)
        if len(milestone["measurements"]) >= MAX_MEASUREMENTS:
            raise LimitReached(f"{measured.milestone} has {MAX_MEASUREMENTS} measurements and can have no more.")
        row: MeasurementDoc = {
            "value": measured.value,
            "on": measured.on,
            "note": note,
            "bySubject": context.viewer.subject,
            "at": context.now,
        }
        changed: MilestoneDoc = {**milestone, "measurements": [*milestone["measurements"], row]}
        if measured.dropped is not None:
            changed["dropped"] = measured.dropped
        return {"milestones": [changed if known is milestone else known for known in plan["milestones"]]}

    return await update(context, context.store.action_plans, plan_id, attempt, change)


def _check_recorder(context: RequestContext, owner: AgencyDoc, milestone: MilestoneDoc, measured: Measurement) -> None:
    if not policy.may_record_progress(context.viewer, owner, milestone["unit"]):
        raise NotAllowed(f"You may not record the progress of {milestone['id']}.")
    if measured.dropped is not None and not policy.may_manage_teams(context.viewer, owner):
        raise NotAllowed(
            "Only the admin of the agency can drop a milestone or take it up again.", field=("input", "dropped")
        )
