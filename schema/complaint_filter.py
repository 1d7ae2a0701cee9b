"""ComplaintFilter: what lists of complaints are narrowed by."""

from datetime import datetime

import strawberry

from schema.enums import AgencyKind, Channel, ComplaintClass, ComplaintStatus, SupervisionGrade


@strawberry.input(description="Half open: from ≤ x < to.")
class DateTimeRange:
    from_: datetime | None = strawberry.field(default=None, name="from")
    to: datetime | None = None


@strawberry.input
class ComplaintFilter:
    status: list[ComplaintStatus] | None = None
    open: bool | None = None
    class_: list[ComplaintClass] | None = strawberry.field(default=None, name="class")
    category: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Exactly these codes; a parent's code does not stand for what lies in it."
    )
    grade: list[SupervisionGrade] | None = None
    channel: list[Channel] | None = None
    holder: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Held now by one of these agencies."
    )
    holder_kind: list[AgencyKind] | None = None
    region: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="In one of these regions or anything inside them: 51 is all of Bali, 51.03 is Badung.",
    )
    team: strawberry.ID | None = None
    unit: list[strawberry.ID] | None = None
    assignee: strawberry.ID | None = None
    received_at: DateTimeRange | None = None
    closed_at: DateTimeRange | None = None
    overdue: bool | None = None
    escalated: bool | None = None
