"""ComplaintFilter, and the lists of complaints of an agency and of a team."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Parent

from resolvers.complaints import complaint_list
from resolvers.documents import Document
from resolvers.paging.listing import Arguments, Listing
from schema.binding import called
from schema.enums import AgencyKind, Channel, ComplaintClass, ComplaintOrder, ComplaintStatus, SupervisionGrade
from schema.input_values import to_dict
from schema.lazy import LazyComplaintConnection
from schema.page import ContextInfo
from schema.selection import collect_keys


@strawberry.input(description="From `from` up to, but not including, `to`; a null bound does not limit.")
class DateTimeRange:
    from_: datetime | None = strawberry.field(default=None, name="from")
    to: datetime | None = None


@strawberry.input
class ComplaintFilter:
    """Selects complaints that match every given field; a list matches any of its values. Null fields do not limit."""

    status: list[ComplaintStatus] | None = None
    open: bool | None = strawberry.field(
        default=None, description="Whether it is still open: not closed, archived, merged or withdrawn."
    )
    class_: list[ComplaintClass] | None = strawberry.field(default=None, name="class")
    category: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Exactly these codes: a parent's code does not include the categories below it."
    )
    grade: list[SupervisionGrade] | None = None
    channel: list[Channel] | None = None
    holder: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Held by one of these agencies now."
    )
    holder_kind: list[AgencyKind] | None = None
    region: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="In one of these regions, or inside them: 51 is all of Bali, 51.03 is Badung.",
    )
    team: strawberry.ID | None = None
    unit: list[strawberry.ID] | None = None
    assignee: strawberry.ID | None = None
    received_at: DateTimeRange | None = None
    closed_at: DateTimeRange | None = None
    overdue: bool | None = None
    escalated: bool | None = strawberry.field(default=None, description="Whether escalationLevel is above 0.")
    search: str | None = strawberry.field(
        default=None,
        description="Words of title and body, compared by their Indonesian stems, in texts that the viewer may read.",
    )


def complaints_within(key: str, description: str) -> Any:
    """Returns the field `complaints` of an owner that complaints name under `key`, e.g. an agency under `holder`."""

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
        return complaint_list.list_complaints(
            info.context, to_dict(filter), order_by, arguments, within=within, keys=collect_keys(info)
        )

    read.__doc__ = description
    return called(LazyComplaintConnection, needs=("_id",), commands=1, paged=True)(read)
