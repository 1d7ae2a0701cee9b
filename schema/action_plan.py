"""ActionPlan, its milestones, and the mutations on them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.agencies import action_plan as plans
from resolvers.agencies import agency as agencies
from schema.binding import Document, action, column, derived, loaded, object_type
from schema.enums import KpiId, MilestoneStatus
from schema.errors import UserError, attempt
from schema.given import given
from schema.node import Node
from schema.page import ContextInfo
from schema.scalars import Date
from schema.team import Decree
from schema.team_mutations import DecreeInput

if TYPE_CHECKING:
    from schema.agency import Agency, OrgUnit

LazyAgency = Annotated["Agency", strawberry.lazy("schema.agency")]
LazyOrgUnit = Annotated["OrgUnit", strawberry.lazy("schema.agency")]


@object_type()
class Milestone:
    """Measured from baseline to target; without them from 0 to 1."""

    id: strawberry.ID
    title: str
    due_on: Date
    weight: float
    kpi: KpiId | None
    baseline: float | None
    target: float | None
    value: float | None = derived(
        plans.value, needs=("measurements",), description="The last one measured; null before the first."
    )
    status: MilestoneStatus = derived(
        plans.status,
        needs=("dueOn", "weight", "baseline", "target", "measurements", "dropped", "begins"),
        description=(
            "LATE from the day after it is due, AT_RISK where it lags more than 15 points behind a straight line from "
            "the plan's first day, PLANNED until something is measured."
        ),
    )
    unit: LazyOrgUnit | None = loaded(
        agencies.unit, key="unit", description="Whose liaisons may record its progress, beside the agency's admin."
    )


@object_type()
class ActionPlan(Node):
    """[rencana aksi] What an agency means to reach, by decree or without, in a period."""

    id: strawberry.ID = column("_id")
    agency: LazyAgency = loaded(agencies.by_id, key="agency")
    decree: Decree | None
    title: str
    period_from: Date
    period_to: Date
    milestones: list[Milestone] = derived(plans.milestones, needs=("milestones", "periodFrom"))
    progress: float | None = derived(
        plans.progress,
        needs=("milestones",),
        description=(
            "Weighted share done, 0 to 1: what is not measured counts as not done, what is dropped not at all; null "
            "where no milestone is measured."
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
async def create_action_plan(info: ContextInfo, input: CreateActionPlanInput) -> Document:
    return await plans.set_up(
        info.context,
        attempt(info, input),
        plans.Draft(
            agency=input.agency,
            title=input.title,
            decree=None if input.decree is None else given(input.decree),
            period_from=input.period_from,
            period_to=input.period_to,
            milestones=[given(milestone) for milestone in input.milestones],
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
        default=None, description="Takes the milestone out of the plan, or back into it; null leaves it where it is."
    )
    expected_revision: int | None = None
    idempotency_key: str | None = None


@action(ActionPlanPayload)
async def record_milestone_progress(info: ContextInfo, input: RecordMilestoneProgressInput) -> Document:
    """Adds a measurement; the one of the latest day counts."""
    return await plans.record(
        info.context,
        attempt(info, input),
        input.action_plan,
        plans.Measurement(
            milestone=input.milestone, value=input.value, on=input.on, note=input.note, dropped=input.dropped
        ),
    )
