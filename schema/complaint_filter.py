"""ComplaintFilter: what lists of complaints are narrowed by; and the lists that an agency or a team has."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Parent

from resolvers.complaints import complaint_list
from resolvers.paging.listing import Arguments, Listing
from schema.binding import Document, called
from schema.enums import AgencyKind, Channel, ComplaintClass, ComplaintOrder, ComplaintStatus, SupervisionGrade
from schema.given import given
from schema.page import ContextInfo
from schema.selection import keys

if TYPE_CHECKING:
    from schema.complaint import ComplaintConnection

LazyComplaintConnection = Annotated["ComplaintConnection", strawberry.lazy("schema.complaint")]


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
    search: str | None = strawberry.field(
        default=None,
        description="Words of the title and body, Indonesian stems; only in texts that the viewer may read.",
    )


def complaints_within(key: str, description: str) -> Any:
    """The field `complaints` of whatever a complaint's `key` names."""

    def read(
        owner: Parent[Document],
        info: ContextInfo,
        filter: ComplaintFilter | None = None,
        order_by: ComplaintOrder | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Listing:
        arguments = Arguments(first, after, last, before)
        within = (key, owner["_id"])
        return complaint_list.listing(info.context, given(filter), order_by, arguments, within=within, keys=keys(info))

    read.__doc__ = description
    return called(LazyComplaintConnection, needs=("_id",), commands=1, paged=True)(read)
