"""ActionPlan and its milestones, and the mutations that change them."""

import strawberry

from resolvers.agencies import action_plan as plans
from resolvers.agencies import agency as agencies
from resolvers.documents import ActionPlanDoc
from schema.binding import action, column, derived, loaded, object_type
from schema.enums import KpiId, MilestoneStatus
from schema.errors import UserError, make_attempt
from schema.input_values import to_dict
from schema.lazy import LazyAgency, LazyOrgUnit
from schema.node import Node
from schema.page import ContextInfo
from schema.scalars import Date
from schema.team import Decree
from schema.team_mutations import DecreeInput


@object_type()
class Milestone:
    """A step of an action plan, measured from `baseline` to `target`; without them from 0 to 1."""

    id: strawberry.ID
    title: str
    due_on: Date
    weight: float = column("weight", description="Its share of the plan's progress, relative to the other milestones.")
    kpi: KpiId | None = column("kpi", description="The performance indicator that it improves, if any.")
    baseline: float | None = column("baseline", description="The value at the plan's start; null stands for 0.")
    target: float | None = column("target", description="The value to reach; null stands for 1.")
    value: float | None = derived(
        plans.find_value,
        needs=("measurements",),
        description="The value measured on the latest day; null if nothing was measured.",
    )
    status: MilestoneStatus = derived(
        plans.derive_status,
        needs=("dueOn", "weight", "baseline", "target", "measurements", "dropped", "begins"),
        description=(
            "PLANNED until something is measured; AT_RISK if it is more than 15 percentage points behind a straight "
            "line from the plan's first day to the due day; LATE from the day after the due day."
        ),
    )
    unit: LazyOrgUnit | None = loaded(
        agencies.find_unit,
        key="unit",
        description="The unit whose liaisons may record progress, besides the agency's admin; null if none may.",
    )


@object_type()
class ActionPlan(Node):
    """[rencana aksi] The goals of an agency for a period, with or without a decree."""

    id: strawberry.ID = column("_id")
    agency: LazyAgency = loaded(agencies.by_id, key="agency")
    decree: Decree | None
    title: str
    period_from: Date
    period_to: Date
    milestones: list[Milestone] = derived(plans.list_milestones, needs=("milestones", "periodFrom"))
    progress: float | None = derived(
        plans.compute_progress,
        needs=("milestones",),
        description=(
            "The weighted share that is done, 0 to 1. A milestone without a measurement counts as not done; a dropped "
            "one does not count. Null if no milestone was measured."
        ),
    )
    revision: int


@object_type(subject="actionPlan")
class ActionPlanPayload:
    action_plan: ActionPlan | None
    user_errors: list[UserError]


@strawberry.input
class MilestoneInput:
    title: str
    due_on: Date
    weight: float | None = 1.0
    kpi: KpiId | None = None
    baseline: float | None = None
    target: float | None = None
    unit: strawberry.ID | None = None


@strawberry.input
class CreateActionPlanInput:
    agency: strawberry.ID
    title: str
    decree: DecreeInput | None = None
    period_from: Date
    period_to: Date
    milestones: list[MilestoneInput]
    idempotency_key: str | None = None


@action(ActionPlanPayload)
async def create_action_plan(info: ContextInfo, input: CreateActionPlanInput) -> ActionPlanDoc:
    return await plans.set_up(
        info.context,
        make_attempt(info, input),
        plans.ActionPlanDraft(
            agency=input.agency,
            title=input.title,
            decree=None if input.decree is None else to_dict(input.decree),
            period_from=input.period_from,
            period_to=input.period_to,
            milestones=[to_dict(milestone) for milestone in input.milestones],
        ),
    )


@strawberry.input
class RecordMilestoneProgressInput:
    action_plan: strawberry.ID
    milestone: strawberry.ID
    value: float
    on: Date
    note: str | None = None
    dropped: bool | None = strawberry.field(
        default=None, description="True drops the milestone from the plan, false puts it back; null changes nothing."
    )
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ActionPlanPayload)
async def record_milestone_progress(info: ContextInfo, input: RecordMilestoneProgressInput) -> ActionPlanDoc:
    """Adds a measurement to a milestone. The measurement of the latest day counts."""
    return await plans.record_measurement(
        info.context,
        make_attempt(info, input),
        input.action_plan,
        plans.Measurement(
            milestone=input.milestone, value=input.value, on=input.on, note=input.note, dropped=input.dropped
        ),
    )
